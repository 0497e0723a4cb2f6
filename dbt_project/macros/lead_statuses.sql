{#- What the status of a lead says, where it says it in one of the usual words. -#}

{% macro is_lead_status(status, kind) -%}
    {%- set words = {
        'converted': ['converted', 'qualified and converted', '已转换', '已转化', '已转商机'],
        'qualified': [
            'qualified', 'sales qualified', 'sql', 'accepted', 'sales accepted', 'sal',
            '合格', '已合格', '有效', '有效线索', '已确认', '确认有效', '已接受', '销售认可',
        ],
        'disqualified': [
            'disqualified', 'unqualified', 'not qualified', 'dead', 'junk', 'junk lead', 'invalid', 'lost', 'rejected',
            'closed - not converted', '不合格', '无效', '无效线索', '已关闭', '流失', '已流失', '放弃', '已放弃',
        ],
    } -%}
    lower(trim({{ status }})) in ('{{ words[kind] | join("', '") }}')
{%- endmacro %}

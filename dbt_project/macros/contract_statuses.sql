{#- What the status of a contract says, where it says it in one of the usual words or is mapped to `cancelled`. -#}

{% macro is_cancelled_status(status) -%}
    {%- set words = [
        'cancelled', 'canceled', 'terminated', 'rescinded', 'annulled', 'void', 'voided', 'revoked', 'withdrawn',
        '取消', '已取消', '作废', '已作废', '作廢', '已作廢', '终止', '已终止', '終止', '已終止', '解除', '已解除', '解约', '已解约',
        '解約', '已解約', '撤销', '已撤销', '撤銷', '已撤銷', '退单', '已退单', '退單', '已退單',
    ] -%}
    coalesce(lower(trim({{ status }})) in ('{{ words | join("', '") }}'), false)
{%- endmacro %}

-- Grain: one line of what a person earns by a rule in a pay period, in the words of a pay slip.
with

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
),

bases as (
    select * from {{ ref('int_incentive_bases') }}
),

earned as (
    select
        earned.*,
        entitled.kind,
        entitled.tier_mode,
        entitled.unit,
        entitled.metric_name_en,
        entitled.metric_name_zh,
        entitled.per_unit_cents,
        bases.credited_hundredths,
        bases.target_hundredths,
        coalesce(bases.target_hundredths, 0) > 0 as has_target
    from {{ ref('int_incentive_earned') }} as earned
    inner join entitled on earned.pay_no = entitled.pay_no
    inner join bases on earned.pay_no = bases.pay_no
),

final as (
    select
        pay_no,
        case when line_kind = 'cap' then 4 else 3 end as section_no,
        tier_no as place,
        case when line_kind = 'tier' and kind = 'bonus' then 'bonus' else line_kind end as line_kind,
        tier_from,
        tier_to,
        base_hundredths,
        rate,
        amount_cents,
        cast(null as {{ dbt.type_string() }}) as record_id,
        cast(null as date) as cancelled_on,
        {% set base = cents_text('base_hundredths') %}
        {% set amount = cents_text('amount_cents') %}
        {% set value = value_text('base_hundredths', 'unit') %}
        {% set unit_pay = cents_text('per_unit_cents') %}
        {% set first = percent_text('tier_to') %}
        {% set attained = percent_of_text('credited_hundredths', 'target_hundredths') %}
        case line_kind
            when 'tier'
                then concat(
                    'Tier ', tier_no,
                    case
                        when not has_target then ', no target set'
                        when tier_to is null then concat(', from ', {{ percent_text('tier_from') }})
                        else concat(', ', {{ percent_text('tier_from') }}, '–', {{ percent_text('tier_to') }})
                    end,
                    case
                        when kind = 'bonus' then ': target pay '
                        when tier_mode = 'whole' then ', on the whole: '
                        else ': '
                    end,
                    {{ base }}, ' × ', {{ percent_text('rate') }}, ' = ', {{ amount }}
                )
            when 'below' then concat('Below tier 1 (', {{ percent_text('tier_to') }}, '): ', {{ value }}, ', not paid')
            when 'missed'
                then concat('Attainment ', {{ attained }}, ', below tier 1 (', {{ first }}, '): not paid')
            when 'no_target' then 'No target in this period, hence no attainment: not paid'
            when 'per_unit' then concat(metric_name_en, ': ', {{ value }}, ' × ', {{ unit_pay }}, ' = ', {{ amount }})
            when 'cap' then concat('Cap of ', {{ base }}, ': ', {{ amount }})
            else concat(metric_name_en, ' in this period: ', {{ value }})
        end as line_en,
        case line_kind
            when 'tier'
                then concat(
                    '第', {{ chinese_place('tier_no') }}, '档',
                    case
                        when not has_target then '（本期无目标）'
                        when tier_to is null then concat(' ', {{ percent_text('tier_from') }}, ' 以上')
                        else concat(' ', {{ percent_text('tier_from') }}, '–', {{ percent_text('tier_to') }})
                    end,
                    case when kind = 'bonus' then '：目标奖金 ' when tier_mode = 'whole' then '，按全额：' else '：' end,
                    {{ base }}, ' × ', {{ percent_text('rate') }}, ' = ', {{ amount }}
                )
            when 'below' then concat('第一档（', {{ percent_text('tier_to') }}, '）以下：', {{ value }}, '，不计提')
            when 'missed'
                then concat('达成率 ', {{ attained }}, '，未达第一档（', {{ percent_text('tier_to') }}, '），不计提')
            when 'no_target' then '本期没有目标，无法计算达成率，不计提'
            when 'per_unit' then concat(metric_name_zh, '：', {{ value }}, ' × ', {{ unit_pay }}, ' = ', {{ amount }})
            when 'cap' then concat('封顶 ', {{ base }}, '：', {{ amount }})
            else concat('本期', metric_name_zh, '：', {{ value }})
        end as line_zh
    from earned
)

select * from final

-- Grain: one line of a pay slip by a rule, but for what is taken back: credit, conditions, earnings, cap.
{% set keys = ['user_id', 'rule_id', 'period_kind', 'period_start_on', 'plan_version', 'original_period_start_on'] %}
{% set columns = pay_line_columns() | reject('in', keys) | list %}
with

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
),

adjustments as (
    select
        adjustments.pay_no,
        1 as section_no,
        adjustments.place,
        adjustments.line_kind,
        cast(null as decimal(18, 6)) as tier_from,
        cast(null as decimal(18, 6)) as tier_to,
        adjustments.credit_hundredths as base_hundredths,
        cast(null as decimal(18, 6)) as rate,
        cast(0 as bigint) as amount_cents,
        adjustments.record_id,
        adjustments.cancelled_on,
        {% set credit = value_text('adjustments.credit_hundredths', 'entitled.unit') %}
        {% set value = value_text('adjustments.value_hundredths', 'entitled.unit') %}
        {% set lost = value_text('-adjustments.value_hundredths', 'entitled.unit') %}
        {% set part = part_text('adjustments.credit_hundredths', 'adjustments.value_hundredths') %}
        case adjustments.line_kind
            when 'after_leaving' then concat('Booked after the last day, ', entitled.left_on, ': ', {{ credit }})
            when 'cancelled'
                then concat(
                    adjustments.record_id, ' of ', adjustments.booked_on, ', cancelled on ', adjustments.cancelled_on,
                    ': ', {{ credit }}
                )
            when 'restored'
                then concat(
                    adjustments.record_id, ' of ', adjustments.booked_on, ': ', {{ credit }},
                    ' counted when this was paid; cancelled on ', adjustments.cancelled_on, ' and taken back there'
                )
            when 'split_given'
                then concat(
                    adjustments.record_id, ', credit given: ', {{ lost }}, ' × ', {{ part }}, ' = ', {{ credit }}
                )
            else concat(
                adjustments.record_id, ', credit received: ', {{ value }}, ' × ', {{ part }}, ' = ', {{ credit }}
            )
        end as line_en,
        case adjustments.line_kind
            when 'after_leaving' then concat('离职（', entitled.left_on, '）后发生，不计入：', {{ credit }})
            when 'cancelled'
                then concat(
                    adjustments.record_id, '（', adjustments.booked_on, '）已于 ', adjustments.cancelled_on,
                    ' 取消，不计入：', {{ credit }}
                )
            when 'restored'
                then concat(
                    adjustments.record_id, '（', adjustments.booked_on, '）发放时已计入：', {{ credit }}, '；',
                    adjustments.cancelled_on, ' 取消，在取消当期扣回'
                )
            when 'split_given'
                then concat(adjustments.record_id, ' 业绩分出：', {{ lost }}, ' × ', {{ part }}, ' = ', {{ credit }})
            else concat(adjustments.record_id, ' 业绩分入：', {{ value }}, ' × ', {{ part }}, ' = ', {{ credit }})
        end as line_zh
    from {{ ref('int_incentive_adjustments') }} as adjustments
    inner join entitled on adjustments.pay_no = entitled.pay_no
),

conditions as (
    select
        *,
        {% set measured = value_text('actual_hundredths', 'unit') %}
        {% set wanted = value_text('value_at_least_hundredths', 'unit') %}
        case
            when attainment_at_least is null then coalesce({{ measured }}, '–')
            when target_hundredths > 0 then {{ percent_of_text('actual_hundredths', 'target_hundredths') }}
        end as found_text,
        case when attainment_at_least is null then {{ wanted }} else {{ percent_text('attainment_at_least') }} end
            as wanted_text
    from {{ ref('int_incentive_conditions') }}
),

condition_lines as (
    select
        pay_no,
        2 as section_no,
        condition_no as place,
        'condition' as line_kind,
        cast(null as decimal(18, 6)) as tier_from,
        cast(null as decimal(18, 6)) as tier_to,
        actual_hundredths as base_hundredths,
        cast(null as decimal(18, 6)) as rate,
        cast(0 as bigint) as amount_cents,
        cast(null as {{ dbt.type_string() }}) as record_id,
        cast(null as date) as cancelled_on,
        concat(
            'Condition: ', metric_name_en, case when attainment_at_least is null then '' else ', attainment' end,
            ' of at least ', wanted_text, '; found ', coalesce(found_text, 'no target'),
            case when is_met then ': met' else ': not met, the rule pays nothing' end
        ) as line_en,
        concat(
            '条件：', metric_name_zh, case when attainment_at_least is null then '' else '达成率' end,
            '不低于 ', wanted_text, '，实际 ', coalesce(found_text, '无目标'),
            case when is_met then '：满足' else '：未满足，本规则不计发' end
        ) as line_zh
    from conditions
),

unioned as (
    select
        {{ each_column(['pay_no'] + columns) }}
    from adjustments

    union all

    select
        {{ each_column(['pay_no'] + columns) }}
    from condition_lines

    union all

    select
        {{ each_column(['pay_no'] + columns) }}
    from {{ ref('int_incentive_earned_lines') }}
),

final as (
    select
        entitled.user_id,
        entitled.rule_id,
        entitled.period_kind,
        entitled.period_start_on,
        entitled.plan_version,
        cast(null as date) as original_period_start_on,
        {{ each_column(columns, 'unioned') }}
    from unioned
    inner join entitled on unioned.pay_no = entitled.pay_no
)

select * from final

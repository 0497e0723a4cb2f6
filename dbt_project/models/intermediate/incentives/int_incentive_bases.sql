-- Grain: one person, rule and pay period: target, value and the value that is credited, in hundredths.
with

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
),

attainment as (
    select * from {{ ref('int_attainment_cells') }}
),

adjusted as (
    select
        pay_no,
        sum(credit_hundredths) as credit_hundredths
    from {{ ref('int_incentive_adjustments') }}
    group by pay_no
),

-- Splits shift what is credited here, and so the tier; the target credit of the nodes stays where the deals are.
final as (
    select
        entitled.pay_no,
        attainment.base_hundredths as target_hundredths,
        coalesce(attainment.actual_hundredths, 0) as actual_hundredths,
        coalesce(attainment.actual_hundredths, 0) + cast(coalesce(adjusted.credit_hundredths, 0) as bigint)
            as credited_hundredths
    from entitled
    left join attainment
        on entitled.metric = attainment.metric
            and entitled.period_kind = attainment.period_kind
            and entitled.period_start_on = attainment.period_start_on
            and entitled.result_node_key = attainment.node_key
    left join adjusted on entitled.pay_no = adjusted.pay_no
)

select * from final

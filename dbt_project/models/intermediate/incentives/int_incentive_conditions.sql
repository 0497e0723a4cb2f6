-- Grain: one condition of one person's rule in one pay period, and whether it holds.
with

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
),

conditions as (
    select * from {{ ref('stg_night__incentive_conditions') }}
),

attainment as (
    select * from {{ ref('int_attainment_cells') }}
),

records as (
    select * from {{ ref('int_credit_records') }}
    where cancelled_on is not null
),

ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

-- As it was when the period ended: with what was cancelled after, without what was cancelled by then.
restored as (
    select
        entitled.pay_no,
        conditions.condition_no,
        sum(case when records.is_in_actuals then -records.hundredths else records.hundredths end) as hundredths
    from entitled
    inner join conditions
        on entitled.plan_version = conditions.plan_version and entitled.rule_id = conditions.rule_id
    inner join ancestors on entitled.result_node_key = ancestors.ancestor_node_key
    inner join records
        on conditions.metric = records.metric
            and ancestors.node_key = records.node_key
            and records.booked_on between entitled.period_start_on and entitled.period_end_on
            and records.booked_on between ancestors.valid_from and ancestors.valid_to
    where records.is_in_actuals = (records.cancelled_on <= entitled.period_end_on)
    group by entitled.pay_no, conditions.condition_no
),

measured as (
    select
        entitled.pay_no,
        conditions.condition_no,
        conditions.metric_name_en,
        conditions.metric_name_zh,
        conditions.unit,
        conditions.attainment_at_least,
        conditions.value_at_least_hundredths,
        attainment.base_hundredths as target_hundredths,
        case
            when conditions.unit = 'percent' then attainment.actual_hundredths
            else coalesce(attainment.actual_hundredths, 0) + cast(coalesce(restored.hundredths, 0) as bigint)
        end as actual_hundredths
    from entitled
    inner join conditions
        on entitled.plan_version = conditions.plan_version and entitled.rule_id = conditions.rule_id
    left join attainment
        on conditions.metric = attainment.metric
            and entitled.period_kind = attainment.period_kind
            and entitled.period_start_on = attainment.period_start_on
            and entitled.result_node_key = attainment.node_key
    left join restored
        on entitled.pay_no = restored.pay_no and conditions.condition_no = restored.condition_no
),

-- What cannot be measured does not hold: an attainment without a target, a rate without a denominator.
final as (
    select
        *,
        coalesce(
            case
                when attainment_at_least is null then actual_hundredths >= value_at_least_hundredths
                when target_hundredths > 0
                    then actual_hundredths >= {{ value_at('attainment_at_least', 'target_hundredths') }}
            end,
            false
        ) as is_met
    from measured
)

select * from final

-- Grain: one person, rule and pay period, and one record whose credit there is not simply the metric's value.
with

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
),

records as (
    select * from {{ ref('int_credit_records') }}
),

shares as (
    select * from {{ ref('int_credit_shares') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

-- The result of a node is of all who stood below it when they booked; of a rep, his own.
of_nodes as (
    select
        entitled.pay_no,
        records.record_no,
        'node' as part,
        records.hundredths as value_hundredths,
        case
            when entitled.role = 'rep' then coalesce(shares.credit_hundredths, records.hundredths)
            else records.hundredths
        end as credit_hundredths
    from entitled
    inner join ancestors on entitled.result_node_key = ancestors.ancestor_node_key
    inner join records
        on entitled.metric = records.metric
            and ancestors.node_key = records.node_key
            and records.booked_on between entitled.period_start_on and entitled.period_end_on
            and records.booked_on between ancestors.valid_from and ancestors.valid_to
    left join shares
        on records.record_no = shares.record_no
            and entitled.plan_version = shares.plan_version
            and entitled.user_id = shares.user_id
            and shares.is_owner
    where records.booked_on <= coalesce(entitled.left_on, records.booked_on)
),

received as (
    select
        entitled.pay_no,
        records.record_no,
        'received' as part,
        records.hundredths as value_hundredths,
        shares.credit_hundredths
    from entitled
    inner join shares on entitled.plan_version = shares.plan_version and entitled.user_id = shares.user_id
    inner join records
        on shares.record_no = records.record_no
            and entitled.metric = records.metric
            and records.booked_on between entitled.period_start_on and entitled.period_end_on
    where
        entitled.role = 'rep'
        and not shares.is_owner
        and records.booked_on <= coalesce(entitled.left_on, records.booked_on)
),

unioned as (
    select * from of_nodes
    union all
    select * from received
),

-- A record counts in a period unless it was cancelled by the period's end: then it was never paid on.
final as (
    select
        unioned.pay_no,
        unioned.record_no,
        unioned.part,
        records.shown_id,
        records.booked_on,
        records.cancelled_on,
        records.is_in_actuals,
        coalesce(records.cancelled_on > entitled.period_end_on, true) as is_paid_on,
        unioned.value_hundredths,
        unioned.credit_hundredths
    from unioned
    inner join entitled on unioned.pay_no = entitled.pay_no
    inner join records on unioned.record_no = records.record_no
)

select * from final

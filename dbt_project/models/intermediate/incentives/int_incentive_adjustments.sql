-- Grain: one reason why a person's credited value in a pay period is not the metric's value of his node.
with

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
),

credits as (
    select * from {{ ref('int_incentive_credits') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

actuals as (
    select * from {{ ref('int_actuals_daily') }}
),

-- Who leaves is paid for what was booked until then.
after_leaving as (
    select
        entitled.pay_no,
        cast(-sum(actuals.hundredths) as bigint) as credit_hundredths
    from entitled
    inner join ancestors on entitled.result_node_key = ancestors.ancestor_node_key
    inner join actuals
        on entitled.metric = actuals.metric
            and ancestors.node_key = actuals.node_key
            and actuals.happened_on between ancestors.valid_from and ancestors.valid_to
            and actuals.happened_on between entitled.period_start_on and entitled.period_end_on
            and entitled.left_on < actuals.happened_on
    where entitled.unit <> 'percent'
    group by entitled.pay_no
    having sum(actuals.hundredths) <> 0
),

unioned as (
    select
        pay_no,
        1 as kind_no,
        'after_leaving' as line_kind,
        cast(null as {{ dbt.type_string() }}) as record_id,
        cast(null as bigint) as value_hundredths,
        credit_hundredths,
        cast(null as date) as booked_on,
        cast(null as date) as cancelled_on
    from after_leaving

    union all

    select
        pay_no,
        2 as kind_no,
        'cancelled' as line_kind,
        shown_id as record_id,
        value_hundredths,
        -value_hundredths as credit_hundredths,
        booked_on,
        cancelled_on
    from credits
    where part = 'node' and is_in_actuals and not is_paid_on

    union all

    select
        pay_no,
        3 as kind_no,
        'restored' as line_kind,
        shown_id as record_id,
        value_hundredths,
        value_hundredths as credit_hundredths,
        booked_on,
        cancelled_on
    from credits
    where part = 'node' and not is_in_actuals and is_paid_on

    union all

    select
        pay_no,
        case when part = 'node' then 4 else 5 end as kind_no,
        case when part = 'node' then 'split_given' else 'split_received' end as line_kind,
        shown_id as record_id,
        value_hundredths,
        credit_hundredths - case when part = 'node' then value_hundredths else 0 end as credit_hundredths,
        booked_on,
        cast(null as date) as cancelled_on
    from credits
    where is_paid_on and (part = 'received' or credit_hundredths <> value_hundredths)
),

final as (
    select
        unioned.*,
        row_number() over (
            partition by unioned.pay_no order by unioned.kind_no, unioned.booked_on, unioned.record_id
        ) as place
    from unioned
)

select * from final

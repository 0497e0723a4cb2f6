-- Grain: one row per metric of closed deals × rep node × day: what was won and lost.
with

-- The money of won deals is kept for their mean: bookings may come from contracts or order lines.
closed as (
    select
        node_no,
        closed_on as happened_on,
        is_won,
        coalesce(sum(amount_cents), 0) as amount_cents,
        count(amount_cents) as n_amounts,
        count(*) as n
    from {{ ref('int_opportunities') }}
    where not is_deleted and is_closed
    group by node_no, closed_on, is_won
),

measured as (
    select
        case when is_won then 'won_count' else 'lost_count' end as metric,
        node_no,
        happened_on,
        n * 100 as hundredths,
        n
    from closed

    union all

    select
        'won_amount' as metric,
        node_no,
        happened_on,
        amount_cents as hundredths,
        n_amounts as n
    from closed
    where is_won
),

final as (
    select
        metric,
        node_no,
        happened_on,
        cast(hundredths as bigint) as hundredths,
        cast(n as integer) as n
    from measured
)

select * from final

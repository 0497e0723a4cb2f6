-- Grain: one period (month, quarter, fiscal year), node and segment ('all' and each) in which a deal closed.

with days as (

    select
        day,
        month_no
    from {{ ref('int_fiscal_days') }}

),

run as (

    select
        nights.as_of_date,
        nights.run_id,
        days.month_no
    from {{ ref('stg_night__run') }} as nights
    inner join days on nights.as_of_date = days.day

),

outcomes as (

    select
        outcomes.*,
        case when outcomes.period_end_on <= run.as_of_date then days.month_no else run.month_no end as last_month_no
    from {{ ref('int_win_outcomes_rolled_up') }} as outcomes
    cross join run
    left join days on outcomes.period_end_on = days.day
    where outcomes.won_count + outcomes.lost_count > 0

),

cycles as (

    select * from {{ ref('int_won_cycles_by_segment') }}

),

-- One row a month of each span: months are few, and are found by equality where spans would have to be searched.
open_deals as (

    select
        spans.node_no,
        spans.segment_no,
        {{ each_number('spans.first_month_no', 'coalesce(spans.past_month_no, run.month_no + 1)') }} as month_no,
        spans.open_n
    from {{ ref('int_qualified_open_monthly') }} as spans
    cross join run

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

segments as (

    select * from {{ ref('int_segments') }}

),

factors as (

    select
        outcomes.*,
        coalesce(open_deals.open_n, 0) as qualified_open_n,
        outcomes.won_count + outcomes.lost_count as closed_n,
        coalesce(cycles.cycle_n, 0) as cycle_n,
        cycles.median_cycle_days,
        -- Deals that closed on the day they began, or before it, have no speed.
        case when cycles.median_cycle_days > 0 then cycles.median_cycle_days end as days_per_deal
    from outcomes
    left join cycles
        on
            outcomes.period_kind = cycles.period_kind
            and outcomes.period_start_on = cycles.period_start_on
            and outcomes.node_no = cycles.node_no
            and outcomes.segment_no = cycles.segment_no
    left join open_deals
        on
            outcomes.node_no = open_deals.node_no
            and outcomes.segment_no = open_deals.segment_no
            and outcomes.last_month_no = open_deals.month_no

),

-- One division of exact numbers: open × (won ÷ closed) × (won cents ÷ priced) ÷ days.
final as (

    select
        factors.period_kind,
        factors.period_start_on,
        factors.period_end_on,
        factors.period_end_on <= run.as_of_date as is_over,
        nodes.node_key,
        segments.segment,
        cast(factors.qualified_open_n as bigint) as qualified_open_n,
        round({{ ratio('factors.won_count', 'factors.closed_n') }}, 6) as win_rate_close_n,
        cast(factors.closed_n as bigint) as closed_n,
        cast(round({{ ratio('factors.won_cents', 'factors.won_priced_n * 100') }}, 2) as decimal(18, 2))
            as mean_won_amount,
        cast(factors.won_priced_n as bigint) as won_priced_n,
        cast(factors.median_cycle_days as double) as median_cycle_days,
        cast(factors.cycle_n as bigint) as cycle_n,
        cast(
            round(
                {{ ratio(
                    'cast(factors.qualified_open_n as double) * factors.won_count * factors.won_cents',
                    'cast(factors.closed_n as double) * factors.won_priced_n * 100 * factors.days_per_deal'
                ) }}, 2
            ) as decimal(18, 2)
        ) as velocity,
        run.as_of_date,
        run.run_id
    from factors
    cross join run
    inner join segments on factors.segment_no = segments.segment_no
    inner join nodes on factors.node_no = nodes.node_no

)

select * from final

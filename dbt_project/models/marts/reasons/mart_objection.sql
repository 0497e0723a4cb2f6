-- Grain: one period of raising (quarter, fiscal year, all), node and cell of type, stage and response.

with run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

cells as (

    select
        *,
        resolved + lost as n,
        {{ wilson_bound('resolved', '(resolved + lost)', -1) }} as resolved_share_low,
        {{ wilson_bound('resolved', '(resolved + lost)', 1) }} as resolved_share_high,
        response not in ('all', '(none)') and resolved + lost > 0 as is_compared
    from {{ ref('int_objections_rolled_up') }}

),

settling as (

    select * from {{ ref('int_objection_settling') }}

),

-- Of the answers to one type of objection, the best is that whose share is high even if it was lucky.
ranked as (

    select
        *,
        rank() over (
            partition by period_kind, period_start_on, node_no, objection_type, stage, is_compared
            order by resolved_share_low desc
        ) as place
    from cells

),

final as (

    select
        ranked.period_kind,
        ranked.period_start_on,
        nodes.node_key,
        ranked.objection_type,
        ranked.stage,
        ranked.response,
        ranked.objections,
        ranked.resolved,
        ranked.lost,
        ranked.still_open,
        ranked.n,
        round({{ ratio('ranked.resolved', 'ranked.n') }}, 6) as resolved_share,
        ranked.resolved_share_low,
        ranked.resolved_share_high,
        case when ranked.is_compared then cast(ranked.place as integer) end as response_rank,
        settling.median_days as settle_median_days,
        settling.p80_days as settle_p80_days,
        coalesce(settling.n_event, 0) as n_settled_dated,
        coalesce(settling.n_censored, 0) as n_open_dated,
        ranked.open_median_days,
        ranked.deals,
        ranked.deals_won,
        ranked.deals_lost,
        round({{ ratio('ranked.deals_won', 'ranked.deals_won + ranked.deals_lost') }}, 6) as objection_win_rate,
        run.as_of_date,
        run.run_id
    from ranked
    cross join run
    inner join nodes on ranked.node_no = nodes.node_no
    left join settling
        on
            {{ same_outcome_cell('ranked', 'settling', ['objection_type', 'stage', 'response']) }}

)

select * from final

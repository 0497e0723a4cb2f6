-- Grain: one period of confirmation (quarter, fiscal year, all), node and cell of type, priority and stage.

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

    select * from {{ ref('int_requirement_outcomes_rolled_up') }}

),

stays as (

    select * from {{ ref('int_requirement_stays') }}

),

final as (

    select
        cells.period_kind,
        cells.period_start_on,
        nodes.node_key,
        cells.requirement_type,
        cells.priority,
        cells.stage,
        cells.requirements,
        cells.confirmed,
        cells.deals,
        cells.deals_won,
        cells.deals_lost,
        cells.deals - cells.deals_won - cells.deals_lost as deals_open,
        round({{ ratio('cells.deals_won', 'cells.deals_won + cells.deals_lost') }}, 6) as requirement_win_rate,
        stays.median_days as confirmed_stage_median_days,
        stays.p80_days as confirmed_stage_p80_days,
        coalesce(stays.n_event, 0) as n_confirmed_stage,
        coalesce(stays.n_censored, 0) as n_confirmed_stage_open,
        cells.win_median_days as confirmed_to_win_median_days,
        cells.n_win as n_confirmed_to_win,
        run.as_of_date,
        run.run_id
    from cells
    cross join run
    inner join nodes on cells.node_no = nodes.node_no
    left join stays
        on
            {{ same_outcome_cell('cells', 'stays', ['requirement_type', 'priority', 'stage']) }}

)

select * from final

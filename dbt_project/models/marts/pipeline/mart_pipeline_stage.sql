-- Grain: one period of entry (month, quarter, fiscal year), node, segment ('all' and each) and open stage.

with entries as (

    select * from {{ ref('int_stage_entries_rolled_up') }}

),

survival as (

    select * from {{ ref('int_stage_dwell_survival') }}

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

stages as (

    select
        stage_no,
        stage
    from {{ ref('stg_night__stages') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        entries.period_kind,
        entries.period_start_on,
        nodes.node_key,
        segments.segment,
        stages.stage,
        stages.stage_no,
        entries.entrants,
        entries.advanced,
        entries.won,
        entries.lost,
        entries.unresolved,
        entries.unresolved_next,
        round({{ ratio('entries.advanced', 'entries.entrants') }}, 6) as conv_next,
        round({{ ratio('entries.won', 'entries.entrants') }}, 6) as conv_win,
        entries.entrants as n,
        entries.n_spells,
        survival.dwell_median_days,
        survival.dwell_p80_days,
        survival.n_event as dwell_n_event,
        survival.n_censored as dwell_n_censored,
        run.as_of_date,
        run.run_id
    from entries
    cross join run
    inner join nodes on entries.node_no = nodes.node_no
    inner join segments on entries.segment_no = segments.segment_no
    inner join stages on entries.stage_no = stages.stage_no
    left join survival
        on
            entries.period_kind = survival.period_kind
            and entries.period_start_on = survival.period_start_on
            and entries.node_no = survival.node_no
            and entries.segment_no = survival.segment_no
            and entries.stage_no = survival.stage_no

)

select * from final

-- Grain: one stay of one opportunity in one open stage.

with spells as (

    select * from {{ ref('int_stage_spells') }}

),

opportunities as (

    select
        okey,
        opportunity_id
    from {{ ref('int_opportunities') }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

stages as (

    select * from {{ ref('stg_night__stages') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        opportunities.opportunity_id,
        spells.spell_no,
        stages.stage,
        spells.stage_no,
        nodes.node_key,
        spells.segment,
        spells.entered_on,
        spells.left_on,
        {{ days_between('spells.entered_on', 'coalesce(spells.left_on, run.as_of_date)') }} as dwell_days,
        spells.left_on is null as is_censored,
        spells.is_first_entry,
        spells.is_entry_assumed,
        next_stages.stage as next_stage,
        case
            when spells.left_on is null then 'open'
            when next_stages.is_won then 'won'
            when next_stages.is_closed then 'lost'
            when spells.next_stage_no = {{ gone_stage_no() }} then 'deleted'
            when spells.next_stage_no = {{ merged_stage_no() }} then 'merged'
            when spells.next_stage_no > spells.stage_no then 'advanced'
            else 'moved_back'
        end as outcome,
        run.as_of_date,
        run.run_id
    from spells
    cross join run
    inner join opportunities on spells.okey = opportunities.okey
    inner join nodes on spells.node_no = nodes.node_no
    inner join stages on spells.stage_no = stages.stage_no
    left join stages as next_stages on spells.next_stage_no = next_stages.stage_no

)

select * from final

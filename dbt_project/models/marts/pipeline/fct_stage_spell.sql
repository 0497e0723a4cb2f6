-- Grain: one stay of one opportunity in one open stage.

{{ config(materialized='view') }}

with spells as (

    select * from {{ in_version(ref('int_stage_spells_of_all_deals')) }}

),

opportunities as (

    select
        okey,
        opportunity_id
    from {{ in_version(ref('int_opportunities')) }}

),

segments as (

    select
        segment_no,
        segment
    from {{ in_version(ref('int_segments')) }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ in_version(ref('int_nodes')) }}

),

-- `place` counts the open stages alone; won lies behind the last of them, lost nowhere.
stages as (

    select
        stage,
        stage_no,
        is_closed,
        is_won,
        case
            when is_won then sum(case when is_closed then 0 else 1 end) over () + 1
            when not is_closed
                then sum(case when is_closed then 0 else 1 end) over (
                    order by stage_no rows between unbounded preceding and current row
                )
        end as place
    from {{ in_version(ref('stg_night__stages')) }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ in_version(ref('stg_night__run')) }}

),

final as (

    select
        opportunities.opportunity_id,
        spells.spell_no,
        stages.stage,
        spells.stage_no,
        nodes.node_key,
        segments.segment,
        spells.entered_on,
        spells.left_on,
        spells.dwell_days,
        spells.is_censored,
        spells.is_first_entry,
        spells.is_latest,
        previous_stages.stage as previous_stage,
        case
            when spells.previous_stage_no in ({{ gone_stage_no() }}, {{ merged_stage_no() }}) then 'restored'
            when previous_stages.stage_no is null then 'begun'
            when previous_stages.is_closed then 'reopened'
            when spells.previous_stage_no < spells.stage_no then 'advanced'
            else 'moved_back'
        end as entry_kind,
        next_stages.stage as next_stage,
        spells.is_entry_assumed,
        case
            when spells.left_on is null then 'open'
            when next_stages.is_won then 'won'
            when next_stages.is_closed then 'lost'
            when spells.next_stage_no = {{ gone_stage_no() }} then 'deleted'
            when spells.next_stage_no = {{ merged_stage_no() }} then 'merged'
            when spells.next_stage_no = {{ unknown_stage_no() }} then 'unknown'
            when spells.next_stage_no > spells.stage_no then 'advanced'
            else 'moved_back'
        end as outcome,
        cast(next_stages.place - stages.place as integer) as stages_moved,
        cast(
            case
                when next_stages.place > stages.place then next_stages.place - stages.place - 1
                when next_stages.place < stages.place then 0
            end as integer
        ) as stages_skipped,
        spells.is_deal_deleted,
        run.as_of_date,
        run.run_id
    from spells
    cross join run
    inner join opportunities on spells.okey = opportunities.okey
    inner join segments on spells.segment_no = segments.segment_no
    inner join nodes on spells.node_no = nodes.node_no
    inner join stages on spells.stage_no = stages.stage_no
    left join stages as previous_stages on spells.previous_stage_no = previous_stages.stage_no
    left join stages as next_stages on spells.next_stage_no = next_stages.stage_no

)

select * from final

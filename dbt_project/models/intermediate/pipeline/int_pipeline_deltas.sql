-- Grain: one node above reps, open stage, closing month and day on which the open pipeline of that cell changed.

{# Only the spans read it: counted where they are made, it is not written and read again. #}
{{ config(materialized='view') }}

with {{ parents_and_ancestors() }},

open_states as (

    {{ open_states(ref('int_opportunity_events'), ref('int_stage_win_rates')) }}

),

changes as (

    {{ comings_and_goings('open_states', 'event_on', 'next_on', 'day') }}

),

-- Summed for the node right above the rep first: that is much smaller than what its reps' deals did.
above_reps as (

    select
        parents.parent_node_no as node_no,
        changes.stage_no,
        changes.close_month_no,
        changes.day,
        {{ sum_each(['open_count', 'amount_cents', 'weighted_cents'], 'changes') }}
    from changes
    inner join parents on changes.node_no = parents.node_no
    group by parents.parent_node_no, changes.stage_no, changes.close_month_no, changes.day

),

-- A deal that is handed over, or gives way to one like it, changes nothing where both count.
final as (

    select
        ancestors.ancestor_node_no as node_no,
        above_reps.stage_no,
        above_reps.close_month_no,
        above_reps.day,
        {{ sum_each(['open_count', 'amount_cents', 'weighted_cents'], 'above_reps') }}
    from above_reps
    inner join ancestors on above_reps.node_no = ancestors.node_no
    group by ancestors.ancestor_node_no, above_reps.stage_no, above_reps.close_month_no, above_reps.day
    having sum(above_reps.open_count) <> 0 or sum(above_reps.amount_cents) <> 0 or sum(above_reps.weighted_cents) <> 0

)

select * from final

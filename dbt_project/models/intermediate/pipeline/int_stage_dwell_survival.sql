-- Grain: one quarter of entry, node, segment (all and, above reps, each) and open stage: how long deals stay in it.

with dates as (

    select
        day,
        quarter_start_on
    from {{ ref('int_dates') }}

),

{{ parents_and_ancestors() }},

spells as (

    select
        spells.node_no,
        spells.segment_no,
        spells.stage_no,
        dates.quarter_start_on,
        spells.dwell_days,
        spells.is_censored
    from {{ ref('int_stage_spells_of_all_deals') }} as spells
    inner join dates on spells.entered_on = dates.day
    -- Of deals first seen on their way, only those that stay long are seen: their dwell would bias the estimate upward.
    where not spells.is_entry_assumed

),

-- A single rep's quarter in one segment holds too few deals to say how long they stay; reps have all together.
rep_cells as (

    select
        node_no,
        stage_no,
        quarter_start_on,
        {{ quantile_of('dwell_days', 0.5) }} as median_days,
        {{ quantile_of('dwell_days', 0.8) }} as p80_days,
        min(case when is_censored then dwell_days end) as first_censored_days,
        count(case when not is_censored then 1 end) as n_event,
        count(case when is_censored then 1 end) as n_censored
    from spells
    group by node_no, stage_no, quarter_start_on

),

-- Before the first censored stay all that went have ended, and what Kaplan and Meier multiply cancels out to the plain
-- share that is left. A quantile of all stays that is shorter than it is therefore the one of the curve.
settled as (

    select * from rep_cells
    where first_censored_days is null or p80_days < first_censored_days

),

unsettled as (

    select * from rep_cells
    where p80_days >= first_censored_days

),

-- Deals of one length are one row from here on.
of_reps as (

    select
        spells.node_no,
        spells.stage_no,
        spells.quarter_start_on,
        spells.dwell_days,
        cast(count(case when not spells.is_censored then 1 end) as integer) as n_event,
        cast(count(case when spells.is_censored then 1 end) as integer) as n_censored
    from spells
    inner join unsettled
        on
            spells.node_no = unsettled.node_no
            and spells.stage_no = unsettled.stage_no
            and spells.quarter_start_on = unsettled.quarter_start_on
    group by spells.node_no, spells.stage_no, spells.quarter_start_on, spells.dwell_days

),

-- What is summed for the node above the rep is much smaller, and goes on to all nodes above that one.
above_reps as (

    select
        parents.parent_node_no as node_no,
        spells.segment_no,
        spells.stage_no,
        spells.quarter_start_on,
        spells.dwell_days,
        count(case when not spells.is_censored then 1 end) as n_event,
        count(case when spells.is_censored then 1 end) as n_censored
    from spells
    inner join parents on spells.node_no = parents.node_no
    group by parents.parent_node_no, spells.segment_no, spells.stage_no, spells.quarter_start_on, spells.dwell_days

),

by_node as (

    select
        ancestors.ancestor_node_no as node_no,
        above_reps.segment_no,
        above_reps.stage_no,
        above_reps.quarter_start_on,
        above_reps.dwell_days,
        sum(above_reps.n_event) as n_event,
        sum(above_reps.n_censored) as n_censored
    from above_reps
    inner join ancestors on above_reps.node_no = ancestors.node_no
    group by
        ancestors.ancestor_node_no, above_reps.segment_no, above_reps.stage_no, above_reps.quarter_start_on,
        above_reps.dwell_days

),

{{ with_all_segments(['stage_no', 'quarter_start_on', 'dwell_days'], ['n_event', 'n_censored']) }},

-- Small numbers, of which the curve carries many.
counted as (

    select
        node_no,
        segment_no,
        stage_no,
        quarter_start_on,
        dwell_days,
        cast(n_event as integer) as n_event,
        cast(n_censored as integer) as n_censored
    from segmented

    union all

    select
        node_no,
        {{ all_segments_no() }} as segment_no,
        stage_no,
        quarter_start_on,
        dwell_days,
        n_event,
        n_censored
    from of_reps

),

{{ kaplan_meier('counted', ['node_no', 'segment_no', 'stage_no', 'quarter_start_on'], 'dwell_days') }},

estimated as (

    select
        node_no,
        segment_no,
        stage_no,
        quarter_start_on,
        min(case when share_lasting <= 0.5 then dwell_days end) as median_days,
        min(case when share_lasting <= 0.2 then dwell_days end) as p80_days,
        sum(n_event) as n_event,
        sum(n_censored) as n_censored
    from survival
    group by node_no, segment_no, stage_no, quarter_start_on

    union all

    select
        node_no,
        {{ all_segments_no() }} as segment_no,
        stage_no,
        quarter_start_on,
        median_days,
        p80_days,
        n_event,
        n_censored
    from settled

),

final as (

    select
        node_no,
        segment_no,
        stage_no,
        'quarter' as period_kind,
        quarter_start_on as period_start_on,
        cast(median_days as integer) as dwell_median_days,
        cast(p80_days as integer) as dwell_p80_days,
        cast(n_event as bigint) as n_event,
        cast(n_censored as bigint) as n_censored
    from estimated

)

select * from final

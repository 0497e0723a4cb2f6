-- Grain: one stay of one opportunity in one open stage, of deals that are gone tonight among them.

{{ config(database=target.database, schema='basis') }}

-- A stale deal that somebody clears away has stayed long: without the stays of deals that are gone, stages would look
-- quicker than they are. Such a stay is censored on the day the record went.

with stages as (

    select
        stage_no,
        is_closed,
        is_won,
        cast(power(2, stage_no) as bigint) as stage_bit
    from {{ ref('stg_night__stages') }}

),

-- With each, those in which a deal has come further than in it: the open ones after it, and won. Lost is nowhere.
open_stages as (

    select
        stages.stage_no,
        stages.stage_bit,
        coalesce(cast(sum(others.stage_bit) as bigint), 0) as further_bits
    from stages
    left join stages as others
        on others.is_won or (not others.is_closed and stages.stage_no < others.stage_no)
    where not stages.is_closed
    group by stages.stage_no, stages.stage_bit

),

opportunities as (

    select
        okey,
        segment_no,
        is_closed,
        is_won,
        is_deleted,
        closed_on
    from {{ ref('int_opportunities') }}

),

run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

entries as (

    select
        events.okey,
        events.event_no,
        events.event_on,
        events.stage_no,
        events.previous_stage_no,
        events.node_no,
        events.is_entry_assumed,
        not coalesce(stages.is_closed, true) as is_open,
        stages.stage_bit
    from {{ ref('int_opportunity_events') }} as events
    -- A deal that is gone, or merged, leaves its stage as one that moves on does.
    left join stages on events.stage_no = stages.stage_no
    where events.stage_no <> events.previous_stage_no

),

stays as (

    select
        okey,
        stage_no,
        previous_stage_no,
        node_no,
        event_on as entered_on,
        is_entry_assumed,
        lead(event_on) over by_time as left_on,
        lead(stage_no) over by_time as next_stage_no,
        count(case when is_open then 1 end) over until_now as spell_no,
        coalesce(bit_or(stage_bit) over until_before, 0) as stages_before,
        coalesce(bit_or(stage_bit) over from_next, 0) as stages_after
    from entries
    window
        by_time as (partition by okey order by event_no),
        until_now as (partition by okey order by event_no rows between unbounded preceding and current row),
        until_before as (partition by okey order by event_no rows between unbounded preceding and 1 preceding),
        from_next as (partition by okey order by event_no rows between 1 following and unbounded following)

),

final as (

    select
        stays.okey,
        cast(stays.spell_no as integer) as spell_no,
        cast(stays.stage_no as integer) as stage_no,
        stays.entered_on,
        stays.is_entry_assumed,
        stays.left_on,
        cast(stays.previous_stage_no as integer) as previous_stage_no,
        cast(stays.next_stage_no as integer) as next_stage_no,
        {{ days_between('stays.entered_on', 'coalesce(stays.left_on, run.as_of_date)') }} as dwell_days,
        -- Nobody saw it leave: it is still there, or its record went while it was.
        stays.left_on is null or stays.next_stage_no in ({{ gone_stage_no() }}, {{ merged_stage_no() }}) as is_censored,
        (stays.stages_before & open_stages.stage_bit) = 0 as is_first_entry,
        (stays.stages_after & open_stages.stage_bit) = 0 as is_latest,
        (stays.stages_after & open_stages.further_bits) <> 0 as has_advanced,
        -- Whose deal it was when it entered.
        stays.node_no,
        opportunities.segment_no,
        opportunities.is_closed as is_deal_closed,
        opportunities.is_won as is_deal_won,
        opportunities.is_deleted as is_deal_deleted,
        opportunities.closed_on as deal_closed_on
    from stays
    cross join run
    inner join opportunities on stays.okey = opportunities.okey
    inner join open_stages on stays.stage_no = open_stages.stage_no

)

select * from final

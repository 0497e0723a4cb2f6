-- Grain: one time that a deal stood as won and then was reopened, lost or deleted, as it was last known as won.
with

stages as (
    select * from {{ ref('stg_night__stage_names') }}
),

merged as (
    select record_id
    from {{ ref('int_merged_records') }}
    where kind = 'opportunity'
),

deal_rows as (
    select * from {{ ref('stg_log__opportunities') }}
),

-- Only a deal that our nights saw change can have been won and then not.
changed as (
    select distinct opportunity_id
    from deal_rows
    where _change <> 'new'
),

read_rows as (
    select
        deal_rows.opportunity_id,
        deal_rows.owner_id,
        deal_rows.amount,
        deal_rows.currency,
        deal_rows.closed_on,
        deal_rows._observed_on,
        coalesce(stages.is_won, false) and deal_rows._change <> 'deleted' as is_won
    from deal_rows
    inner join changed on deal_rows.opportunity_id = changed.opportunity_id
    left join stages on deal_rows.stage = stages.stage
    left join merged on deal_rows.opportunity_id = merged.record_id
    -- What was merged into another deal lives on there.
    where merged.record_id is null
),

numbered as (
    select
        *,
        sum(case when is_won then 0 else 1 end) over (
            partition by opportunity_id order by _observed_on rows between unbounded preceding and current row
        ) as ends_before,
        lead(_observed_on) over (partition by opportunity_id order by _observed_on) as next_on,
        lead(is_won) over (partition by opportunity_id order by _observed_on) as is_next_won
    from read_rows
),

won_times as (
    select
        *,
        coalesce(closed_on, min(_observed_on) over (partition by opportunity_id, ends_before)) as booked_on
    from numbered
    where is_won
),

ends as (
    select
        *,
        lead(booked_on) over (partition by opportunity_id order by _observed_on) as next_booked_on,
        lead(_observed_on) over (partition by opportunity_id, booked_on order by _observed_on) is not null
            as is_booked_again
    from won_times
    where is_next_won is null or not is_next_won
),

-- A deal that is won again with a closing before it was reopened was won all the time: the reopening was a slip. So it
-- was with the same closing, even one to come: that is one booking, and only its last end counts.
final as (
    select
        opportunity_id,
        owner_id,
        amount,
        currency,
        booked_on,
        next_on as cancelled_on
    from ends
    where next_on is not null and not is_booked_again and (next_booked_on is null or next_booked_on >= next_on)
)

select * from final

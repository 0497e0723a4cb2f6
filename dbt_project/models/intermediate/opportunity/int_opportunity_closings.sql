-- Grain: one opportunity that is closed and whose source states no closing date: the day that is taken for it.

{#
    1. The CRM's history: the first row of its outcome, won or lost, since it last had another one. Of several stages
       that are won, the first says when.
    2. Else it lies between the last day on which our nights saw it without that outcome (or its creation) and the first
       on which they saw it closed. A date that the record stated that day and that lies there is the best estimate:
       the expected closing first, which most CRMs set to the real one, then the last change of the record.
    3. Else the first day on which our nights saw it closed. It is no estimate for a deal that was closed long before
       anybody looked: all of these would have closed on one day.
#}

with stages as (

    select
        stage,
        is_closed,
        is_won
    from {{ ref('stg_night__stage_names') }}

),

opportunities as (

    {{ current_rows('opportunity', with_deleted=true) }}

),

history as (

    {{ current_rows('opportunity_history') }}

),

undated as (

    select
        opportunities.opportunity_id,
        opportunities.stage,
        stages.is_won,
        opportunities.created_on
    from opportunities
    inner join stages on opportunities.stage = stages.stage
    where stages.is_closed and opportunities.closed_on is null

),

-- Of few deals, so that the whole history passes by once.
told as (

    select
        undated.opportunity_id,
        history.changed_at,
        history.changed_on,
        case
            when history.stage is not null then coalesce(stages.is_closed and stages.is_won = undated.is_won, false)
        end as is_closed
    from history
    inner join undated on history.opportunity_id = undated.opportunity_id
    left join stages on history.stage = stages.stage

),

told_elsewhere as (

    select
        opportunity_id,
        max(changed_at) as last_changed_at
    from told
    where not is_closed
    group by opportunity_id

),

recorded as (

    select
        told.opportunity_id,
        min(told.changed_on) as closed_on
    from told
    left join told_elsewhere on told.opportunity_id = told_elsewhere.opportunity_id
    where
        told.is_closed
        and (told_elsewhere.last_changed_at is null or told.changed_at > told_elsewhere.last_changed_at)
    group by told.opportunity_id

),

seen as (

    select
        undated.opportunity_id,
        undated.created_on,
        log_rows._observed_on as seen_on,
        coalesce(stages.is_closed and stages.is_won = undated.is_won, false) as is_closed,
        log_rows.expected_close_on,
        log_rows.modified_on
    from {{ ref('stg_log__opportunities') }} as log_rows
    inner join undated on log_rows.opportunity_id = undated.opportunity_id
    left join stages on log_rows.stage = stages.stage

),

seen_elsewhere as (

    select
        opportunity_id,
        max(seen_on) as last_seen_on
    from seen
    where not is_closed
    group by opportunity_id

),

seen_closed as (

    select
        seen.opportunity_id,
        min(seen.seen_on) as first_seen_on
    from seen
    left join seen_elsewhere on seen.opportunity_id = seen_elsewhere.opportunity_id
    where seen.is_closed and (seen_elsewhere.last_seen_on is null or seen.seen_on > seen_elsewhere.last_seen_on)
    group by seen.opportunity_id

),

bounded as (

    select
        seen.*,
        coalesce(seen_elsewhere.last_seen_on, seen.created_on) as not_before_on
    from seen
    inner join seen_closed
        on seen.opportunity_id = seen_closed.opportunity_id and seen.seen_on = seen_closed.first_seen_on
    left join seen_elsewhere on seen.opportunity_id = seen_elsewhere.opportunity_id

),

final as (

    select
        undated.opportunity_id,
        undated.stage,
        coalesce(
            recorded.closed_on,
            case
                when
                    bounded.expected_close_on <= bounded.seen_on
                    and bounded.expected_close_on >= coalesce(bounded.not_before_on, bounded.expected_close_on)
                    then bounded.expected_close_on
                when
                    bounded.modified_on <= bounded.seen_on
                    and bounded.modified_on >= coalesce(bounded.not_before_on, bounded.modified_on)
                    then bounded.modified_on
                else bounded.seen_on
            end
        ) as closed_on
    from undated
    inner join bounded on undated.opportunity_id = bounded.opportunity_id
    left join recorded on undated.opportunity_id = recorded.opportunity_id

)

select * from final

-- Grain: one closed state (opportunity and closing stage) for which the source states no closing date.

with closed_stages as (

    select stage
    from {{ ref('stg_night__stages') }}
    where is_closed

),

undated as (

    select
        opportunities.opportunity_id,
        opportunities.stage,
        min(opportunities._observed_on) as first_seen_closed_on
    from {{ ref('stg_log__opportunities') }} as opportunities
    inner join closed_stages on opportunities.stage = closed_stages.stage
    where opportunities.closed_on is null
    group by opportunities.opportunity_id, opportunities.stage

),

recorded as (

    select
        history.opportunity_id,
        history.stage,
        max(history.changed_on) as recorded_closed_on
    from {{ ref('stg_log__opportunity_history') }} as history
    inner join undated
        on history.opportunity_id = undated.opportunity_id and history.stage = undated.stage
    where history._change <> 'deleted'
    group by history.opportunity_id, history.stage

),

-- The CRM's own history knows the day; else the night that first saw the deal closed stands for it.
final as (

    select
        undated.opportunity_id,
        undated.stage,
        coalesce(recorded.recorded_closed_on, undated.first_seen_closed_on) as closed_on
    from undated
    left join recorded
        on undated.opportunity_id = recorded.opportunity_id and undated.stage = recorded.stage

)

select * from final

-- Grain: one lead in the CRM tonight that came in by the as-of date: how it was met and what became of it.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

leads as (

    {{ current_rows('lead') }}

),

{{ owner_nodes() }},

merged as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'opportunity' and not is_circular

),

opportunities as (

    select
        okey,
        opportunity_id,
        created_on,
        is_deleted,
        is_closed,
        is_won,
        amount_cents
    from {{ ref('int_opportunities') }}

),

working_days as (

    select
        day,
        sum(case when is_working_day then 1 else 0 end) over (
            order by day rows between unbounded preceding and current row
        ) as working_day_no
    from {{ ref('int_dates') }}

),

-- What lies after the as-of date has not happened: mistyped, or a later night's knowledge of a past one.
met as (

    select
        coalesce(reps.node_no, unassigned.node_no) as node_no,
        cells.cell_no,
        statuses.is_converted,
        statuses.is_taken_on,
        statuses.is_given_up,
        leads.created_at,
        leads.created_on,
        case
            when leads.first_touch_on <= run.as_of_date then leads.first_touch_at
            when leads.first_touch_on is null and first_activities.occurred_on <= run.as_of_date
                then first_activities.occurred_at
        end as touched_at,
        case
            when leads.first_touch_on <= run.as_of_date then leads.first_touch_on
            when leads.first_touch_on is null and first_activities.occurred_on <= run.as_of_date
                then first_activities.occurred_on
        end as touched_on,
        case when leads.converted_on <= run.as_of_date then leads.converted_on end as stated_converted_on,
        case when shown.shown_on > leads._first_observed_on then shown.shown_on end as shown_on,
        coalesce(merged.surviving_id, leads.opportunity_id) as opportunity_id,
        repeated.lead_id is null as is_first_of_deal,
        run.as_of_date
    from leads
    left join {{ ref('int_lead_cells') }} as cells
        on
            leads.source is not distinct from cells.source
            and leads.quality is not distinct from cells.quality
            and leads.industry is not distinct from cells.industry
            and leads.segment is not distinct from cells.segment
    left join {{ ref('int_lead_statuses') }} as statuses on leads.status = statuses.status
    cross join run
    cross join unassigned
    left join reps on leads.owner_id = reps.user_id
    left join {{ ref('int_lead_first_activities') }} as first_activities
        on leads.lead_id = first_activities.lead_id
    left join merged on leads.opportunity_id = merged.record_id
    left join {{ ref('int_leads_repeated') }} as repeated on leads.lead_id = repeated.lead_id
    left join {{ ref('int_leads_shown_qualified') }} as shown on leads.lead_id = shown.lead_id
    where leads.created_on <= run.as_of_date

),

judged as (

    select
        met.node_no,
        met.cell_no,
        met.created_on,
        met.created_at,
        met.touched_on,
        met.touched_at,
        met.shown_on,
        coalesce(met.stated_converted_on, opportunities.created_on) as converted_on,
        coalesce(
            met.stated_converted_on is not null or met.opportunity_id is not null or met.is_converted, false
        ) as is_converted,
        coalesce(met.is_taken_on, false) as is_taken_on,
        coalesce(met.is_given_up, false) as is_given_up,
        opportunities.okey is not null and not opportunities.is_deleted and met.is_first_of_deal as has_brought_deal,
        coalesce(opportunities.is_closed, false) as is_deal_closed,
        coalesce(opportunities.is_won, false) as is_deal_won,
        coalesce(opportunities.amount_cents, 0) as amount_cents
    from met
    left join opportunities
        on met.opportunity_id = opportunities.opportunity_id and met.as_of_date >= opportunities.created_on

),

-- Qualified on the day of conversion; else on the night that showed it where an earlier one did not; else on the day
-- it came in, for want of a better one.
final as (

    select
        judged.node_no,
        judged.cell_no,
        judged.created_on,
        judged.touched_on is not null as is_touched,
        {{ not_negative(minutes_between('judged.created_at', 'judged.touched_at')) }} as touch_minutes,
        {{ not_negative('touch_days.working_day_no - creation_days.working_day_no') }} as touch_working_days,
        judged.is_converted,
        judged.is_taken_on,
        judged.is_given_up and not judged.is_converted as is_disqualified,
        {{ not_negative(days_between('judged.created_on', 'judged.converted_on')) }} as days_to_conversion,
        case
            when judged.is_converted or judged.is_taken_on
                then
                    case
                        when judged.converted_on is not null then greatest(judged.converted_on, judged.created_on)
                        else coalesce(judged.shown_on, judged.created_on)
                    end
        end as qualified_on,
        judged.has_brought_deal,
        judged.is_deal_closed,
        judged.is_deal_won,
        judged.amount_cents
    from judged
    left join working_days as creation_days on judged.created_on = creation_days.day
    left join working_days as touch_days on judged.touched_on = touch_days.day

)

select * from final

-- Grain: one lead in the CRM tonight that came in by the as-of date: how it was met and what became of it.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

leads as (

    {{ current_rows('lead') }}

),

activities as (

    {{ current_rows('activity') }}

),

reps as (

    select
        user_id,
        node_no
    from {{ ref('int_nodes') }}
    where node_kind = 'rep'

),

unassigned as (

    select node_no
    from {{ ref('int_nodes') }}
    where node_key = {{ unassigned_node_key() }}

),

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

first_activities as (

    select
        lead_id,
        min(occurred_at) as occurred_at,
        min(occurred_on) as occurred_on
    from activities
    where lead_id is not null
    group by lead_id

),

-- What lies after the as-of date has not happened: mistyped, or a later night's knowledge of a past one.
met as (

    select
        leads.lead_id,
        coalesce(reps.node_no, unassigned.node_no) as node_no,
        {{ stated_value('leads.source') }} as source,
        {{ stated_value('leads.quality') }} as quality,
        {{ stated_value('leads.industry') }} as industry,
        {{ stated_value('leads.segment') }} as segment,
        leads.status,
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
        coalesce(merged.surviving_id, leads.opportunity_id) as opportunity_id
    from leads
    cross join run
    cross join unassigned
    left join reps on leads.owner_id = reps.user_id
    left join first_activities on leads.lead_id = first_activities.lead_id
    left join merged on leads.opportunity_id = merged.record_id
    where leads.created_on <= run.as_of_date

),

-- Of several leads that became one deal, the first brought it: the deal counts once. Most deals had one lead, so that
-- only those with more are put in order.
shared as (

    select opportunity_id
    from met
    where opportunity_id is not null
    group by opportunity_id
    having count(*) > 1

),

ranked as (

    select
        met.lead_id,
        row_number() over (partition by met.opportunity_id order by met.created_at, met.lead_id) as place
    from met
    inner join shared on met.opportunity_id = shared.opportunity_id

),

later as (

    select lead_id
    from ranked
    where place > 1

),

dated as (

    select
        met.*,
        coalesce(met.stated_converted_on, opportunities.created_on) as converted_on,
        opportunities.okey is not null and not opportunities.is_deleted and later.lead_id is null as has_brought_deal,
        coalesce(opportunities.is_closed, false) as is_deal_closed,
        coalesce(opportunities.is_won, false) as is_deal_won,
        coalesce(opportunities.amount_cents, 0) as amount_cents
    from met
    cross join run
    left join opportunities
        on met.opportunity_id = opportunities.opportunity_id and run.as_of_date >= opportunities.created_on
    left join later on met.lead_id = later.lead_id

),

judged as (

    select
        dated.*,
        dated.converted_on is not null
        or dated.opportunity_id is not null
        or {{ is_lead_status('dated.status', 'converted') }} as is_converted,
        {{ is_lead_status('dated.status', 'disqualified') }} as is_given_up,
        {{ is_lead_status('dated.status', 'qualified') }} as is_taken_on
    from dated

),

final as (

    select
        judged.lead_id,
        judged.node_no,
        judged.created_on,
        judged.source,
        judged.quality,
        judged.industry,
        judged.segment,
        judged.touched_on is not null as is_touched,
        {{ not_negative(minutes_between('judged.created_at', 'judged.touched_at')) }} as touch_minutes,
        {{ not_negative('touch_days.working_day_no - creation_days.working_day_no') }} as touch_working_days,
        coalesce(judged.is_converted, false) as is_converted,
        coalesce(judged.is_taken_on, false) as is_taken_on,
        coalesce(judged.is_given_up, false) and not coalesce(judged.is_converted, false) as is_disqualified,
        {{ not_negative(days_between('judged.created_on', 'judged.converted_on')) }} as days_to_conversion,
        judged.has_brought_deal,
        judged.is_deal_closed,
        judged.is_deal_won,
        judged.amount_cents
    from judged
    left join working_days as creation_days on judged.created_on = creation_days.day
    left join working_days as touch_days on judged.touched_on = touch_days.day

)

select * from final

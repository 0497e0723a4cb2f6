-- Grain: one rep node and week in which the rep did something: its activities, and the deals they were for.

with weeks as (

    select * from {{ ref('int_weeks') }}

),

reach as (

    select
        min(week_start_on) as starts_on,
        max(until_on) as ends_on
    from weeks

),

activities as (

    select * from {{ ref('int_activities') }}

),

{{ rep_nodes() }},

final as (

    select
        reps.node_no,
        {{ week_number('activities.occurred_on') }} as week_no,
        count(*) as activities,
        count(distinct activities.opportunity_id) as deals_touched
    from activities
    cross join reach
    inner join reps on activities.owner_id = reps.user_id
    where activities.occurred_on between reach.starts_on and reach.ends_on
    group by reps.node_no, {{ week_number('activities.occurred_on') }}

)

select * from final

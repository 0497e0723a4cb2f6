-- Grain: one opportunity that an activity was ever for: when it was last touched, and when it will be next.

{#
    An activity is for the deal it names; one that names only an account is for every deal of that account. What a
    merged record was touched for counts for the one that stands for it. Activities after the night are plans.
#}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

activities as (

    select * from {{ ref('int_activities') }}

),

merged as (

    select
        kind,
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where not is_circular

),

-- Of millions of activities, a row for each that they name: only these are looked up.
named as (

    select
        activities.opportunity_id,
        case when activities.opportunity_id is null then activities.account_id end as account_id,
        max(case when activities.occurred_on <= run.as_of_date then activities.occurred_on end) as touched_on,
        min(case when activities.occurred_on > run.as_of_date then activities.occurred_on end) as planned_on
    from activities
    cross join run
    group by
        activities.opportunity_id,
        case when activities.opportunity_id is null then activities.account_id end

),

by_account as (

    select
        coalesce(merged.surviving_id, named.account_id) as account_id,
        named.touched_on,
        named.planned_on
    from named
    left join merged on named.account_id = merged.record_id and merged.kind = 'account'
    where named.account_id is not null

),

placed as (

    select
        opportunities.okey,
        named.touched_on,
        named.planned_on
    from named
    left join merged on named.opportunity_id = merged.record_id and merged.kind = 'opportunity'
    inner join {{ ref('int_opportunities') }} as opportunities
        on coalesce(merged.surviving_id, named.opportunity_id) = opportunities.opportunity_id
    where not opportunities.is_deleted

    union all

    select
        opportunities.okey,
        by_account.touched_on,
        by_account.planned_on
    from {{ ref('int_opportunities') }} as opportunities
    inner join by_account on opportunities.account_id = by_account.account_id
    where not opportunities.is_deleted

),

final as (

    select
        okey,
        max(touched_on) as last_touch_on,
        min(planned_on) as next_activity_on
    from placed
    group by okey

)

select * from final

-- Grain: one open opportunity that an activity was ever for: when it was last touched, and when it will be next.

{#
    An activity is for the deal it names; one that names only an account is for every deal of that account. What a
    merged record was touched for counts for the one that stands for it. Activities after the night are plans. Most of
    millions of activities were for deals that are closed: what they name is looked up before anything is made of them.
#}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

names as (

    select
        kind,
        okey,
        named_id
    from {{ ref('int_deal_names') }}
    where is_open

),

by_account as (

    select
        activities.account_id,
        max(case when activities.occurred_on <= run.as_of_date then activities.occurred_on end) as touched_on,
        min(case when activities.occurred_on > run.as_of_date then activities.occurred_on end) as planned_on
    from {{ ref('int_activities') }} as activities
    cross join run
    where activities.opportunity_id is null and activities.account_id is not null
    group by activities.account_id

),

touched as (

    select
        names.okey,
        case when activities.occurred_on <= run.as_of_date then activities.occurred_on end as touched_on,
        case when activities.occurred_on > run.as_of_date then activities.occurred_on end as planned_on
    from {{ ref('int_activities') }} as activities
    cross join run
    inner join names on activities.opportunity_id = names.named_id and names.kind = 'opportunity'

    union all

    select
        names.okey,
        by_account.touched_on,
        by_account.planned_on
    from by_account
    inner join names on by_account.account_id = names.named_id and names.kind = 'account'

),

final as (

    select
        okey,
        max(touched_on) as last_touch_on,
        min(planned_on) as next_activity_on
    from touched
    group by okey

)

select * from final

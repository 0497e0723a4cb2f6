-- Grain: one opportunity that an activity was ever for: when it was last touched, and when it will be next.

{#
    An activity is for the deal it names; one that names only an account is for every deal of that account. What a
    merged record was touched for counts for the one that stands for it. Activities after the night are plans.
#}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

activities as (

    {{ current_rows('activity') }}

),

merged as (

    select
        kind,
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where not is_circular

),

opportunities as (

    select
        okey,
        opportunity_id,
        account_id
    from {{ ref('int_opportunities') }}
    where not is_deleted

),

dated as (

    select
        coalesce(merged_deals.surviving_id, activities.opportunity_id) as opportunity_id,
        case
            when activities.opportunity_id is null
                then coalesce(merged_accounts.surviving_id, activities.account_id)
        end as account_id,
        case when activities.occurred_on <= run.as_of_date then activities.occurred_on end as touched_on,
        case when activities.occurred_on > run.as_of_date then activities.occurred_on end as planned_on
    from activities
    cross join run
    left join merged as merged_deals
        on activities.opportunity_id = merged_deals.record_id and merged_deals.kind = 'opportunity'
    left join merged as merged_accounts
        on activities.account_id = merged_accounts.record_id and merged_accounts.kind = 'account'

),

by_deal as (

    select
        opportunity_id,
        max(touched_on) as touched_on,
        min(planned_on) as planned_on
    from dated
    where opportunity_id is not null
    group by opportunity_id

),

by_account as (

    select
        account_id,
        max(touched_on) as touched_on,
        min(planned_on) as planned_on
    from dated
    where account_id is not null
    group by account_id

),

placed as (

    select
        opportunities.okey,
        by_deal.touched_on,
        by_deal.planned_on
    from opportunities
    inner join by_deal on opportunities.opportunity_id = by_deal.opportunity_id

    union all

    select
        opportunities.okey,
        by_account.touched_on,
        by_account.planned_on
    from opportunities
    left join merged on opportunities.account_id = merged.record_id and merged.kind = 'account'
    inner join by_account on coalesce(merged.surviving_id, opportunities.account_id) = by_account.account_id

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

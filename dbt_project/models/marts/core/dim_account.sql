-- Grain: one account in the CRM tonight; one that was merged into another is that other one.

with accounts as (

    {{ current_rows('account') }}

),

merged as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'account'

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        accounts.account_id,
        accounts.name,
        accounts.industry,
        accounts.segment,
        accounts.size_band,
        accounts.region,
        accounts.owner_id,
        coalesce(parents.surviving_id, accounts.parent_id) as parent_id,
        accounts.created_on,
        accounts._first_observed_on as first_seen_on,
        run.as_of_date,
        run.run_id
    from accounts
    cross join run
    left join merged on accounts.account_id = merged.record_id
    left join merged as parents on accounts.parent_id = parents.record_id
    where coalesce(merged.surviving_id, accounts.account_id) = accounts.account_id

)

select * from final

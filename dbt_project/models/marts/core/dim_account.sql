-- Grain: one account in the CRM tonight.

with accounts as (

    {{ current_rows('account') }}

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
        accounts.parent_id,
        accounts.created_on,
        accounts._first_valid_from as first_seen_on,
        run.as_of_date,
        run.run_id
    from accounts
    cross join run

)

select * from final

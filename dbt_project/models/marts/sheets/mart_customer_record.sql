-- Grain: one contact of one customer, as a team's customer sheet keeps it.

with records as (

    {{ current_rows('customer_record') }}

),

merged as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'account'

),

accounts as (

    select
        account_id,
        name
    from {{ ref('dim_account') }}

),

{{ rep_nodes('node_key') }},

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        records.account_name as account_name_written,
        records.contact_name,
        coalesce(merged.surviving_id, records.account_id) as account_id,
        coalesce(accounts.name, records.account_name) as account_name,
        records.industry,
        records.size_band,
        records.contact_title,
        records.lead_source,
        records.status,
        records.owner_id,
        records.owner_name,
        coalesce(reps.node_key, {{ unassigned_node_key() }}) as node_key,
        records.first_contact_on,
        records.expected_close_on,
        records.remark,
        run.as_of_date,
        run.run_id
    from records
    cross join run
    left join merged on records.account_id = merged.record_id
    left join accounts on coalesce(merged.surviving_id, records.account_id) = accounts.account_id
    left join reps on records.owner_id = reps.user_id

)

select * from final

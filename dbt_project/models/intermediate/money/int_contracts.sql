-- Grain: one contract as of the night.

{{ config(database=target.database, schema='basis') }}

with run as (

    select * from {{ ref('stg_night__run') }}

),

contracts as (

    {{ current_rows('contract') }}

),

opportunities as (

    select
        opportunity_id,
        owner_id,
        account_id
    from {{ ref('int_opportunities') }}
    where not is_deleted

),

accounts as (

    {{ current_rows('account') }}

),

merged as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'account'

),

{{ owner_nodes() }},

rates as (

    select * from {{ ref('int_fx_rates_daily') }}

),

delivery_terms as (

    select * from {{ ref('stg_night__delivery_terms') }}

),

parsed_terms as (

    select
        payment_terms,
        count(*) as n_installments
    from {{ ref('stg_night__payment_terms') }}
    group by payment_terms

),

worked_days as (

    select
        day,
        row_number() over (order by day) as working_day_no
    from {{ ref('int_dates') }}
    where is_working_day

),

-- The last day that is worked up to the signature: working days of a delivery period count from there.
signature_days as (

    select
        contracts.contract_id,
        max(worked_days.working_day_no) as working_day_no
    from contracts
    inner join delivery_terms
        on contracts.delivery_terms = delivery_terms.delivery_terms and delivery_terms.delivery_unit = 'working'
    inner join worked_days on contracts.signed_on >= worked_days.day
    group by contracts.contract_id

),

placed as (

    select
        contracts.contract_id,
        contracts.opportunity_id,
        coalesce(merged.surviving_id, contracts.account_id, opportunities.account_id) as account_id,
        contracts.account_name,
        coalesce(contracts.owner_id, opportunities.owner_id) as owner_id,
        contracts.signed_on is not null and contracts.signed_on <= run.as_of_date as is_signed,
        contracts.signed_on,
        contracts.status,
        contracts.archive_status,
        contracts.payment_terms,
        contracts.delivery_terms,
        contracts.main_terms,
        contracts.amount as amount_original,
        contracts.cost,
        coalesce(contracts.currency, run.reporting_currency) as currency,
        least(coalesce(contracts.signed_on, run.as_of_date), run.as_of_date) as rate_on,
        coalesce(parsed_terms.n_installments, 0) as n_installments,
        case delivery_terms.delivery_unit
            when 'calendar' then {{ add_days('contracts.signed_on', 'delivery_terms.delivery_length') }}
            when 'month' then {{ add_months('contracts.signed_on', 'delivery_terms.delivery_length') }}
            when 'working' then worked_days.day
        end as delivery_due_on
    from contracts
    cross join run
    left join opportunities on contracts.opportunity_id = opportunities.opportunity_id
    left join merged on coalesce(contracts.account_id, opportunities.account_id) = merged.record_id
    left join parsed_terms on contracts.payment_terms = parsed_terms.payment_terms
    left join delivery_terms on contracts.delivery_terms = delivery_terms.delivery_terms
    left join signature_days on contracts.contract_id = signature_days.contract_id
    left join worked_days on signature_days.working_day_no + delivery_terms.delivery_length = worked_days.working_day_no

),

final as (

    select
        {{ dense_key('placed.contract_id') }} as contract_no,
        placed.contract_id,
        placed.opportunity_id,
        placed.account_id,
        placed.account_name,
        accounts.name as crm_account_name,
        placed.owner_id,
        coalesce(reps.node_no, unassigned.node_no) as node_no,
        placed.is_signed,
        placed.signed_on,
        placed.status,
        placed.archive_status,
        placed.payment_terms,
        placed.delivery_terms,
        placed.main_terms,
        placed.n_installments,
        placed.delivery_due_on,
        placed.amount_original,
        placed.currency,
        {{ reporting_cents('placed.amount_original', 'rates.rate', 'placed.currency', 'placed.rate_on') }}
            as amount_cents,
        {{ reporting_cents('placed.cost', 'rates.rate', 'placed.currency', 'placed.rate_on') }}
            as cost_cents
    from placed
    cross join unassigned
    left join accounts on placed.account_id = accounts.account_id
    left join reps on placed.owner_id = reps.user_id
    left join rates on placed.currency = rates.currency and placed.rate_on = rates.day

)

select * from final

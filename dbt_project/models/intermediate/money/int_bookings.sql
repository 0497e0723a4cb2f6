-- Grain: one booking up to the as-of date: a won opportunity, a signed contract or a line, as the settings say.

{{ config(database=target.database, schema='basis') }}

with run as (

    select * from {{ ref('stg_night__run') }}

),

{{ owner_nodes() }},

rates as (

    select * from {{ ref('int_fx_rates_daily') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}
    where not is_deleted

),

contracts as (

    {{ current_rows('contract') }}

),

line_items as (

    {{ current_rows('line_item') }}

),

merged as (

    select * from {{ ref('int_merged_records') }}

),

-- An unsigned contract has no date and is not booked.
documents as (

    select
        contracts.contract_id as booking_id,
        contracts.signed_on as booked_on,
        contracts.owner_id,
        contracts.opportunity_id,
        contracts.contract_id,
        cast(null as {{ dbt.type_string() }}) as line_item_id,
        contracts.account_id,
        cast(null as {{ dbt.type_string() }}) as product_id,
        contracts.amount,
        contracts.cost,
        contracts.currency
    from contracts
    inner join run on run.bookings_from = 'contract'
    where contracts.signed_on is not null

    union all

    select
        line_items.line_item_id as booking_id,
        line_items.booked_on,
        coalesce(line_items.owner_id, contracts.owner_id) as owner_id,
        line_items.opportunity_id,
        line_items.contract_id,
        line_items.line_item_id,
        coalesce(line_items.account_id, contracts.account_id) as account_id,
        line_items.product_id,
        line_items.amount,
        line_items.cost,
        line_items.currency
    from line_items
    inner join run on run.bookings_from = 'line_item'
    left join contracts on line_items.contract_id = contracts.contract_id

),

-- What a document does not say, its deal does; but a line without a product is not of the deal's main one.
priced as (

    select
        documents.booking_id,
        documents.booked_on,
        coalesce(documents.owner_id, opportunities.owner_id) as owner_id,
        coalesce(merged.surviving_id, documents.opportunity_id) as opportunity_id,
        documents.contract_id,
        documents.line_item_id,
        coalesce(documents.account_id, opportunities.account_id) as account_id,
        case when documents.line_item_id is null then opportunities.product_id else documents.product_id end
            as product_id,
        documents.amount,
        documents.cost,
        coalesce(documents.currency, run.reporting_currency) as currency,
        rates.rate
    from documents
    cross join run
    left join merged on documents.opportunity_id = merged.record_id and merged.kind = 'opportunity'
    left join opportunities
        on coalesce(merged.surviving_id, documents.opportunity_id) = opportunities.opportunity_id
    left join rates
        on coalesce(documents.currency, run.reporting_currency) = rates.currency and documents.booked_on = rates.day
    where documents.booked_on <= run.as_of_date

),

-- A deal has been converted already, at the rate of its closing day.
unioned as (

    select
        opportunities.opportunity_id as booking_id,
        opportunities.closed_on as booked_on,
        opportunities.owner_id,
        opportunities.opportunity_id,
        cast(null as {{ dbt.type_string() }}) as contract_id,
        cast(null as {{ dbt.type_string() }}) as line_item_id,
        opportunities.account_id,
        opportunities.product_id,
        opportunities.amount_cents,
        cast(null as bigint) as cost_cents,
        opportunities.amount_original,
        opportunities.currency
    from {{ ref('int_opportunities') }} as opportunities
    inner join run on run.bookings_from = 'opportunity'
    where opportunities.is_won and not opportunities.is_deleted

    union all

    select
        booking_id,
        booked_on,
        owner_id,
        opportunity_id,
        contract_id,
        line_item_id,
        account_id,
        product_id,
        {{ reporting_cents('amount', 'rate', 'currency', 'booked_on') }} as amount_cents,
        {{ reporting_cents('cost', 'rate', 'currency', 'booked_on') }} as cost_cents,
        amount as amount_original,
        currency
    from priced

),

final as (

    select
        run.bookings_from as booking_kind,
        unioned.booking_id,
        unioned.booked_on,
        coalesce(reps.node_no, unassigned.node_no) as node_no,
        unioned.owner_id,
        unioned.opportunity_id,
        unioned.contract_id,
        unioned.line_item_id,
        coalesce(merged.surviving_id, unioned.account_id) as account_id,
        unioned.product_id,
        unioned.amount_cents,
        unioned.amount_cents - unioned.cost_cents as margin_cents,
        unioned.amount_original,
        unioned.currency
    from unioned
    cross join run
    cross join unassigned
    left join reps on unioned.owner_id = reps.user_id
    left join merged on unioned.account_id = merged.record_id and merged.kind = 'account'
    where unioned.booked_on <= run.as_of_date

)

select * from final

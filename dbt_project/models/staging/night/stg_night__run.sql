-- Grain: the run.

{{ config(materialized='table', database=target.database, schema='basis') }}

with source as (

    select * from {{ source('night', 'run') }}

),

final as (

    select
        as_of_date,
        run_id,
        company_name,
        reporting_currency,
        fiscal_year_start_month,
        bookings_from
    from source

)

select * from final

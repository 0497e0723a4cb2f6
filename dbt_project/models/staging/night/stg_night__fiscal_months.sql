-- Grain: one month of the company's fiscal calendar.

{{ config(materialized='table', database=target.database, schema='basis') }}

with source as (

    select * from {{ source('night', 'fiscal_month') }}

),

final as (

    select
        month_no,
        month_start_on,
        month_end_on
    from source

)

select * from final

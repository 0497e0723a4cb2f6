-- Grain: one activity as it stands tonight.

{{ config(materialized='view') }}

with final as (

    select log_rows.*
    from {{ ref('stg_log__activities') }} as log_rows
    where not exists (
        select 1
        from {{ ref('int_activities_replaced') }} as replaced
        where log_rows._log_file = replaced._log_file and log_rows._log_row = replaced._log_row
    )

)

select * from final

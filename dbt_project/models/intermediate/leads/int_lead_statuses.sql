-- Grain: one status that leads have stated, on whatever night, and what it says.

with stated as (

    select distinct status
    from {{ ref('stg_log__leads') }}
    where status is not null

),

final as (

    select
        status,
        {{ is_lead_status('status', 'converted') }} as is_converted,
        {{ is_lead_status('status', 'qualified') }} as is_taken_on,
        {{ is_lead_status('status', 'disqualified') }} as is_given_up
    from stated

)

select * from final

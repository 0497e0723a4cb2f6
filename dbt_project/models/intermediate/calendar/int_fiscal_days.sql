-- Grain: one day, of all on which deals may ever be expected to close: the fiscal month that it is in.

with months as (

    select * from {{ ref('stg_night__fiscal_months') }}

),

days as (

    select
        month_no,
        month_start_on,
        {{ each_number('0', days_between('month_start_on', 'month_end_on') ~ ' + 1') }} as days_after
    from months

),

placed as (

    select
        month_no,
        cast({{ add_days('month_start_on', 'days_after') }} as date) as day
    from days

),

final as (

    select
        day,
        {{ day_number('day') }} as day_no,
        month_no
    from placed

)

select * from final

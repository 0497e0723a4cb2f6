-- Grain: one day of the calendar, with the working days from the calendar's beginning up to it.

{# Working days after day A up to and including day B are the difference of their numbers. #}

with final as (

    select
        day,
        cast(sum(case when is_working_day then 1 else 0 end) over (
            order by day rows between unbounded preceding and current row
        ) as integer) as working_day_no
    from {{ ref('int_dates') }}

)

select * from final

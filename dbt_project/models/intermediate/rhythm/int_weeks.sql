-- Grain: one ISO week of the last 39 that have begun: the 26 that are shown, and the 13 that their sums reach back to.

with run as (

    select
        as_of_date,
        {{ week_number('as_of_date') }} as running_week_no
    from {{ ref('stg_night__run') }}

),

days as (

    select
        dates.day,
        {{ week_number('dates.day') }} as week_no,
        dates.is_working_day,
        run.as_of_date,
        run.running_week_no
    from {{ ref('int_dates') }} as dates
    cross join run
    where dates.day >= {{ week_of_number('(run.running_week_no - 38)') }}

),

final as (

    select
        week_no,
        min({{ week_of_number('week_no') }}) as week_start_on,
        min({{ add_days(week_of_number('week_no'), 6) }}) as week_end_on,
        min(least({{ add_days(week_of_number('week_no'), 6) }}, as_of_date)) as until_on,
        min(running_week_no) = week_no and min(as_of_date) < min({{ add_days(week_of_number('week_no'), 6) }})
            as is_running,
        week_no > min(running_week_no) - 26 as is_shown,
        cast(sum(case when is_working_day then 1 else 0 end) as integer) as working_days,
        cast(sum(case when is_working_day and day <= as_of_date then 1 else 0 end) as integer) as working_days_passed
    from days
    where week_no <= running_week_no
    group by week_no

)

select * from final

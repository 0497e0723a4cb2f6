-- Grain: one day up to the as-of date, with the number of the published day on which its changes first show.

{% set daily_days = 100 %}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

-- Day by day for {{ daily_days }} days back, which holds the running quarter whole; before that, the ends of months.
days as (

    select
        dates.day,
        case
            when {{ days_between('dates.day', 'run.as_of_date') }} < {{ daily_days }} or dates.day = dates.month_end_on
                then 1
            else 0
        end as published_unit
    from {{ ref('int_dates') }} as dates
    inner join run on dates.day <= run.as_of_date

),

final as (

    select
        day,
        published_unit = 1 as is_published,
        cast(
            coalesce(sum(published_unit) over (order by day rows between unbounded preceding and 1 preceding), 0) + 1
            as integer
        ) as shows_on_day_no
    from days

)

select * from final

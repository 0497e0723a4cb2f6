-- Grain: one calendar, kind of period and day, with the number of working days that the period had had by the day.
{% set kinds = ['month', 'quarter', 'half', 'year'] %}
with days as (

    select * from {{ ref('stg_night__calendar_days') }}

),

-- A day that is not worked belongs to the working day before it.
final as (

    {% for kind in kinds %}
        select
            calendar,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            day,
            is_working_day,
            cast(
                sum(case when is_working_day then 1 else 0 end) over (
                    partition by calendar, {{ kind }}_start_on
                    order by day
                    rows between unbounded preceding and current row
                ) as integer
            ) as working_day_no
        from days
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final

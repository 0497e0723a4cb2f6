{#- Working days within a period, counted for each day of `placed` (int_dates). -#}

{#- Working days of the period up to the day and in all, and how many of its days the calendar holds. -#}
{% macro working_day_counts(period) -%}
    sum(placed.working_day_unit) over (
                partition by placed.{{ period }}_start_on
                order by placed.day
                rows between unbounded preceding and current row
            ) as {{ period }}_working_days_passed,
            sum(placed.working_day_unit) over (partition by placed.{{ period }}_start_on) as {{ period }}_working_days,
            count(*) over (partition by placed.{{ period }}_start_on) as {{ period }}_days_known
{%- endmacro %}

{#- A count of working days, null unless the calendar holds every day of the period. -#}
{% macro if_whole_period(period, count) -%}
    case
                when {{ period }}_days_known = {{ days_between(period ~ '_start_on', period ~ '_end_on') }} + 1
                    then cast({{ count }} as integer)
            end as {{ count }}
{%- endmacro %}

{#-
    Millionths of the working day `working_day_no` of a period that its share `elapsed_share` has reached: a straight line
    within the day, all of those before it, nothing of those after.
-#}
{% macro millionths_reached(elapsed_share, working_days, working_day_no) -%}
    cast(
            round(
                1000000 * greatest(least({{ elapsed_share }} * {{ working_days }} + 1 - {{ working_day_no }}, 1), 0), 0
            ) as integer
        )
{%- endmacro %}

{#- Calendar arithmetic that engines spell differently. Every argument is an SQL expression. -#}

{#- Days from `start` to `end`: 0 on the same day, negative when `end` is earlier. -#}
{% macro days_between(start, end) -%}
    {{ return(adapter.dispatch('days_between', 'planloop')(start, end)) }}
{%- endmacro %}

{% macro default__days_between(start, end) -%}
    datediff({{ end }}, {{ start }})
{%- endmacro %}

{% macro duckdb__days_between(start, end) -%}
    cast(({{ end }}) - ({{ start }}) as integer)
{%- endmacro %}


{#- Whole minutes from `start` to `end`, moments. -#}
{% macro minutes_between(start, end) -%}
    {{ return(adapter.dispatch('minutes_between', 'planloop')(start, end)) }}
{%- endmacro %}

{% macro default__minutes_between(start, end) -%}
    cast(floor((unix_timestamp({{ end }}) - unix_timestamp({{ start }})) / 60) as bigint)
{%- endmacro %}

{% macro duckdb__minutes_between(start, end) -%}
    date_sub('minute', {{ start }}, {{ end }})
{%- endmacro %}


{#- `date` moved by `months`, to the same day or the last of a shorter month. -#}
{% macro add_months(date, months) -%}
    {{ return(adapter.dispatch('add_months', 'planloop')(date, months)) }}
{%- endmacro %}

{% macro default__add_months(date, months) -%}
    add_months({{ date }}, {{ months }})
{%- endmacro %}

{% macro duckdb__add_months(date, months) -%}
    cast({{ date }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}


{#- `date` moved by `days`. -#}
{% macro add_days(date, days) -%}
    {{ return(adapter.dispatch('add_days', 'planloop')(date, days)) }}
{%- endmacro %}

{% macro default__add_days(date, days) -%}
    date_add({{ date }}, {{ days }})
{%- endmacro %}

{% macro duckdb__add_days(date, days) -%}
    ({{ date }} + cast({{ days }} as integer))
{%- endmacro %}


{#- Months since year 0: a small integer that orders and compares like the month itself. -#}
{% macro month_number(date) -%}
    cast(extract(year from {{ date }}) * 12 + extract(month from {{ date }}) - 1 as integer)
{%- endmacro %}

{#- First day of the month with this number. -#}
{% macro month_of_number(number) -%}
    {{ return(adapter.dispatch('month_of_number', 'planloop')(number)) }}
{%- endmacro %}

{% macro default__month_of_number(number) -%}
    make_date(cast(floor({{ number }} / 12) as int), cast(mod({{ number }}, 12) + 1 as int), 1)
{%- endmacro %}

{% macro duckdb__month_of_number(number) -%}
    make_date({{ number }} // 12, {{ number }} % 12 + 1, 1)
{%- endmacro %}


{#- Select-list expression that repeats its row for every whole number from `first` up to, but not including, `past_last`. -#}
{% macro each_number(first, past_last) -%}
    {{ return(adapter.dispatch('each_number', 'planloop')(first, past_last)) }}
{%- endmacro %}

{% macro default__each_number(first, past_last) -%}
    explode(sequence({{ first }}, {{ past_last }} - 1))
{%- endmacro %}

{% macro duckdb__each_number(first, past_last) -%}
    unnest(range({{ first }}, {{ past_last }}))
{%- endmacro %}


{#-
    A day as one integer, month number × 32 + day of the month: it orders like the day and takes half the room of two
    columns. 0 stands for "no day stated", and so does the month of it.
-#}
{% macro day_number(date) -%}
    cast(
        (extract(year from {{ date }}) * 12 + extract(month from {{ date }}) - 1) * 32 + extract(day from {{ date }})
        as integer
    )
{%- endmacro %}

{#- The month number within a day number. -#}
{% macro month_of_day(number) -%}
    {{ return(adapter.dispatch('month_of_day', 'planloop')(number)) }}
{%- endmacro %}

{% macro default__month_of_day(number) -%}
    cast({{ number }} div 32 as int)
{%- endmacro %}

{% macro duckdb__month_of_day(number) -%}
    ({{ number }} // 32)
{%- endmacro %}

{#- The day with this number. -#}
{% macro day_of_number(number) -%}
    {{ return(adapter.dispatch('day_of_number', 'planloop')(number)) }}
{%- endmacro %}

{% macro default__day_of_number(number) -%}
    make_date(
        cast({{ number }} div 384 as int), cast(mod({{ number }} div 32, 12) + 1 as int), cast(mod({{ number }}, 32) as int)
    )
{%- endmacro %}

{% macro duckdb__day_of_number(number) -%}
    make_date({{ number }} // 384, {{ number }} // 32 % 12 + 1, {{ number }} % 32)
{%- endmacro %}

-- Grain: one row per ended period that is looked back on: the day on which as much of it had passed as of tonight's.
{% set kinds = ['month', 'quarter', 'half', 'year'] %}
with

periods as (
    select * from {{ ref('int_calendar_periods') }}
    where is_company
),

running as (
    select
        period_kind,
        elapsed_share
    from periods
    where is_current and elapsed_share is not null
),

rules as (
    select * from {{ ref('stg_night__pace_rules') }}
),

dates as (
    select * from {{ ref('int_dates') }}
),

ended as (
    select
        *,
        row_number() over (partition by period_kind order by period_start_on desc) as periods_ago
    from periods
    where is_over and not is_current and working_days > 0
),

-- As many as make a curve of the pace: the newest of them.
chosen as (
    select
        ended.period_kind,
        ended.period_start_on,
        ended.period_end_on,
        cast(floor(running.elapsed_share * ended.working_days + 0.000001) as integer) as days_passed
    from ended
    inner join running on ended.period_kind = running.period_kind
    inner join rules on ended.period_kind = rules.period_kind
    where ended.periods_ago <= rules.min_periods
),

days as (
    {% for kind in kinds %}
        select
            day,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            {{ kind }}_working_days_passed as days_passed
        from dates
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

looked_at as (
    select
        chosen.period_kind,
        chosen.period_start_on,
        chosen.period_end_on,
        max(days.day) as point_on
    from chosen
    inner join days
        on chosen.period_kind = days.period_kind
            and chosen.period_start_on = days.period_start_on
            and chosen.days_passed >= days.days_passed
    group by chosen.period_kind, chosen.period_start_on, chosen.period_end_on
),

months as (
    select * from {{ ref('stg_night__fiscal_months') }}
),

final as (
    select
        cast(row_number() over (order by looked_at.point_on, looked_at.period_kind) as integer) as point_no,
        looked_at.period_kind,
        looked_at.period_start_on,
        looked_at.period_end_on,
        months.month_no as last_month_no,
        looked_at.point_on
    from looked_at
    inner join months on looked_at.period_end_on = months.month_end_on
)

select * from final

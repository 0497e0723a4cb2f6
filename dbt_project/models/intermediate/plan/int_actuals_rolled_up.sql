-- Grain: one row per metric × period × node in which something happened, up to and including the as-of date.
{% set kinds = ['month', 'quarter', 'half', 'year'] %}
{% set longer = kinds[1:] %}
with

runs as (
    select as_of_date from {{ ref('stg_night__run') }}
),

daily as (
    select * from {{ ref('int_actuals_daily') }}
),

dates as (
    select * from {{ ref('int_dates') }}
),

-- Where the rep stood on the day, so that no reorganisation moves what happened before it.
ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

-- Everybody is under the company all the time: its rows are the spans in which a person stood in one place.
spans as (
    select
        node_no,
        valid_from,
        valid_to
    from ancestors
    where ancestor_level = 0
),

months as (
    select distinct
        {% for kind in longer %}
            dates.{{ kind }}_start_on,
            max(dates.month_start_on) over (partition by dates.{{ kind }}_start_on)
            = dates.month_start_on as is_last_of_{{ kind }},
        {% endfor %}
        dates.month_start_on
    from dates
    cross join runs
    where dates.day <= runs.as_of_date
),

-- Millions of days become months before they are anybody else's.
of_reps as (
    select
        daily.metric,
        dates.month_start_on,
        daily.node_no,
        spans.valid_from as stood_from,
        sum(daily.hundredths) as hundredths,
        sum(daily.n) as n,
        sum(daily.denominator_hundredths) as denominator_hundredths
    from daily
    inner join dates on daily.happened_on = dates.day
    inner join spans
        on daily.node_no = spans.node_no
            and daily.happened_on between spans.valid_from and spans.valid_to
    group by daily.metric, dates.month_start_on, daily.node_no, spans.valid_from
),

monthly as (
    select
        of_reps.metric,
        of_reps.month_start_on,
        ancestors.ancestor_node_key as node_key,
        sum(of_reps.hundredths) as hundredths,
        sum(of_reps.n) as n,
        sum(of_reps.denominator_hundredths) as denominator_hundredths
    from of_reps
    inner join ancestors
        on of_reps.node_no = ancestors.node_no
            and of_reps.stood_from between ancestors.valid_from and ancestors.valid_to
    group by of_reps.metric, of_reps.month_start_on, ancestors.ancestor_node_key
),

periodic as (
    select
        metric,
        'month' as period_kind,
        month_start_on as period_start_on,
        node_key,
        hundredths,
        n,
        denominator_hundredths
    from monthly
    {% for kind in longer %}
        union all

        -- A state is that of the last month; all else is added up.
        select
            monthly.metric,
            '{{ kind }}' as period_kind,
            months.{{ kind }}_start_on as period_start_on,
            monthly.node_key,
            sum(monthly.hundredths) as hundredths,
            sum(monthly.n) as n,
            sum(monthly.denominator_hundredths) as denominator_hundredths
        from monthly
        inner join months on monthly.month_start_on = months.month_start_on
        where monthly.metric <> 'numeric_distribution' or months.is_last_of_{{ kind }}
        group by monthly.metric, months.{{ kind }}_start_on, monthly.node_key
    {% endfor %}
),

-- A rate is made of its sums, never a sum of rates; of nothing there is none.
final as (
    select
        metric,
        period_kind,
        period_start_on,
        node_key,
        cast(
            case
                when denominator_hundredths is null then hundredths
                else {{ rate_hundredths('hundredths', 'denominator_hundredths') }}
            end as bigint
        ) as hundredths,
        cast(n as bigint) as n,
        cast(denominator_hundredths as bigint) as denominator_hundredths
    from periodic
)

select * from final

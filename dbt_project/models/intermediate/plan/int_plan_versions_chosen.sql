-- Grain: one row per metric × period that a plan covers: the version this period is measured against.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

targets as (
    select * from {{ ref('int_targets_resolved') }}
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

-- A version states a metric's whole fiscal year; it is known from the night its first target was seen.
versions as (
    select
        plan_version,
        metric,
        fiscal_year_start_on,
        min(first_seen_on) as first_seen_on
    from targets
    group by plan_version, metric, fiscal_year_start_on
),

candidates as (
    select
        versions.metric,
        periods.period_kind,
        periods.period_start_on,
        versions.plan_version,
        versions.first_seen_on,
        -- A revision does not rewrite what a period that had ended was measured against.
        versions.first_seen_on <= least(periods.period_end_on, runs.as_of_date) as was_known_in_time
    from versions
    cross join runs
    inner join periods on versions.fiscal_year_start_on = periods.fiscal_year_start_on
),

ranked as (
    select
        *,
        row_number() over (
            partition by metric, period_kind, period_start_on
            order by
                case when was_known_in_time then 0 else 1 end,
                case when was_known_in_time then first_seen_on end desc,
                first_seen_on,
                plan_version desc
        ) as choice
    from candidates
),

final as (
    select
        metric,
        period_kind,
        period_start_on,
        plan_version
    from ranked
    where choice = 1
)

select * from final

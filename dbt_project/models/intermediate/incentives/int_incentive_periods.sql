-- Grain: one month, quarter, half or year that has begun and that a plan covers, with the version it is paid by.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

versions as (
    select * from {{ ref('stg_night__plan_versions') }}
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
    where has_begun
),

-- A period that had ended before a version was decided or took effect is not paid by it.
candidates as (
    select
        periods.period_kind,
        periods.period_start_on,
        periods.period_end_on,
        periods.is_over,
        versions.plan_version,
        versions.effective_on,
        versions.decided_on,
        versions.effective_on <= periods.period_end_on
        and versions.decided_on <= least(periods.period_end_on, runs.as_of_date) as was_known_in_time
    from periods
    cross join runs
    inner join versions on periods.fiscal_year_start_on = versions.fiscal_year_start_on
),

ranked as (
    select
        *,
        row_number() over (
            partition by period_kind, period_start_on
            order by
                case when was_known_in_time then 0 else 1 end asc,
                case when was_known_in_time then effective_on end desc,
                decided_on asc,
                plan_version asc
        ) as choice
    from candidates
),

final as (
    select
        period_kind,
        period_start_on,
        period_end_on,
        is_over,
        plan_version
    from ranked
    where choice = 1
)

select * from final

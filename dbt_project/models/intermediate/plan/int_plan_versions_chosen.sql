-- Grain: one row per metric × period that a plan covers: the version this period is measured against.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

versions as (
    select * from {{ ref('int_plan_versions') }}
    where not is_beside_plan
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

candidates as (
    select
        versions.metric,
        periods.period_kind,
        periods.period_start_on,
        versions.plan_version,
        versions.effective_on,
        versions.decided_on,
        -- A revision does not rewrite what a period that had ended was measured against, whatever day it is made for.
        versions.decided_on <= periods.period_end_on
        and versions.effective_on <= periods.period_end_on as was_known_in_time
    from versions
    cross join runs
    inner join periods on versions.fiscal_year_start_on = periods.fiscal_year_start_on
    where versions.decided_on <= runs.as_of_date
),

-- The newest of those known in time; where none was, the earliest that was decided.
ranked as (
    select
        *,
        row_number() over (
            partition by metric, period_kind, period_start_on
            order by
                case when was_known_in_time then 0 else 1 end asc,
                case when was_known_in_time then effective_on end desc,
                case when was_known_in_time then decided_on end desc,
                decided_on asc,
                effective_on asc,
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

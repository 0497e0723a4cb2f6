-- Grain: one row per plan version × fiscal year that it states.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

versions as (
    select * from {{ ref('int_plan_versions') }}
),

plan_versions as (
    select * from {{ ref('stg_night__plan_versions') }}
),

years as (
    select distinct
        year_start_on,
        fiscal_year
    from {{ ref('int_dates') }}
),

measured as (
    select
        chosen.plan_version,
        periods.fiscal_year_start_on,
        count(distinct case when periods.period_kind = 'month' then periods.period_start_on end) as months_measured,
        max(case when periods.period_kind = 'month' and periods.is_current then 1 else 0 end) as is_in_force
    from {{ ref('int_plan_versions_chosen') }} as chosen
    inner join {{ ref('int_periods_progressed') }} as periods
        on chosen.period_kind = periods.period_kind
            and chosen.period_start_on = periods.period_start_on
    group by chosen.plan_version, periods.fiscal_year_start_on
),

grouped as (
    select
        plan_version,
        origin,
        fiscal_year_start_on,
        min(effective_on) as effective_on,
        min(decided_on) as decided_on,
        count(*) as n_metrics,
        max(case when is_beside_plan then 1 else 0 end) = 1 as is_beside_plan
    from versions
    group by plan_version, origin, fiscal_year_start_on
),

final as (
    select
        grouped.plan_version,
        grouped.origin,
        coalesce(plan_versions.fiscal_year, years.fiscal_year) as fiscal_year,
        grouped.fiscal_year_start_on,
        grouped.effective_on,
        grouped.decided_on,
        plan_versions.decided_by,
        plan_versions.reason,
        plan_versions.supersedes,
        plan_versions.flavour,
        plan_versions.fingerprint,
        grouped.n_metrics,
        cast(coalesce(measured.months_measured, 0) as bigint) as months_measured,
        coalesce(measured.is_in_force, 0) = 1 as is_in_force,
        grouped.is_beside_plan,
        runs.as_of_date,
        runs.run_id
    from grouped
    cross join runs
    left join plan_versions
        on grouped.origin = 'plan'
            and grouped.plan_version = plan_versions.plan_version
    left join years on grouped.fiscal_year_start_on = years.year_start_on
    left join measured
        on grouped.plan_version = measured.plan_version
            and grouped.fiscal_year_start_on = measured.fiscal_year_start_on
)

select * from final

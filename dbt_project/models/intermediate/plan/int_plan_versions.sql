-- Grain: one row per plan version × metric × fiscal year that it states.
with

plan_versions as (
    select * from {{ ref('stg_night__plan_versions') }}
),

plan_metrics as (
    select distinct
        plan_version,
        metric
    from {{ ref('stg_night__plan_targets') }}
),

-- A source states a metric's whole fiscal year; it is known, and holds, from the night its first target was seen.
source_versions as (
    select
        plan_version,
        metric,
        fiscal_year_start_on,
        min(first_seen_on) as first_seen_on
    from {{ ref('int_targets_resolved') }}
    group by plan_version, metric, fiscal_year_start_on
),

planned as (
    select
        plan_versions.plan_version,
        plan_metrics.metric,
        plan_versions.fiscal_year_start_on,
        plan_versions.effective_on,
        plan_versions.decided_on
    from plan_versions
    inner join plan_metrics on plan_versions.plan_version = plan_metrics.plan_version
),

planned_years as (
    select distinct
        metric,
        fiscal_year_start_on
    from planned
),

final as (
    select
        plan_version,
        plan_version as stated_version,
        'plan' as origin,
        metric,
        fiscal_year_start_on,
        effective_on,
        decided_on,
        false as is_beside_plan
    from planned

    union all

    -- The plan file wins where both state a metric and year. Two versions of one name are told apart.
    select
        {{ source_version_name('source_versions', 'plan_versions') }} as plan_version,
        source_versions.plan_version as stated_version,
        'source' as origin,
        source_versions.metric,
        source_versions.fiscal_year_start_on,
        source_versions.first_seen_on as effective_on,
        source_versions.first_seen_on as decided_on,
        planned_years.metric is not null as is_beside_plan
    from source_versions
    left join plan_versions on source_versions.plan_version = plan_versions.plan_version
    left join planned_years
        on source_versions.metric = planned_years.metric
            and source_versions.fiscal_year_start_on = planned_years.fiscal_year_start_on
)

select * from final

-- A target that nobody can be held to is kept in mart_target with its fault, but every sum above it lacks it. This year's plan
-- is not published wrong: the night stops, and since a bare count sends nobody to the right line, it names the first of them.
with

unplaced as (
    select
        concat(
            targets.metric, ' ', targets.period_kind, ' ', cast(targets.period_start_on as {{ dbt.type_string() }}),
            ' of ', substr(targets.node_key, 12), ' (', targets.fault, ', plan ', targets.plan_version, ')'
        ) as named
    from {{ ref('mart_target') }} as targets
    cross join {{ ref('stg_night__run') }} as runs
    where
        targets.fault is not null
        and targets.period_start_on >= {{ year_start('runs.as_of_date', 'runs.fiscal_year_start_month') }}
),

numbered as (
    select
        named,
        row_number() over (order by named) as place
    from unplaced
),

counted as (
    select
        count(*) as targets,
        concat(
            {% for place in range(1, 6) %}
            coalesce(max(case when place = {{ place }} then concat('; ', named) end), ''){{ ',' if not loop.last }}
            {% endfor %}
        ) as first_named
    from numbered
)

select targets
from counted
where
    targets > 0
    and cast({{ fail_with(
        "concat('Expected a place for every target, found none for ', cast(targets as " ~ dbt.type_string() ~ "), first_named, "
        ~ "'. Mend the name or the period in the plan, or the user in the CRM export')"
    ) }} as {{ dbt.type_string() }}) is null

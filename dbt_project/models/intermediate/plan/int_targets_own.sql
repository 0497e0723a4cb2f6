-- Grain: one row per plan version × metric × period × node that states a target itself, in that period or in parts of it.
with

given as (
    select
        plan_version, metric, period_kind, period_start_on, quarter_start_on, fiscal_year_start_on, node_key,
        base_hundredths, stretch_hundredths, 'given' as derivation, cast(1 as bigint) as n_parts, true as is_complete
    from {{ ref('int_targets_resolved') }}
    where fault is null
),

months as (
    select * from given where period_kind = 'month'
),

quarters_stated as (
    select
        plan_version, metric, node_key, fiscal_year_start_on, period_start_on,
        base_hundredths, stretch_hundredths, derivation, n_parts, is_complete
    from given
    where period_kind = 'quarter'

    union all

    select
        plan_version, metric, node_key, fiscal_year_start_on, quarter_start_on as period_start_on,
        sum(base_hundredths) as base_hundredths,
        -- The base target stands in for a part without a stretch target, once any part has one.
        case when count(stretch_hundredths) > 0 then sum(coalesce(stretch_hundredths, base_hundredths)) end
            as stretch_hundredths,
        'sum of periods' as derivation, count(*) as n_parts, count(*) = 3 as is_complete
    from months
    group by plan_version, metric, node_key, fiscal_year_start_on, quarter_start_on
),

quarters_ranked as (
    select
        *,
        row_number() over (partition by plan_version, metric, node_key, period_start_on order by derivation) as choice
    from quarters_stated
),

-- 'given' comes before 'sum of periods' by name as by right.
quarters as (
    select * from quarters_ranked where choice = 1
),

years_stated as (
    select
        plan_version, metric, node_key, period_start_on,
        base_hundredths, stretch_hundredths, derivation, n_parts, is_complete
    from given
    where period_kind = 'year'

    union all

    select
        plan_version, metric, node_key, fiscal_year_start_on as period_start_on,
        sum(base_hundredths) as base_hundredths,
        case when count(stretch_hundredths) > 0 then sum(coalesce(stretch_hundredths, base_hundredths)) end
            as stretch_hundredths,
        'sum of periods' as derivation, count(*) as n_parts,
        count(*) = 4 and min(case when is_complete then 1 else 0 end) = 1 as is_complete
    from quarters
    group by plan_version, metric, node_key, fiscal_year_start_on
),

years_ranked as (
    select
        *,
        row_number() over (partition by plan_version, metric, node_key, period_start_on order by derivation) as choice
    from years_stated
),

{% set columns = [
    'base_hundredths', 'stretch_hundredths', 'derivation', 'n_parts', 'is_complete'
] | join(', ') %}
unioned as (
    select plan_version, metric, node_key, 'month' as period_kind, period_start_on, {{ columns }} from months
    union all
    select plan_version, metric, node_key, 'quarter' as period_kind, period_start_on, {{ columns }} from quarters
    union all
    select plan_version, metric, node_key, 'year' as period_kind, period_start_on, {{ columns }}
    from years_ranked
    where choice = 1
),

final as (
    select
        plan_version,
        metric,
        period_kind,
        period_start_on,
        node_key,
        cast(base_hundredths as bigint) as base_hundredths,
        cast(stretch_hundredths as bigint) as stretch_hundredths,
        derivation,
        n_parts,
        is_complete
    from unioned
)

select * from final

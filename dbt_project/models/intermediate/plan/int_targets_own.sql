-- Grain: one row per plan version × metric × period × node with a target of its own, for the period or for parts of it.
with

given as (
    select
        plan_version,
        metric,
        node_key,
        period_kind,
        period_start_on,
        quarter_start_on,
        half_start_on,
        fiscal_year_start_on as year_start_on,
        base_hundredths,
        stretch_hundredths,
        'given' as derivation,
        cast(1 as bigint) as n_parts,
        true as is_complete
    from {{ ref('int_targets_resolved') }}
    where fault is null
),

month_cells as (
    select * from given
    where period_kind = 'month'
),

{% for kind, part, part_count in [('quarter', 'month', 3), ('half', 'quarter', 2), ('year', 'half', 2)] %}
    {{ kind }}s_summed as (
        select
            plan_version,
            metric,
            node_key,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            min(quarter_start_on) as quarter_start_on,
            min(half_start_on) as half_start_on,
            year_start_on,
            cast(sum(base_hundredths) as bigint) as base_hundredths,
            -- The base target stands in for a part without a stretch target, once any part has one.
            cast(
                case
                    when count(stretch_hundredths) > 0 then sum(coalesce(stretch_hundredths, base_hundredths))
                end as bigint
            ) as stretch_hundredths,
            'sum of periods' as derivation,
            count(*) as n_parts,
            count(*) = {{ part_count }} and min(case when is_complete then 1 else 0 end) = 1 as is_complete
        from {{ part }}_cells
        where metric not in {{ rate_metrics() }}
        group by
            plan_version,
            metric,
            node_key,
            {% if kind != 'year' %}{{ kind }}_start_on,{% endif %}
            year_start_on
    ),

    {{ kind }}s_stated as (
        select * from given
        where period_kind = '{{ kind }}'
        union all
        select * from {{ kind }}s_summed
    ),

    -- 'given' comes before 'sum of periods' by name as by right.
    {{ kind }}s_ranked as (
        select
            *,
            row_number() over (
                partition by plan_version, metric, node_key, period_start_on
                order by derivation
            ) as choice
        from {{ kind }}s_stated
    ),

    {{ kind }}_cells as (
        select
            plan_version,
            metric,
            node_key,
            period_kind,
            period_start_on,
            quarter_start_on,
            half_start_on,
            year_start_on,
            base_hundredths,
            stretch_hundredths,
            derivation,
            n_parts,
            is_complete
        from {{ kind }}s_ranked
        where choice = 1
    ),

{% endfor %}
unioned as (
    select * from month_cells
    union all
    select * from quarter_cells
    union all
    select * from half_cells
    union all
    select * from year_cells
),

final as (
    select
        plan_version,
        metric,
        period_kind,
        period_start_on,
        node_key,
        base_hundredths,
        stretch_hundredths,
        derivation,
        n_parts,
        is_complete
    from unioned
)

select * from final

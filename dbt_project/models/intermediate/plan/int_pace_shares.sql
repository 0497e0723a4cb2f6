-- Grain: one row per metric × kind of period × share of working days × node: the nearest curve at or above it.
with

curves as (
    select * from {{ ref('int_pace_curves') }}
    where total_hundredths > 0 and linear_share between 0 and 1
),

ancestors as (
    select * from {{ ref('int_node_ancestors') }}
),

ranked as (
    select
        curves.metric,
        curves.period_kind,
        curves.elapsed_share,
        ancestors.node_key,
        curves.node_key as pace_node_key,
        curves.linear_share,
        curves.n_periods,
        row_number() over (
            partition by curves.metric, curves.period_kind, curves.point_no, ancestors.node_key
            order by ancestors.ancestor_level desc
        ) as choice
    from ancestors
    inner join curves on ancestors.ancestor_node_key = curves.node_key
),

final as (
    select
        metric,
        period_kind,
        elapsed_share,
        node_key,
        pace_node_key,
        linear_share,
        n_periods
    from ranked
    where choice = 1
)

select * from final

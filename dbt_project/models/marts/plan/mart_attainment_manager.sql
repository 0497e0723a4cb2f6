-- Grain: one row per metric × period × led node × itself or direct child, of this fiscal year and the one before.
with

attainment as (
    select * from {{ ref('mart_target_attainment') }}
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

current_year as (
    select * from periods
    where period_kind = 'year' and is_current
),

nodes as (
    select * from {{ ref('int_nodes') }}
),

-- As the organisation stands tonight: who is to act on it, not who was.
members as (
    select
        nodes.parent_node_key as led_node_key,
        nodes.node_key,
        false as is_led_node
    from nodes
    where nodes.parent_node_key is not null

    union all

    select distinct
        nodes.parent_node_key as led_node_key,
        nodes.parent_node_key as node_key,
        true as is_led_node
    from nodes
    where nodes.parent_node_key is not null
),

listed as (
    select
        attainment.*,
        members.led_node_key,
        members.is_led_node,
        case when not members.is_led_node and attainment.gap > 0 then attainment.gap else 0 end as shortfall
    from attainment
    inner join members on attainment.node_key = members.node_key
    inner join periods
        on attainment.period_kind = periods.period_kind
            and attainment.period_start_on = periods.period_start_on
    inner join current_year
        on periods.fiscal_year_start_on in (current_year.period_start_on, current_year.last_year_period_start_on)
),

shared as (
    select
        *,
        sum(shortfall) over (partition by metric, period_kind, period_start_on, led_node_key) as shortfalls
    from listed
),

final as (
    select
        shared.metric,
        shared.period_kind,
        shared.period_start_on,
        shared.period_end_on,
        shared.is_current,
        shared.led_node_key,
        leaders.owner_user_id as leader_user_id,
        shared.node_key,
        shared.is_led_node,
        nodes.node_kind,
        nodes.name as node_name,
        nodes.owner_user_id,
        nodes.owner_name,
        shared.plan_version,
        shared.target_base,
        shared.target_stretch,
        shared.actual,
        shared.attainment,
        shared.gap,
        -- A target that a rate misses has no part in what its parent misses.
        case
            when not shared.is_led_node and shared.gap is not null and shared.metric not in {{ rate_metrics() }}
                then {{ ratio('shared.shortfall', 'shared.shortfalls') }}
        end as share_of_gap,
        shared.pace_basis,
        shared.pace_index,
        shared.is_calendar_published,
        shared.required_run_rate,
        shared.open_amount,
        shared.coverage_remaining,
        shared.forecast_expected,
        shared.forecast_p10,
        shared.forecast_p90,
        shared.as_of_date,
        shared.run_id
    from shared
    inner join nodes on shared.node_key = nodes.node_key
    inner join nodes as leaders on shared.led_node_key = leaders.node_key
)

select * from final

-- Grain: one row per rule × node × period that contains the as-of date, where the plan states a target.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

rules as (
    select * from {{ ref('stg_night__alert_rules') }}
    where kind = 'pace_below'
),

attainment as (
    select * from {{ ref('mart_target_attainment') }}
    where is_current and target_base is not null
),

nodes as (
    select * from {{ ref('dim_node') }}
    where is_current
),

measured as (
    select
        rules.rule_id,
        rules.kind,
        rules.warn_below,
        rules.critical_below,
        rules.clear_above,
        rules.min_elapsed,
        nodes.node_kind,
        nodes.name as node_name,
        nodes.owner_user_id,
        nodes.owner_name,
        nodes.owner_email,
        nodes.owner_language,
        attainment.*,
        -- Too early in the period a single deal makes or breaks the pace: nothing is judged, nothing opens or clears.
        attainment.pace_index is not null and attainment.elapsed_share >= rules.min_elapsed as is_evaluated
    from rules
    inner join nodes on rules.node_kind = nodes.node_kind
    inner join attainment
        on nodes.node_key = attainment.node_key
            and rules.metric = attainment.metric
            and rules.period_kind = attainment.period_kind
),

final as (
    select
        measured.rule_id,
        measured.kind as rule_kind,
        measured.metric,
        measured.period_kind,
        measured.period_start_on,
        measured.period_end_on,
        measured.node_key,
        measured.node_kind,
        measured.node_name,
        measured.pace_index as measured,
        cast(1 as double) as expected,
        cast(measured.expected_to_date - measured.actual as decimal(18, 2)) as gap_to_expected,
        measured.is_evaluated,
        case
            when not measured.is_evaluated then 'none'
            when measured.pace_index < measured.critical_below then 'critical'
            when measured.pace_index < measured.warn_below then 'warn'
            else 'none'
        end as severity,
        -- Between warn_below and clear_above an open alert stays open and no new one opens.
        measured.is_evaluated and measured.pace_index >= measured.clear_above as is_clear,
        measured.warn_below,
        measured.critical_below,
        measured.clear_above,
        measured.min_elapsed,
        measured.target_base,
        measured.actual,
        measured.expected_to_date,
        measured.elapsed_share,
        measured.attainment,
        measured.gap,
        measured.required_run_rate,
        measured.working_days_remaining,
        measured.is_calendar_published,
        measured.open_amount,
        measured.forecast_expected,
        measured.owner_user_id,
        measured.owner_name,
        measured.owner_email,
        measured.owner_language,
        cast(null as {{ dbt.type_string() }}) as diagnosis,
        runs.as_of_date,
        runs.run_id
    from measured
    cross join runs
)

select * from final

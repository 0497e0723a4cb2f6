-- Grain: one row per target as given tonight (plan version × metric × period × node as named in the plan).
with

targets as (
    select * from {{ ref('int_targets_converted') }}
),

nodes as (
    select * from {{ ref('int_nodes') }}
),

-- The names by which a plan may call a node. A team of a name that two regions have is written as <region>/<team>.
node_names as (
    select
        node_kind,
        name as node_name,
        node_key
    from nodes
    where node_kind in ('region', 'team')

    union

    select
        node_kind,
        substr(node_key, 6) as node_name,
        node_key
    from nodes
    where node_kind = 'team'

    union

    select
        node_kind,
        user_id as node_name,
        node_key
    from nodes
    where node_kind = 'rep' and user_id is not null
),

node_matches as (
    select
        node_kind,
        node_name,
        count(*) as match_count,
        min(node_key) as node_key
    from node_names
    group by node_kind, node_name
),

matched as (
    select
        targets.*,
        -- There is one company, whatever the plan calls it.
        case
            when targets.node_kind = 'company' then 'company'
            when node_matches.match_count = 1 then node_matches.node_key
        end as matched_node_key,
        coalesce(node_matches.match_count, 0) as match_count
    from targets
    left join node_matches
        on targets.node_kind = node_matches.node_kind
            and targets.node_name = node_matches.node_name
),

counted as (
    select
        *,
        count(*) over (
            partition by plan_version, metric, period_kind, period_start_on, coalesce(matched_node_key, node_name)
        ) as times_given
    from matched
),

judged as (
    select
        *,
        case
            when matched_node_key is null and match_count = 0 then 'unknown node'
            when matched_node_key is null then 'ambiguous node'
            when month_start_on is null then 'outside the calendar'
            when period_kind = 'month' and period_start_on <> month_start_on then 'not the first day of a month'
            when period_kind = 'quarter' and period_start_on <> quarter_start_on then 'not the first day of a quarter'
            when period_kind = 'half' and period_start_on <> half_start_on then 'not the first day of a half'
            when period_kind = 'year' and period_start_on <> fiscal_year_start_on
                then 'not the first day of a fiscal year'
            when times_given > 1 then 'node given twice'
        end as fault
    from counted
),

final as (
    select
        plan_version,
        metric,
        period_kind,
        period_start_on,
        quarter_start_on,
        half_start_on,
        fiscal_year_start_on,
        -- A target that nobody can be held to is kept under its own name, never dropped; a test fails and names it.
        case
            when fault is null then matched_node_key
            else 'unresolved:' || node_kind || '/' || node_name
        end as node_key,
        fault,
        base_hundredths,
        stretch_hundredths,
        first_seen_on
    from judged
)

select * from final

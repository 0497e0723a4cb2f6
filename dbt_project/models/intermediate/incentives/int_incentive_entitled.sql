-- Grain: one person, rule and pay period that the person is paid by, with the node whose result is paid.
with

periods as (
    select * from {{ ref('int_incentive_periods') }}
),

rules as (
    select * from {{ ref('stg_night__incentive_rules') }}
),

scopes as (
    select * from {{ ref('stg_night__incentive_scopes') }}
),

people as (
    select * from {{ ref('int_people_by_period') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

-- Who moves within a period is paid by the rules of the place that he has at its end; once a rule, however many of its
-- nodes he is below.
paid as (
    select distinct
        periods.plan_version,
        rules.rule_id,
        periods.period_kind,
        periods.period_start_on,
        people.user_id
    from periods
    inner join rules
        on periods.plan_version = rules.plan_version and periods.period_kind = rules.period_kind
    inner join scopes on rules.plan_version = scopes.plan_version and rules.rule_id = scopes.rule_id
    inner join people
        on periods.period_kind = people.period_kind
            and periods.period_start_on = people.period_start_on
            and scopes.role = people.role
    inner join ancestors
        on people.rep_node_key = ancestors.node_key
            and scopes.node_key = ancestors.ancestor_node_key
            and people.seen_on between ancestors.valid_from and ancestors.valid_to
),

final as (
    select
        {{ dense_key('paid.user_id, paid.rule_id, paid.period_start_on') }} as pay_no,
        paid.user_id,
        paid.rule_id,
        paid.period_kind,
        paid.period_start_on,
        periods.period_end_on,
        periods.is_over,
        paid.plan_version,
        rules.kind,
        rules.metric,
        rules.metric_name_en,
        rules.metric_name_zh,
        rules.unit,
        rules.tier_mode,
        rules.target_pay_cents,
        rules.per_unit_cents,
        rules.cap_cents,
        rules.has_clawback,
        people.role,
        people.result_node_key,
        people.left_on
    from paid
    inner join periods
        on paid.period_kind = periods.period_kind and paid.period_start_on = periods.period_start_on
    inner join rules on paid.plan_version = rules.plan_version and paid.rule_id = rules.rule_id
    inner join people
        on paid.period_kind = people.period_kind
            and paid.period_start_on = people.period_start_on
            and paid.user_id = people.user_id
    where people.result_node_key is not null
)

select * from final

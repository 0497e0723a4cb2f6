-- Grain: one line of one person's pay slip, by rule and pay period.
{% set columns = pay_line_columns() %}
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

people as (
    select * from {{ ref('int_users') }}
),

rules as (
    select * from {{ ref('stg_night__incentive_rules') }}
),

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
),

bases as (
    select * from {{ ref('int_incentive_bases') }}
),

lines as (
    select
        {{ each_column(columns) }}
    from {{ ref('int_incentive_pay_lines') }}

    union all

    select
        {{ each_column(columns) }}
    from {{ ref('int_incentive_clawbacks') }}

    union all

    select
        {{ each_column(columns) }}
    from {{ ref('int_incentive_draw_lines') }}
),

numbered as (
    select
        *,
        row_number() over (
            partition by user_id, rule_id, period_kind, period_start_on order by section_no, place
        ) as line_no
    from lines
),

final as (
    select
        numbered.user_id,
        people.name as user_name,
        numbered.rule_id,
        coalesce(rules.name_en, 'Draw') as rule_name_en,
        coalesce(rules.name_zh, '预支') as rule_name_zh,
        coalesce(rules.kind, 'draw') as rule_kind,
        rules.metric,
        numbered.period_kind,
        numbered.period_start_on,
        periods.period_end_on,
        periods.is_over as is_final,
        numbered.plan_version,
        entitled.result_node_key as node_key,
        cast(numbered.line_no as integer) as line_no,
        numbered.line_kind,
        {{ cents_to_amount('bases.target_hundredths') }} as target_base,
        {{ cents_to_amount('bases.actual_hundredths') }} as actual,
        {{ cents_to_amount('bases.credited_hundredths') }} as credited_value,
        {{ ratio('bases.credited_hundredths', 'bases.target_hundredths') }} as credited_attainment,
        numbered.tier_from,
        numbered.tier_to,
        {{ cents_to_amount('numbered.base_hundredths') }} as base_amount,
        numbered.rate,
        {{ cents_to_amount('numbered.amount_cents') }} as amount,
        numbered.record_id,
        numbered.original_period_start_on,
        numbered.cancelled_on,
        numbered.line_en,
        numbered.line_zh,
        runs.as_of_date,
        runs.run_id
    from numbered
    cross join runs
    inner join periods
        on numbered.period_kind = periods.period_kind and numbered.period_start_on = periods.period_start_on
    left join people on numbered.user_id = people.user_id
    left join rules on numbered.plan_version = rules.plan_version and numbered.rule_id = rules.rule_id
    left join entitled
        on numbered.user_id = entitled.user_id
            and numbered.rule_id = entitled.rule_id
            and numbered.period_kind = entitled.period_kind
            and numbered.period_start_on = entitled.period_start_on
    left join bases on entitled.pay_no = bases.pay_no
)

select * from final

-- Grain: one row per metric × period × rep, of this fiscal year and the one before: the rep's own figures alone.
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

{{ rep_nodes('node_key') }},

final as (
    select
        attainment.metric,
        attainment.period_kind,
        attainment.period_start_on,
        attainment.period_end_on,
        attainment.is_current,
        reps.user_id,
        attainment.node_key,
        attainment.plan_version,
        attainment.target_base,
        attainment.target_stretch,
        attainment.actual,
        attainment.attainment,
        attainment.attainment_stretch,
        attainment.gap,
        attainment.working_days_remaining,
        attainment.pace_basis,
        attainment.expected_to_date,
        attainment.pace_index,
        attainment.is_calendar_published,
        attainment.required_run_rate,
        attainment.open_amount,
        attainment.open_deals,
        attainment.as_of_date,
        attainment.run_id
    from attainment
    inner join reps on attainment.node_key = reps.node_key
    inner join periods
        on attainment.period_kind = periods.period_kind
            and attainment.period_start_on = periods.period_start_on
    inner join current_year
        on periods.fiscal_year_start_on in (current_year.period_start_on, current_year.last_year_period_start_on)
)

select * from final

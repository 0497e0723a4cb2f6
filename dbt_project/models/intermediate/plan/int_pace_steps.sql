-- Grain: one row per metric × ended period × its working day × calendar × node with a curve: results by then.
with

curved as (
    select distinct
        metric,
        period_kind,
        node_key,
        begin_on
    from {{ ref('int_pace_day_histories') }}
),

kinds as (
    select distinct
        metric,
        period_kind,
        begin_on
    from curved
),

ended as (
    select periods.*
    from {{ ref('int_calendar_periods') }} as periods
    inner join {{ ref('int_periods_progressed') }} as of_company
        on periods.period_kind = of_company.period_kind
            and periods.period_start_on = of_company.period_start_on
    where periods.is_over and periods.working_days > 0 and of_company.working_days > 0
),

-- Few metrics and kinds of period have curves: what has none is left out before days are set against periods.
numbered as (
    select days.*
    from {{ ref('int_period_days') }} as days
    inner join ended
        on days.calendar = ended.calendar
            and days.period_kind = ended.period_kind
            and days.period_start_on = ended.period_start_on
    where days.period_kind in (select kinds.period_kind from kinds)
),

metrics as (
    select distinct metric
    from kinds
),

daily as (
    select
        daily.metric,
        daily.node_key,
        daily.happened_on,
        daily.hundredths
    from {{ ref('int_actuals_daily') }} as daily
    inner join metrics on daily.metric = metrics.metric
),

calendars as (
    select * from {{ ref('int_node_calendars') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

-- Everybody is under the company all the time: its rows are the spans in which a person stood in one place.
spans as (
    select
        node_key,
        valid_from,
        valid_to
    from ancestors
    where ancestor_level = 0
),

-- Each result counts by the calendar of the rep whose it is.
of_reps as (
    select
        daily.metric,
        daily.node_key,
        spans.valid_from as stood_from,
        calendars.calendar,
        numbered.period_kind,
        numbered.period_start_on,
        numbered.working_day_no,
        sum(daily.hundredths) as hundredths
    from daily
    inner join kinds on daily.metric = kinds.metric
    inner join calendars on daily.node_key = calendars.node_key
    inner join numbered
        on calendars.calendar = numbered.calendar
            and daily.happened_on = numbered.day
            and kinds.period_kind = numbered.period_kind
            and kinds.begin_on <= numbered.period_start_on
    inner join spans
        on daily.node_key = spans.node_key
            and daily.happened_on between spans.valid_from and spans.valid_to
    group by
        daily.metric,
        daily.node_key,
        spans.valid_from,
        calendars.calendar,
        numbered.period_kind,
        numbered.period_start_on,
        numbered.working_day_no
),

rolled_up as (
    select
        of_reps.metric,
        of_reps.period_kind,
        of_reps.period_start_on,
        of_reps.calendar,
        curved.node_key,
        of_reps.working_day_no,
        sum(of_reps.hundredths) as hundredths
    from of_reps
    inner join ancestors
        on of_reps.node_key = ancestors.node_key
            and of_reps.stood_from between ancestors.valid_from and ancestors.valid_to
    inner join curved
        on of_reps.metric = curved.metric
            and of_reps.period_kind = curved.period_kind
            and ancestors.ancestor_node_key = curved.node_key
    group by
        of_reps.metric,
        of_reps.period_kind,
        of_reps.period_start_on,
        of_reps.calendar,
        curved.node_key,
        of_reps.working_day_no
),

parts as (
    select distinct
        metric,
        period_kind,
        period_start_on,
        calendar,
        node_key
    from rolled_up
),

steps as (
    select distinct
        calendar,
        period_kind,
        period_start_on,
        working_day_no
    from numbered
),

-- A working day on which nothing came in is a step, too: whatever lies within it has what came before.
dense as (
    select
        parts.*,
        steps.working_day_no
    from parts
    inner join steps
        on parts.calendar = steps.calendar
            and parts.period_kind = steps.period_kind
            and parts.period_start_on = steps.period_start_on
),

filled as (
    select
        dense.*,
        cast(coalesce(rolled_up.hundredths, 0) as decimal(18, 0)) as hundredths
    from dense
    left join rolled_up
        on dense.metric = rolled_up.metric
            and dense.period_kind = rolled_up.period_kind
            and dense.period_start_on = rolled_up.period_start_on
            and dense.calendar = rolled_up.calendar
            and dense.node_key = rolled_up.node_key
            and dense.working_day_no = rolled_up.working_day_no
),

final as (
    select
        *,
        cast(
            sum(hundredths) over (
                partition by metric, period_kind, period_start_on, calendar, node_key
                order by working_day_no
                rows between unbounded preceding and current row
            ) as decimal(18, 0)
        ) as hundredths_reached
    from filled
)

select * from final

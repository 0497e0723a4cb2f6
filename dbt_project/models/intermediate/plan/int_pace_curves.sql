-- Grain: one row per metric × kind of period × point × node: what ended periods had at the point, and in all.
with

-- Only what a running period has a target for, and what adds up.
metrics as (
    select distinct chosen.metric
    from {{ ref('int_plan_versions_chosen') }} as chosen
    inner join {{ ref('int_periods_progressed') }} as periods
        on chosen.period_kind = periods.period_kind
            and chosen.period_start_on = periods.period_start_on
    where periods.is_current and chosen.metric not in {{ rate_metrics() }}
),

rolled_up as (
    select actuals.*
    from {{ ref('int_actuals_rolled_up') }} as actuals
    inner join metrics on actuals.metric = metrics.metric
),

rules as (
    select * from {{ ref('stg_night__pace_rules') }}
),

-- What began before the metric was recorded is known in part only.
begun as (
    select
        metric,
        min(period_start_on) as begin_on
    from rolled_up
    where period_kind = 'month'
    group by metric
),

whole_periods as (
    select
        begun.metric,
        periods.period_kind,
        periods.period_start_on
    from {{ ref('int_periods_progressed') }} as periods
    inner join begun on periods.period_start_on >= begun.begin_on
    where periods.is_over and not periods.is_current and periods.working_days > 0
),

summed as (
    select
        rolled_up.metric,
        rolled_up.period_kind,
        rolled_up.node_key,
        cast(sum(rolled_up.hundredths) as decimal(28, 0)) as total_hundredths,
        count(case when rolled_up.n > 0 then 1 end) as n_periods,
        cast(sum(rolled_up.n) as bigint) as n_events
    from rolled_up
    inner join whole_periods
        on rolled_up.metric = whole_periods.metric
            and rolled_up.period_kind = whole_periods.period_kind
            and rolled_up.period_start_on = whole_periods.period_start_on
    group by rolled_up.metric, rolled_up.period_kind, rolled_up.node_key
),

-- A thin curve is none; most reps have too few results for one, and are not followed day by day.
totals as (
    select summed.*
    from summed
    inner join rules on summed.period_kind = rules.period_kind
    where summed.n_periods >= rules.min_periods and summed.n_events >= rules.min_events
),

followed as (
    select distinct
        metric,
        node_key
    from totals
),

daily as (
    select
        daily.metric,
        daily.node_key,
        calendars.calendar,
        daily.happened_on,
        daily.hundredths
    from {{ ref('int_actuals_daily') }} as daily
    inner join metrics on daily.metric = metrics.metric
    inner join {{ ref('int_node_calendars') }} as calendars on daily.node_key = calendars.node_key
),

ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

-- What happened in one calendar, by day: of each node that has a curve, where people stood on the day.
rolled_daily as (
    select
        daily.metric,
        ancestors.ancestor_node_key as node_key,
        daily.calendar,
        daily.happened_on,
        sum(daily.hundredths) as hundredths
    from daily
    inner join ancestors
        on daily.node_key = ancestors.node_key
            and daily.happened_on between ancestors.valid_from and ancestors.valid_to
    inner join followed
        on daily.metric = followed.metric
            and ancestors.ancestor_node_key = followed.node_key
    group by daily.metric, ancestors.ancestor_node_key, daily.calendar, daily.happened_on
),

-- Whole numbers, so that the sum is the same in whatever order it is taken.
reached as (
    select
        rolled_daily.metric,
        weights.period_kind,
        weights.point_no,
        rolled_daily.node_key,
        sum(cast(rolled_daily.hundredths as decimal(28, 0)) * cast(weights.weight_millionths as decimal(7, 0)))
            as reached_millionths
    from rolled_daily
    inner join {{ ref('int_pace_weights') }} as weights
        on rolled_daily.calendar = weights.calendar
            and rolled_daily.happened_on = weights.day
    inner join whole_periods
        on rolled_daily.metric = whole_periods.metric
            and weights.period_kind = whole_periods.period_kind
            and weights.period_start_on = whole_periods.period_start_on
    group by rolled_daily.metric, weights.period_kind, weights.point_no, rolled_daily.node_key
),

points as (
    select * from {{ ref('int_pace_points') }}
),

final as (
    select
        totals.metric,
        totals.period_kind,
        points.point_no,
        points.elapsed_share,
        totals.node_key,
        totals.total_hundredths,
        totals.n_periods,
        totals.n_events,
        {{ ratio(
            'coalesce(reached.reached_millionths, 0)', 'cast(totals.total_hundredths as double) * 1000000'
        ) }} as linear_share
    from totals
    inner join points on totals.period_kind = points.period_kind
    left join reached
        on totals.metric = reached.metric
            and totals.period_kind = reached.period_kind
            and points.point_no = reached.point_no
            and totals.node_key = reached.node_key
)

select * from final

-- Grain: one row per metric × period shown day by day × share of its working days × node: the curve as it was then.
with

histories as (
    select * from {{ ref('int_pace_day_histories') }}
),

points as (
    select distinct
        period_kind,
        period_start_on,
        elapsed_share
    from {{ ref('int_pace_days') }}
),

periods as (
    select * from {{ ref('int_calendar_periods') }}
),

-- Whatever share of the period it is, it lies within one working day of each period before: the step that reaches it.
placed as (
    select
        points.period_kind,
        points.period_start_on,
        points.elapsed_share,
        periods.calendar,
        periods.period_start_on as before_start_on,
        periods.working_days,
        cast(ceil(round(points.elapsed_share * periods.working_days, 6)) as integer) as working_day_no
    from points
    inner join periods
        on points.period_kind = periods.period_kind
            and points.period_start_on > periods.period_start_on
    where periods.is_over and periods.working_days > 0
),

weighted as (
    select
        *,
        {{ millionths_reached('elapsed_share', 'working_days', 'working_day_no') }} as weight_millionths
    from placed
),

reached as (
    select
        histories.metric,
        histories.period_kind,
        histories.period_start_on,
        histories.node_key,
        weighted.elapsed_share,
        sum(
            cast(steps.hundredths_reached - steps.hundredths as decimal(28, 0)) * 1000000
            + cast(steps.hundredths as decimal(28, 0)) * weighted.weight_millionths
        ) as reached_millionths
    from histories
    inner join weighted
        on histories.period_kind = weighted.period_kind
            and histories.period_start_on = weighted.period_start_on
    inner join {{ ref('int_pace_steps') }} as steps
        on histories.metric = steps.metric
            and histories.node_key = steps.node_key
            and histories.period_kind = steps.period_kind
            and weighted.before_start_on = steps.period_start_on
            and weighted.calendar = steps.calendar
            and weighted.working_day_no = steps.working_day_no
    group by
        histories.metric,
        histories.period_kind,
        histories.period_start_on,
        histories.node_key,
        weighted.elapsed_share
),

curves as (
    select
        histories.metric,
        histories.period_kind,
        histories.period_start_on,
        points.elapsed_share,
        histories.node_key,
        histories.n_periods,
        {{ ratio(
            'coalesce(reached.reached_millionths, 0)', 'cast(histories.total_hundredths as double) * 1000000'
        ) }} as linear_share
    from histories
    inner join points
        on histories.period_kind = points.period_kind
            and histories.period_start_on = points.period_start_on
    left join reached
        on histories.metric = reached.metric
            and histories.period_kind = reached.period_kind
            and histories.period_start_on = reached.period_start_on
            and histories.node_key = reached.node_key
            and points.elapsed_share = reached.elapsed_share
),

ranked as (
    select
        curves.metric,
        curves.period_kind,
        curves.period_start_on,
        curves.elapsed_share,
        ancestors.node_key,
        curves.node_key as pace_node_key,
        curves.linear_share,
        curves.n_periods,
        row_number() over (
            partition by
                curves.metric, curves.period_kind, curves.period_start_on, curves.elapsed_share, ancestors.node_key
            order by ancestors.ancestor_level desc
        ) as choice
    from curves
    inner join {{ ref('int_node_ancestors') }} as ancestors on curves.node_key = ancestors.ancestor_node_key
    where curves.linear_share between 0 and 1
),

final as (
    select
        metric,
        period_kind,
        period_start_on,
        elapsed_share,
        node_key,
        pace_node_key,
        linear_share,
        n_periods
    from ranked
    where choice = 1
)

select * from final

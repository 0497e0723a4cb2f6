-- Grain: one row per metric × kind of period × node × day, as many days back from the as-of date as are to be shown.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

days as (
    select * from {{ ref('int_pace_days') }}
),

shown_periods as (
    select distinct
        period_kind,
        period_start_on
    from days
),

-- A plan that states only a part of the period says nothing about the pace of the whole; a rate has no pace.
cells as (
    select
        cells.*,
        calendars.calendar
    from {{ ref('int_attainment_cells') }} as cells
    inner join shown_periods
        on cells.period_kind = shown_periods.period_kind
            and cells.period_start_on = shown_periods.period_start_on
    inner join {{ ref('int_node_calendars') }} as calendars on cells.placed_node_key = calendars.node_key
    where cells.target_is_complete and cells.unit <> 'percent' and cells.base_hundredths is not null
),

shares as (
    select * from {{ ref('int_pace_day_shares') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

-- Periods begin and end on the same days in every calendar.
period_days as (
    select distinct
        all_days.period_kind,
        all_days.period_start_on,
        all_days.day
    from {{ ref('int_period_days') }} as all_days
    inner join shown_periods
        on all_days.period_kind = shown_periods.period_kind
            and all_days.period_start_on = shown_periods.period_start_on
),

-- Few days and few metrics of many: before they are everybody's above.
shown_days as (
    select distinct day
    from period_days
),

paced_metrics as (
    select distinct metric
    from cells
),

results as (
    select
        daily.metric,
        ancestors.ancestor_node_key as node_key,
        daily.happened_on,
        sum(daily.hundredths) as hundredths,
        sum(daily.n) as n,
        count(*) as n_records
    from {{ ref('int_actuals_daily') }} as daily
    inner join shown_days on daily.happened_on = shown_days.day
    inner join paced_metrics on daily.metric = paced_metrics.metric
    inner join ancestors
        on daily.node_no = ancestors.node_no
            and daily.happened_on between ancestors.valid_from and ancestors.valid_to
    group by daily.metric, ancestors.ancestor_node_key, daily.happened_on
),

-- Results run up to each day that is shown: those of the days before it are added to, and are no rows themselves.
moments as (
    select
        cells.metric,
        cells.period_kind,
        cells.period_start_on,
        cells.node_key,
        days.day,
        true as is_shown,
        cast(null as bigint) as hundredths,
        0 as n,
        0 as n_records
    from cells
    inner join days
        on cells.calendar = days.calendar
            and cells.period_kind = days.period_kind
            and cells.period_start_on = days.period_start_on

    union all

    select
        cells.metric,
        cells.period_kind,
        cells.period_start_on,
        cells.node_key,
        period_days.day,
        false as is_shown,
        results.hundredths,
        results.n,
        results.n_records
    from results
    inner join period_days on results.happened_on = period_days.day
    inner join cells
        on results.metric = cells.metric
            and results.node_key = cells.node_key
            and period_days.period_kind = cells.period_kind
            and period_days.period_start_on = cells.period_start_on
),

summed as (
    select
        metric,
        period_kind,
        period_start_on,
        node_key,
        day,
        is_shown,
        sum(hundredths) over to_date as hundredths,
        sum(n) over to_date as n,
        sum(n_records) over to_date as n_records
    from moments
    window to_date as (
        partition by metric, period_kind, period_start_on, node_key
        order by day range between unbounded preceding and current row
    )
),

-- Nothing yet is 0; the margin of bookings of which no cost is known is not.
curved as (
    select
        cells.metric,
        cells.unit,
        cells.period_kind,
        cells.period_start_on,
        days.period_end_on,
        cells.node_key,
        cells.is_node_known,
        days.day,
        days.is_working_day,
        days.working_days,
        days.working_days_passed,
        days.elapsed_share,
        days.calendar_share,
        shares.pace_node_key,
        shares.n_periods as pace_n_periods,
        coalesce(shares.linear_share, days.elapsed_share) as linear_share,
        cells.base_hundredths,
        cast(case when summed.n_records = 0 then 0 else summed.hundredths end as bigint) as actual_hundredths,
        cast(summed.n as bigint) as actual_n
    from summed
    inner join cells
        on summed.metric = cells.metric
            and summed.period_kind = cells.period_kind
            and summed.period_start_on = cells.period_start_on
            and summed.node_key = cells.node_key
    inner join days
        on cells.calendar = days.calendar
            and summed.period_kind = days.period_kind
            and summed.period_start_on = days.period_start_on
            and summed.day = days.day
    left join shares
        on cells.metric = shares.metric
            and cells.period_kind = shares.period_kind
            and cells.period_start_on = shares.period_start_on
            and cells.placed_node_key = shares.node_key
            and days.elapsed_share = shares.elapsed_share
    where summed.is_shown
),

final as (
    select
        curved.metric,
        curved.unit,
        curved.period_kind,
        curved.period_start_on,
        curved.period_end_on,
        curved.node_key,
        curved.is_node_known,
        curved.day,
        curved.is_working_day,
        curved.working_days,
        curved.working_days_passed,
        curved.elapsed_share,
        case when curved.pace_node_key is null then 'working_day' else 'history' end as pace_basis,
        curved.pace_node_key,
        curved.pace_n_periods,
        curved.linear_share,
        {{ cents_to_amount('curved.base_hundredths') }} as target_base,
        {{ cents_to_amount('curved.actual_hundredths') }} as actual,
        curved.actual_n,
        {{ cents_to_amount('cast(round(curved.base_hundredths * curved.linear_share, 0) as bigint)') }}
            as expected_to_date,
        {{ ratio('curved.actual_hundredths', 'curved.base_hundredths * curved.linear_share') }} as pace_index,
        {{ ratio('curved.actual_hundredths', 'curved.base_hundredths * curved.calendar_share') }}
            as pace_index_calendar,
        runs.as_of_date,
        runs.run_id
    from curved
    cross join runs
)

select * from final

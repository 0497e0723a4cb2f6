-- Grain: one row per kind of period × stage: what stood open in it at this share of past periods, and was won in them.
with

points as (
    select * from {{ ref('int_coverage_points') }}
),

dates as (
    select day from {{ ref('int_dates') }}
),

opportunities as (
    select
        okey,
        amount_cents,
        is_won,
        closed_on
    from {{ ref('int_opportunities') }}
    where not is_deleted
),

stages as (
    select stage_no
    from {{ ref('stg_night__stages') }}
    where not is_closed
),

-- Points are in order of days, so that those within a stretch of days are those between two numbers.
points_before as (
    select
        dates.day,
        count(points.point_no) as n_points
    from dates
    left join points on dates.day > points.point_on
    group by dates.day
),

counted as (
    select count(*) as n_points from points
),

-- What came and went between two points stood at none.
stretches as (
    select
        events.okey,
        stages.stage_no,
        events.amount_cents,
        events.close_month_no,
        coalesce(began.n_points, 0) + 1 as first_point_no,
        case when events.next_on is null then counted.n_points else coalesce(ended.n_points, 0) end as last_point_no
    from {{ ref('int_opportunity_events') }} as events
    cross join counted
    inner join stages on events.stage_no = stages.stage_no
    left join points_before as began on events.event_on = began.day
    left join points_before as ended on events.next_on = ended.day
    where events.close_month_no > 0
),

-- What was overdue counts in the period that ran, as it does tonight; what nobody had dated is left out.
standing as (
    select
        points.period_kind,
        points.point_on,
        points.period_end_on,
        stretches.okey,
        stretches.stage_no,
        stretches.amount_cents
    from stretches
    inner join points
        on stretches.first_point_no <= points.point_no
            and stretches.last_point_no >= points.point_no
            and stretches.close_month_no <= points.last_month_no
    where stretches.first_point_no <= stretches.last_point_no
),

outcomes as (
    select
        standing.period_kind,
        standing.stage_no,
        coalesce(standing.amount_cents, 0) as open_cents,
        coalesce(opportunities.amount_cents, 0) as closing_cents,
        opportunities.is_won
        and standing.point_on < opportunities.closed_on
        and standing.period_end_on >= opportunities.closed_on as is_won_in_time
    from standing
    inner join opportunities on standing.okey = opportunities.okey
),

final as (
    select
        period_kind,
        stage_no,
        count(*) as deals,
        count(case when is_won_in_time then 1 end) as deals_won,
        cast(sum(open_cents) as bigint) as open_cents,
        cast(sum(case when is_won_in_time then closing_cents else 0 end) as bigint) as won_cents
    from outcomes
    group by period_kind, stage_no
)

select * from final

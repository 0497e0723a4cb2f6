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
        closed_on
    from {{ ref('int_opportunities') }}
    where is_won and not is_deleted
),

spells as (
    select * from {{ ref('int_stage_spells') }}
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

stretches as (
    select
        states.okey,
        states.amount_cents,
        states.close_month_no,
        coalesce(began.n_points, 0) + 1 as first_point_no,
        case when states.until_on is null then counted.n_points else coalesce(ended.n_points, 0) end as last_point_no
    from {{ ref('int_opportunity_states') }} as states
    cross join counted
    left join points_before as began on states.from_on = began.day
    left join points_before as ended on states.until_on = ended.day
    where states.status = 1 and states.close_month_no > 0
),

-- What was overdue counts in the period that ran, as it does tonight; what nobody had dated is left out.
standing as (
    select
        points.period_kind,
        points.point_on,
        points.period_end_on,
        stretches.okey,
        stretches.amount_cents
    from stretches
    inner join points
        on stretches.first_point_no <= points.point_no
            and stretches.last_point_no >= points.point_no
            and stretches.close_month_no <= points.last_month_no
    where stretches.first_point_no <= stretches.last_point_no
),

final as (
    select
        standing.period_kind,
        spells.stage_no,
        count(*) as deals,
        count(opportunities.okey) as deals_won,
        cast(sum(coalesce(standing.amount_cents, 0)) as bigint) as open_cents,
        cast(sum(coalesce(opportunities.amount_cents, 0)) as bigint) as won_cents
    from standing
    inner join spells
        on standing.okey = spells.okey
            and standing.point_on >= spells.entered_on
            and (spells.left_on is null or standing.point_on < spells.left_on)
    left join opportunities
        on standing.okey = opportunities.okey
            and standing.point_on < opportunities.closed_on
            and standing.period_end_on >= opportunities.closed_on
    group by standing.period_kind, spells.stage_no
)

select * from final

-- Grain: one person with a draw and one pay period of it: advances, what was earned by then, set off, owed on.
with

periods as (
    select * from {{ ref('int_incentive_periods') }}
),

draws as (
    select * from {{ ref('stg_night__draws') }}
),

months as (
    select * from {{ ref('int_periods_progressed') }}
    where period_kind = 'month' and has_begun
),

people as (
    select distinct
        user_id,
        left_on
    from {{ ref('int_people_by_period') }}
),

-- By calendar days where it holds for a part of a month; nothing is advanced after the last day at work.
covered as (
    select
        draws.user_id,
        draws.is_recoverable,
        draws.monthly_cents,
        periods.period_kind,
        periods.period_start_on,
        periods.plan_version,
        months.period_start_on as month_start_on,
        months.period_end_on as month_end_on,
        greatest(draws.from_on, months.period_start_on) as first_on,
        least(draws.until_on, months.period_end_on, coalesce(people.left_on, months.period_end_on)) as last_on
    from draws
    inner join people on draws.user_id = people.user_id
    inner join periods
        on draws.plan_version = periods.plan_version and draws.period_kind = periods.period_kind
    inner join months on months.period_start_on between periods.period_start_on and periods.period_end_on
),

counted as (
    select
        *,
        {{ days_between('first_on', 'last_on') }} + 1 as days,
        {{ days_between('month_start_on', 'month_end_on') }} + 1 as days_of_month
    from covered
    where last_on >= first_on
),

advances as (
    select
        user_id,
        period_kind,
        period_start_on,
        plan_version,
        month_start_on,
        is_recoverable,
        {{ rounded_part('monthly_cents', 'days', 'days_of_month') }} as advance_cents
    from counted
),

-- From the first draw on, every period: what is owed is set off in later ones, also once there is no draw.
first_periods as (
    select
        user_id,
        period_kind,
        min(period_start_on) as first_on
    from advances
    group by user_id, period_kind
),

spine as (
    select
        first_periods.user_id,
        periods.period_kind,
        periods.period_start_on,
        periods.period_end_on,
        periods.plan_version
    from first_periods
    inner join periods
        on first_periods.period_kind = periods.period_kind and first_periods.first_on <= periods.period_start_on
),

advanced as (
    select
        user_id,
        period_kind,
        period_start_on,
        sum(case when is_recoverable then advance_cents else 0 end) as recoverable_cents,
        sum(case when is_recoverable then 0 else advance_cents end) as guaranteed_cents
    from advances
    group by user_id, period_kind, period_start_on
),

lines as (
    select
        user_id,
        period_kind,
        period_start_on,
        amount_cents
    from {{ ref('int_incentive_pay_lines') }}

    union all

    select
        user_id,
        period_kind,
        period_start_on,
        amount_cents
    from {{ ref('int_incentive_clawbacks') }}
),

pay_days as (
    select
        lines.user_id,
        pay_periods.period_end_on,
        sum(lines.amount_cents) as amount_cents
    from lines
    inner join {{ ref('int_periods_progressed') }} as pay_periods
        on lines.period_kind = pay_periods.period_kind and lines.period_start_on = pay_periods.period_start_on
    group by lines.user_id, pay_periods.period_end_on
),

earned as (
    select
        spine.user_id,
        spine.period_kind,
        spine.period_start_on,
        sum(pay_days.amount_cents) as earned_cents
    from spine
    inner join pay_days
        on spine.user_id = pay_days.user_id
            and pay_days.period_end_on between spine.period_start_on and spine.period_end_on
    group by spine.user_id, spine.period_kind, spine.period_start_on
),

summed as (
    select
        spine.*,
        cast(coalesce(advanced.recoverable_cents, 0) as bigint) as recoverable_cents,
        cast(coalesce(advanced.guaranteed_cents, 0) as bigint) as guaranteed_cents,
        cast(coalesce(earned.earned_cents, 0) as bigint) as earned_cents,
        cast(
            least(greatest(coalesce(earned.earned_cents, 0), 0), coalesce(advanced.guaranteed_cents, 0)) as bigint
        ) as guaranteed_set_off_cents
    from spine
    left join advanced
        on spine.user_id = advanced.user_id and spine.period_start_on = advanced.period_start_on
    left join earned
        on spine.user_id = earned.user_id and spine.period_start_on = earned.period_start_on
),

-- A guarantee is set off first. What is owed after a period is what was owed before + advances - what is left of the
-- earnings, never below 0: a running sum less the lowest that it has been.
running as (
    select
        *,
        sum(recoverable_cents - (greatest(earned_cents, 0) - guaranteed_set_off_cents)) over (
            partition by user_id order by period_start_on rows between unbounded preceding and current row
        ) as running_cents
    from summed
),

owed as (
    select
        *,
        cast(
            running_cents - least(
                min(running_cents) over (
                    partition by user_id order by period_start_on rows between unbounded preceding and current row
                ),
                0
            ) as bigint
        ) as owed_cents
    from running
),

final as (
    select
        user_id,
        period_kind,
        period_start_on,
        plan_version,
        recoverable_cents,
        guaranteed_cents,
        earned_cents,
        guaranteed_set_off_cents,
        coalesce(lag(owed_cents) over (partition by user_id order by period_start_on), 0) as owed_before_cents,
        owed_cents
    from owed
)

select * from final

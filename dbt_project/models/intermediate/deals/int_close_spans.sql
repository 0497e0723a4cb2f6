-- Grain: one period to come (month, quarter), stage (0: a deal's whole life), segment, and ages at which stays count.

{#
    A stay counts at the ages from 0 to `seen_until`: at the end of so many days the deal was still there, and
    since then the days have passed that the running period still has. At the ages from `won_from` on, it was won
    within these.
    The period is that of the day after the night, on which it is read: on its last night there is another to come.
    Whatever became of a deal, it counts only where its time is up, so that nothing is judged too early.
#}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

horizons as (

    select
        'month' as period_kind,
        {{ days_between('run.as_of_date', 'dates.month_end_on') }} as days_left
    from run
    inner join {{ ref('int_dates') }} as dates on {{ add_days('run.as_of_date', 1) }} = dates.day

    union all

    select
        'quarter' as period_kind,
        {{ days_between('run.as_of_date', 'dates.quarter_end_on') }} as days_left
    from run
    inner join {{ ref('int_dates') }} as dates on {{ add_days('run.as_of_date', 1) }} = dates.day

),

longest as (

    select max(days_left) as days_left
    from horizons

),

stays as (

    select
        stage_no,
        segment_no,
        entered_on,
        left_on,
        case when is_deal_won then deal_closed_on end as won_on
    from {{ ref('int_stage_spells') }}
    where not is_entry_assumed

    union all

    select
        {{ unknown_stage_no() }} as stage_no,
        segment_no,
        created_on as entered_on,
        closed_on as left_on,
        case when is_won then closed_on end as won_on
    from {{ ref('int_opportunities') }}
    where not is_deleted and created_at is not null and (closed_on is not null or not is_closed)

),

measured as (

    select
        stays.stage_no,
        stays.segment_no,
        {{ days_between('stays.entered_on', 'coalesce(stays.left_on, ' ~ add_days('run.as_of_date', 1) ~ ')') }} - 1
            as last_age,
        {{ days_between('stays.entered_on', 'run.as_of_date') }} as days_since,
        {{ days_between('stays.entered_on', 'stays.won_on') }} as won_age
    from stays
    cross join run

),

-- Stays that count at the same ages are one row from here on: how long ago one ended tells nothing once it is longer
-- than a period still has, nor does a result that came later than in time.
alike as (

    select
        measured.stage_no,
        measured.segment_no,
        measured.last_age,
        least(measured.days_since - measured.last_age, longest.days_left) as days_after,
        case when measured.won_age - longest.days_left <= measured.last_age then measured.won_age end as won_age,
        count(*) as n
    from measured
    cross join longest
    where measured.last_age >= 0
    group by
        measured.stage_no,
        measured.segment_no,
        measured.last_age,
        least(measured.days_since - measured.last_age, longest.days_left),
        case when measured.won_age - longest.days_left <= measured.last_age then measured.won_age end

),

spans as (

    select
        horizons.period_kind,
        alike.stage_no,
        alike.segment_no,
        least(alike.last_age, alike.last_age + alike.days_after - horizons.days_left) as seen_until,
        case when alike.won_age is not null then greatest(alike.won_age - horizons.days_left, 0) end as won_from,
        alike.n
    from alike
    cross join horizons
    where alike.last_age + alike.days_after >= horizons.days_left

),

final as (

    select
        period_kind,
        stage_no,
        segment_no,
        seen_until,
        case when won_from <= seen_until then won_from end as won_from,
        cast(sum(n) as bigint) as n
    from spans
    group by period_kind, stage_no, segment_no, seen_until, case when won_from <= seen_until then won_from end

)

select * from final

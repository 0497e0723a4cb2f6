-- Grain: one period to come (month, quarter), stage (0: a deal's whole life), segment (all and each), age in days.

{#
    Of past deals that were still in the stage at the end of this many days, how many were won within the days that the
    running period still has: for each stay two steps up and one down, and a running sum over ages counts all stays at
    all ages at once.
#}
{% set least_n = 20 %}

with spans as (

    select * from {{ ref('int_close_spans') }}

),

steps as (

    select
        period_kind,
        stage_no,
        segment_no,
        0 as age_days,
        sum(n) as n,
        0 as won
    from spans
    group by period_kind, stage_no, segment_no

    union all

    select
        period_kind,
        stage_no,
        segment_no,
        won_from as age_days,
        0 as n,
        sum(n) as won
    from spans
    where won_from <= seen_until
    group by period_kind, stage_no, segment_no, won_from

    union all

    select
        period_kind,
        stage_no,
        segment_no,
        seen_until + 1 as age_days,
        -sum(n) as n,
        -sum(case when won_from <= seen_until then n else 0 end) as won
    from spans
    group by period_kind, stage_no, segment_no, seen_until + 1

),

with_total as (

    select * from steps

    union all

    select
        period_kind,
        stage_no,
        {{ all_segments_no() }} as segment_no,
        age_days,
        n,
        won
    from steps

),

summed as (

    select
        period_kind,
        stage_no,
        segment_no,
        age_days,
        sum(n) as n,
        sum(won) as won
    from with_total
    group by period_kind, stage_no, segment_no, age_days

),

running as (

    select
        period_kind,
        stage_no,
        segment_no,
        age_days,
        lead(age_days) over by_age as next_age_days,
        cast(sum(n) over by_age as bigint) as n,
        cast(sum(won) over by_age as bigint) as won
    from summed
    window by_age as (partition by period_kind, stage_no, segment_no order by age_days)

),

-- Every age up to the last at which a deal was seen.
at_each_age as (

    select
        period_kind,
        stage_no,
        segment_no,
        cast({{ each_number('age_days', 'next_age_days') }} as integer) as age_days,
        n,
        won
    from running
    where next_age_days is not null

),

-- The oldest age of which enough deals are known, and the share over all ages (deal days won in time ÷ deal days).
known as (

    select
        period_kind,
        stage_no,
        coalesce(
            max(case when n >= {{ least_n }} then age_days end),
            max(case when n > 0 then age_days end)
        ) as known_until,
        {{ ratio('sum(won)', 'sum(n)') }} as share_at_any_age
    from at_each_age
    where segment_no = {{ all_segments_no() }}
    group by period_kind, stage_no

),

final as (

    select
        at_each_age.*,
        known.known_until,
        known.share_at_any_age
    from at_each_age
    inner join known on at_each_age.period_kind = known.period_kind and at_each_age.stage_no = known.stage_no
    where at_each_age.n > 0 and at_each_age.age_days <= known.known_until

)

select * from final

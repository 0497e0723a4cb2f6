-- Grain: one open stage and segment ('all' for the company): the days within which four fifths of deals leave it.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

-- Of deals first seen on their way, only those that stay long are seen: their dwell would bias the estimate upward.
lengths as (

    select
        spells.stage_no,
        spells.segment,
        {{ days_between('spells.entered_on', 'coalesce(spells.left_on, run.as_of_date)') }} as dwell_days,
        sum(case when spells.left_on is not null then 1 else 0 end) as n_event,
        sum(case when spells.left_on is null then 1 else 0 end) as n_censored
    from {{ ref('int_stage_spells') }} as spells
    cross join run
    where not spells.is_entry_assumed
    group by
        spells.stage_no, spells.segment,
        {{ days_between('spells.entered_on', 'coalesce(spells.left_on, run.as_of_date)') }}

),

counted as (

    select * from lengths

    union all

    select
        stage_no,
        'all' as segment,
        dwell_days,
        sum(n_event) as n_event,
        sum(n_censored) as n_censored
    from lengths
    group by stage_no, dwell_days

),

at_risk as (

    select
        counted.*,
        sum(n_event + n_censored) over (
            partition by stage_no, segment order by dwell_days
            rows between current row and unbounded following
        ) as n_at_risk
    from counted

),

-- Kaplan and Meier: S(t) = product over lengths up to t of (1 - left ÷ still there), as a sum of logarithms.
survival as (

    select
        at_risk.*,
        round(exp(sum(
            case when n_event = n_at_risk then -1000 else ln(1 - cast(n_event as double) / n_at_risk) end
        ) over (
            partition by stage_no, segment order by dwell_days rows between unbounded preceding and current row
        )), 9) as share_still_there
    from at_risk

),

final as (

    select
        stage_no,
        segment,
        cast(min(case when share_still_there <= 0.2 then dwell_days end) as integer) as p80_days,
        cast(sum(n_event) as bigint) as n_event
    from survival
    group by stage_no, segment

)

select * from final

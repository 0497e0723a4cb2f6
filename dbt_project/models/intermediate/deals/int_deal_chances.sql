-- Grain: one open opportunity and period that runs tonight (month, quarter): how likely it is won within it.

{#
    By deals that were in its stage at its age, or, where its entry was not seen or fewer than 20 such deals are known,
    by deals of its age since creation. Each count is pulled towards the next coarser one by the weight of 20 deals:
    segment -> all segments -> any age.
#}
{% set least_n = 20 %}
{% set prior_weight = 20 %}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

periods as (

    select 'month' as period_kind
    union all
    select 'quarter' as period_kind

),

chances as (

    select * from {{ ref('int_close_chances') }}

),

known as (

    select distinct
        period_kind,
        stage_no,
        known_until
    from chances
    where segment_no = {{ all_segments_no() }}

),

deals as (

    select
        opportunities.okey,
        opportunities.segment_no,
        spells.stage_no,
        {{ days_between('spells.entered_on', 'run.as_of_date') }} as stage_age,
        case
            when opportunities.created_at is not null
                then {{ days_between('opportunities.created_on', 'run.as_of_date') }}
        end as deal_age
    from {{ ref('int_opportunities') }} as opportunities
    cross join run
    left join {{ ref('int_stage_spells') }} as spells
        on opportunities.okey = spells.okey and spells.left_on is null and not spells.is_entry_assumed
    where not opportunities.is_closed and not opportunities.is_deleted

),

-- An age beyond all that is known is read as the oldest that is.
aged as (

    select
        deals.okey,
        deals.segment_no,
        periods.period_kind,
        deals.stage_no,
        least(deals.stage_age, in_stage.known_until) as stage_age,
        least(deals.deal_age, in_life.known_until) as deal_age
    from deals
    cross join periods
    left join known as in_stage
        on periods.period_kind = in_stage.period_kind and deals.stage_no = in_stage.stage_no
    left join known as in_life
        on periods.period_kind = in_life.period_kind and in_life.stage_no = {{ unknown_stage_no() }}

),

based as (

    select
        aged.okey,
        aged.segment_no,
        aged.period_kind,
        coalesce(by_stage.n, 0) >= {{ least_n }} or by_life.n is null as is_by_stage,
        case
            when coalesce(by_stage.n, 0) >= {{ least_n }} or by_life.n is null then aged.stage_no
            else {{ unknown_stage_no() }}
        end as basis_stage_no,
        case
            when coalesce(by_stage.n, 0) >= {{ least_n }} or by_life.n is null then aged.stage_age
            else aged.deal_age
        end as basis_age
    from aged
    left join chances as by_stage
        on
            aged.period_kind = by_stage.period_kind
            and aged.stage_no = by_stage.stage_no
            and by_stage.segment_no = {{ all_segments_no() }}
            and aged.stage_age = by_stage.age_days
    left join chances as by_life
        on
            aged.period_kind = by_life.period_kind
            and by_life.stage_no = {{ unknown_stage_no() }}
            and by_life.segment_no = {{ all_segments_no() }}
            and aged.deal_age = by_life.age_days

),

final as (

    select
        based.okey,
        based.period_kind,
        case when based.is_by_stage then 'days_in_stage' else 'days_since_creation' end as basis,
        based.basis_age as basis_days,
        alike.n,
        alike.won,
        round(
            (
                coalesce(in_segment.won, 0)
                + {{ prior_weight }} * (alike.won + {{ prior_weight }} * alike.share_at_any_age)
                / (alike.n + {{ prior_weight }})
            ) / (coalesce(in_segment.n, 0) + {{ prior_weight }}), 6
        ) as chance
    from based
    inner join chances as alike
        on
            based.period_kind = alike.period_kind
            and based.basis_stage_no = alike.stage_no
            and alike.segment_no = {{ all_segments_no() }}
            and based.basis_age = alike.age_days
    left join chances as in_segment
        on
            based.period_kind = in_segment.period_kind
            and based.basis_stage_no = in_segment.stage_no
            and based.segment_no = in_segment.segment_no
            and based.basis_age = in_segment.age_days

)

select * from final

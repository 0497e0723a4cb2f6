-- Grain: one tier of one person's rule in one pay period: the part of the credited value that it takes.
with

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
),

tiers as (
    select * from {{ ref('stg_night__incentive_tiers') }}
),

bases as (
    select * from {{ ref('int_incentive_bases') }}
),

bounded as (
    select
        entitled.pay_no,
        entitled.kind,
        entitled.tier_mode,
        entitled.target_pay_cents,
        tiers.tier_no,
        tiers.at_least,
        tiers.next_at_least,
        tiers.rate,
        bases.credited_hundredths,
        {{ value_at('tiers.at_least', 'bases.target_hundredths') }} as from_hundredths,
        {{ value_at('tiers.next_at_least', 'bases.target_hundredths') }} as to_hundredths
    from entitled
    inner join tiers on entitled.plan_version = tiers.plan_version and entitled.rule_id = tiers.rule_id
    inner join bases on entitled.pay_no = bases.pay_no
),

taken as (
    select
        *,
        coalesce(
            credited_hundredths >= from_hundredths
            and (to_hundredths is null or credited_hundredths < to_hundredths),
            false
        ) as is_highest,
        coalesce(
            greatest(least(credited_hundredths, coalesce(to_hundredths, credited_hundredths)) - from_hundredths, 0), 0
        ) as slice_hundredths
    from bounded
    where from_hundredths is not null
),

based as (
    select
        *,
        case
            when tier_mode = 'marginal' then slice_hundredths
            when not is_highest then 0
            when kind = 'bonus' then target_pay_cents
            else greatest(credited_hundredths, 0)
        end as base_hundredths
    from taken
),

final as (
    select
        pay_no,
        tier_no,
        at_least,
        next_at_least,
        rate,
        cast(base_hundredths as bigint) as base_hundredths,
        {{ rate_of('base_hundredths', 'rate') }} as amount_cents
    from based
    where base_hundredths > 0
)

select * from final

-- Grain: one line of what a person earns by a rule in a pay period: a tier, a bonus, units, why nothing, the cap.
with

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
),

bases as (
    select * from {{ ref('int_incentive_bases') }}
),

refused as (
    select distinct pay_no
    from {{ ref('int_incentive_conditions') }}
    where not is_met
),

first_tiers as (
    select
        plan_version,
        rule_id,
        at_least
    from {{ ref('stg_night__incentive_tiers') }}
    where tier_no = 1
),

-- A rule one of whose conditions does not hold pays nothing, and its conditions say why.
open_rules as (
    select
        entitled.*,
        first_tiers.at_least as first_at_least,
        bases.target_hundredths,
        bases.credited_hundredths,
        {{ value_at('first_tiers.at_least', 'bases.target_hundredths') }} as first_hundredths
    from entitled
    inner join bases on entitled.pay_no = bases.pay_no
    left join first_tiers
        on entitled.plan_version = first_tiers.plan_version and entitled.rule_id = first_tiers.rule_id
    left join refused on entitled.pay_no = refused.pay_no
    where refused.pay_no is null
),

tiers as (
    select tiers.*
    from {{ ref('int_incentive_tiers') }} as tiers
    inner join open_rules on tiers.pay_no = open_rules.pay_no
),

found as (
    select
        pay_no,
        case
            when first_hundredths is null then 'no_target'
            when tier_mode = 'marginal' then 'below'
            else 'missed'
        end as line_kind,
        0 as tier_no,
        cast(null as decimal(18, 6)) as tier_from,
        first_at_least as tier_to,
        cast(
            case
                when tier_mode = 'marginal'
                    then least(credited_hundredths, coalesce(first_hundredths, credited_hundredths))
                else credited_hundredths
            end as bigint
        ) as base_hundredths,
        cast(null as decimal(18, 6)) as rate,
        cast(0 as bigint) as amount_cents
    from open_rules
    where
        first_at_least > 0
        and (
            first_hundredths is null
            or (credited_hundredths > 0 and (tier_mode = 'marginal' or credited_hundredths < first_hundredths))
        )

    union all

    select
        pay_no,
        'tier' as line_kind,
        tier_no,
        at_least as tier_from,
        next_at_least as tier_to,
        base_hundredths,
        rate,
        amount_cents
    from tiers

    union all

    select
        pay_no,
        'per_unit' as line_kind,
        0 as tier_no,
        cast(null as decimal(18, 6)) as tier_from,
        cast(null as decimal(18, 6)) as tier_to,
        credited_hundredths as base_hundredths,
        cast(per_unit_cents * 0.01 as decimal(18, 6)) as rate,
        {{ rounded_part('credited_hundredths', 'per_unit_cents', '100') }} as amount_cents
    from open_rules
    where per_unit_cents is not null and credited_hundredths > 0
),

summed as (
    select
        pay_no,
        sum(amount_cents) as amount_cents
    from found
    group by pay_no
),

capped as (
    select
        open_rules.pay_no,
        'cap' as line_kind,
        99 as tier_no,
        cast(null as decimal(18, 6)) as tier_from,
        cast(null as decimal(18, 6)) as tier_to,
        open_rules.cap_cents as base_hundredths,
        cast(null as decimal(18, 6)) as rate,
        cast(open_rules.cap_cents - summed.amount_cents as bigint) as amount_cents
    from open_rules
    inner join summed on open_rules.pay_no = summed.pay_no
    where summed.amount_cents > open_rules.cap_cents
),

-- Who has nothing to be paid on is told so.
without_result as (
    select
        open_rules.pay_no,
        'no_result' as line_kind,
        0 as tier_no,
        cast(null as decimal(18, 6)) as tier_from,
        cast(null as decimal(18, 6)) as tier_to,
        open_rules.credited_hundredths as base_hundredths,
        cast(null as decimal(18, 6)) as rate,
        cast(0 as bigint) as amount_cents
    from open_rules
    left join summed on open_rules.pay_no = summed.pay_no
    where summed.pay_no is null
),

final as (
    select * from found
    union all
    select * from capped
    union all
    select * from without_result
)

select * from final

-- Grain: one row per metric × kind of period × node: how much has to stand open tonight for one to come.
{% set kinds = ['month', 'quarter', 'half', 'year'] %}
{% set enough = 30 %}
with

conversions as (
    select * from {{ ref('int_coverage_conversions') }}
),

dated as (
    select * from {{ ref('int_open_deals_dated') }}
),

dates as (
    select * from {{ ref('int_dates') }}
),

tonight as (
    select dates.*
    from dates
    inner join {{ ref('stg_night__run') }} as runs on dates.day = runs.as_of_date
),

ancestors as (
    select * from {{ ref('int_node_ancestors') }}
),

in_all as (
    select
        period_kind,
        sum(deals) as deals,
        sum(deals_won) as deals_won,
        sum(open_cents) as open_cents,
        sum(won_cents) as won_cents
    from conversions
    group by period_kind
),

-- A stage in which few deals stood then converts as all of them did.
rates as (
    select
        stages.stage_no,
        in_all.period_kind,
        in_all.deals as n_deals,
        case
            when own.deals >= {{ enough }} then {{ ratio('own.won_cents', 'own.open_cents') }}
            else {{ ratio('in_all.won_cents', 'in_all.open_cents') }}
        end as amount_rate,
        case
            when own.deals >= {{ enough }} then {{ ratio('own.deals_won', 'own.deals') }}
            else {{ ratio('in_all.deals_won', 'in_all.deals') }}
        end as count_rate
    from in_all
    cross join {{ ref('stg_night__stages') }} as stages
    left join conversions as own
        on in_all.period_kind = own.period_kind
            and stages.stage_no = own.stage_no
    where in_all.deals >= {{ enough }}
),

monthly as (
    select
        dated.node_no,
        dated.stage_no,
        {% for kind in kinds %}
            dates.{{ kind }}_start_on = tonight.{{ kind }}_start_on as is_in_{{ kind }},
        {% endfor %}
        sum(coalesce(dated.amount_cents, 0)) as open_cents,
        count(*) as deals
    from dated
    inner join dates on dated.forecast_close_on = dates.day
    cross join tonight
    group by
        dated.node_no,
        dated.stage_no
        {%- for kind in kinds %},
            dates.{{ kind }}_start_on = tonight.{{ kind }}_start_on
        {%- endfor %}
),

open_deals as (
    {% for kind in kinds %}
        select
            '{{ kind }}' as period_kind,
            node_no,
            stage_no,
            open_cents,
            deals
        from monthly
        where is_in_{{ kind }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

summed as (
    select
        open_deals.period_kind,
        ancestors.ancestor_node_key as node_key,
        max(rates.n_deals) as n_deals,
        sum(open_deals.open_cents) as open_cents,
        sum(open_deals.open_cents * rates.amount_rate) as expected_cents,
        sum(open_deals.deals) as deals,
        sum(open_deals.deals * rates.count_rate) as expected_deals
    from open_deals
    inner join ancestors on open_deals.node_no = ancestors.node_no
    inner join rates
        on open_deals.period_kind = rates.period_kind
            and open_deals.stage_no = rates.stage_no
    group by open_deals.period_kind, ancestors.ancestor_node_key
),

final as (
    select
        'bookings' as metric,
        period_kind,
        node_key,
        round({{ ratio('open_cents', 'expected_cents') }}, 6) as coverage_required,
        cast(n_deals as bigint) as n_deals
    from summed

    union all

    select
        'won_count' as metric,
        period_kind,
        node_key,
        round({{ ratio('deals', 'expected_deals') }}, 6) as coverage_required,
        cast(n_deals as bigint) as n_deals
    from summed
)

select * from final

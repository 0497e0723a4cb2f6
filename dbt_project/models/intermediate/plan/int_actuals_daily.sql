-- Grain: one row per metric × rep node × day on which something happened, up to and including the as-of date.
{% set channel = ref('int_channel_actuals') %}
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

opportunities as (
    select * from {{ ref('int_opportunities') }}
    where not is_deleted and is_closed
),

-- The money of won deals is kept for their mean: bookings may come from contracts or order lines.
closed as (
    select
        node_key,
        closed_on as happened_on,
        is_won,
        coalesce(sum(amount_cents), 0) as amount_cents,
        count(amount_cents) as n_amounts,
        count(*) as n
    from opportunities
    group by node_key, closed_on, is_won
),

measured as (
    select
        case when is_won then 'won_count' else 'lost_count' end as metric,
        node_key,
        happened_on,
        n * 100 as hundredths,
        n,
        null as denominator_hundredths
    from closed

    union all

    select
        'won_amount' as metric,
        node_key,
        happened_on,
        amount_cents as hundredths,
        n_amounts as n,
        null as denominator_hundredths
    from closed
    where is_won

    union all

    select
        metric,
        node_key,
        happened_on,
        n * 100 as hundredths,
        n,
        null as denominator_hundredths
    from {{ ref('int_step_actuals') }}

    union all

    select
        metric,
        node_key,
        happened_on,
        hundredths,
        n,
        denominator_hundredths
    from {{ ref('int_money_actuals') }}
    {% if is_built(channel) %}
        union all

        select
            metric,
            node_key,
            happened_on,
            hundredths,
            n,
            denominator_hundredths
        from {{ channel }}
    {% endif %}
),

final as (
    select
        measured.metric,
        measured.node_key,
        measured.happened_on,
        cast(measured.hundredths as bigint) as hundredths,
        cast(measured.n as bigint) as n,
        cast(measured.denominator_hundredths as bigint) as denominator_hundredths
    from measured
    cross join runs
    where measured.happened_on <= runs.as_of_date
)

select * from final

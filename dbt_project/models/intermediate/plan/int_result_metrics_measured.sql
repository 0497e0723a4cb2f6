-- Grain: one row per result metric × period × node, from the node's first event or target to the as-of date.
{% set sums = ['bookings', 'won_count', 'lost_count', 'created_count', 'won_amount'] %}
with

periods as (
    select * from {{ ref('int_periods_progressed') }}
    where has_begun
),

actuals as (
    select * from {{ ref('int_actuals_rolled_up') }}
    where metric in ('{{ sums | join("', '") }}')
),

cycles as (
    select * from {{ ref('int_won_cycles_measured') }}
),

-- Who is to be hired stands in the plan before the CRM knows them; there is nothing yet to look back on.
targets as (
    select * from {{ ref('int_targets_planned') }}
    where is_node_known
),

events as (
    select
        node_key,
        period_start_on
    from actuals
    where period_kind = 'month'

    union

    select
        node_key,
        period_start_on
    from targets
),

first_events as (
    select
        node_key,
        min(period_start_on) as first_on
    from events
    group by node_key
),

-- A period without any event is a row too: falling to nothing is what a review has to show.
spine as (
    select
        periods.period_kind,
        periods.period_start_on,
        first_events.node_key
    from first_events
    inner join periods on first_events.first_on <= periods.period_end_on
),

pivoted as (
    select
        period_kind,
        period_start_on,
        node_key,
        {% for metric in sums %}
            sum(case when metric = '{{ metric }}' then hundredths end) as {{ metric }},
        {% endfor %}
        sum(case when metric = 'bookings' then n end) as bookings_n,
        sum(case when metric = 'won_amount' then n end) as won_amount_n
    from actuals
    group by period_kind, period_start_on, node_key
),

joined as (
    select
        spine.*,
        {% for column in sums + ['bookings_n', 'won_amount_n'] %}
            coalesce(pivoted.{{ column }}, 0) as {{ column }},
        {% endfor %}
        coalesce(cycles.won_deals, 0) as cycle_n,
        cycles.median_hundredth_days
    from spine
    left join pivoted
        on spine.period_kind = pivoted.period_kind
            and spine.period_start_on = pivoted.period_start_on
            and spine.node_key = pivoted.node_key
    left join cycles
        on spine.period_kind = cycles.period_kind
            and spine.period_start_on = cycles.period_start_on
            and spine.node_key = cycles.node_key
),

-- Every metric is a numerator (in hundredths, so that half a day and a cent are whole) over a denominator.
{% set metrics = [
    ('bookings', 'bookings', '1', 'bookings_n'),
    ('won_count', 'won_count', '1', 'won_count / 100'),
    ('lost_count', 'lost_count', '1', 'lost_count / 100'),
    ('created_count', 'created_count', '1', 'created_count / 100'),
    ('win_rate_close_n', 'won_count', '(won_count + lost_count) / 100', '(won_count + lost_count) / 100'),
    ('mean_won_amount', 'won_amount', 'won_amount_n', 'won_amount_n'),
    ('median_cycle_days', 'median_hundredth_days', '1', 'cycle_n'),
] %}
measured as (
    {% for metric, numerator, denominator, n in metrics %}
        select
            '{{ metric }}' as metric,
            period_kind,
            period_start_on,
            node_key,
            cast({{ numerator }} as bigint) as numerator_hundredths,
            cast({{ denominator }} as bigint) as denominator,
            cast({{ n }} as bigint) as n
        from joined
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select
        metric,
        period_kind,
        period_start_on,
        node_key,
        case
            -- By multiplication, which keeps every cent: engines divide decimals as floats.
            when denominator = 1
                then cast(cast(numerator_hundredths as decimal(18, 0)) * cast(0.01 as decimal(3, 2)) as decimal(24, 6))
            else cast(round({{ ratio('numerator_hundredths', 'denominator * 100') }}, 6) as decimal(24, 6))
        end as actual,
        numerator_hundredths,
        denominator,
        n
    from measured
)

select * from final

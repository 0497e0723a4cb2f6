-- Grain: one row per period × node in which a deal of known creation was won, up to and including the as-of date.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

dates as (
    select * from {{ ref('int_dates') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

-- Everybody is under the company all the time: its rows are the spans in which a person stood in one place.
spans as (
    select
        node_key,
        valid_from,
        valid_to
    from ancestors
    where ancestor_level = 0
),

-- Deals of one length that were won in one month by one node are one row: medians are taken of counts, not of deals.
lengths as (
    select
        opportunities.node_key,
        spans.valid_from as stood_from,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.half_start_on,
        dates.year_start_on,
        {{ days_between('opportunities.created_on', 'opportunities.closed_on') }} as cycle_days,
        count(*) as deals
    from {{ ref('int_opportunities') }} as opportunities
    cross join runs
    inner join dates on opportunities.closed_on = dates.day
    inner join spans
        on opportunities.node_key = spans.node_key
            and opportunities.closed_on between spans.valid_from and spans.valid_to
    where
        opportunities.is_won
        and not opportunities.is_deleted
        and opportunities.created_at is not null
        and opportunities.closed_on <= runs.as_of_date
    group by
        opportunities.node_key,
        spans.valid_from,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.half_start_on,
        dates.year_start_on,
        {{ days_between('opportunities.created_on', 'opportunities.closed_on') }}
),

periodic as (
    {% for kind in ['month', 'quarter', 'half', 'year'] %}
        select
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            node_key,
            stood_from,
            cycle_days,
            deals
        from lengths
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

grouped as (
    select
        periodic.period_kind,
        periodic.period_start_on,
        ancestors.ancestor_node_key as node_key,
        periodic.cycle_days,
        sum(periodic.deals) as deals
    from periodic
    inner join ancestors
        on periodic.node_key = ancestors.node_key
            and periodic.stood_from between ancestors.valid_from and ancestors.valid_to
    group by periodic.period_kind, periodic.period_start_on, ancestors.ancestor_node_key, periodic.cycle_days
),

ranked as (
    select
        *,
        sum(deals) over (
            partition by period_kind, period_start_on, node_key order by cycle_days
            rows between unbounded preceding and current row
        ) as deals_up_to,
        sum(deals) over (partition by period_kind, period_start_on, node_key) as deals_in_all
    from grouped
),

-- The middle deal, or the mean of the middle two.
final as (
    select
        period_kind,
        period_start_on,
        node_key,
        cast(max(deals_in_all) as bigint) as won_deals,
        cast(
            (
                min(case when deals_up_to * 2 >= deals_in_all then cycle_days end)
                + min(case when deals_up_to * 2 >= deals_in_all + 1 then cycle_days end)
            ) * 50 as bigint
        ) as median_hundredth_days
    from ranked
    group by period_kind, period_start_on, node_key
)

select * from final

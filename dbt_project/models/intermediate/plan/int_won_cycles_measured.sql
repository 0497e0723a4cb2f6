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

won as (
    select
        opportunities.node_no,
        opportunities.closed_on,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.half_start_on,
        dates.year_start_on,
        {{ days_between('opportunities.created_on', 'opportunities.closed_on') }} as cycle_days
    from {{ ref('int_opportunities') }} as opportunities
    cross join runs
    inner join dates on opportunities.closed_on = dates.day
    where
        opportunities.is_won
        and not opportunities.is_deleted
        and opportunities.created_at is not null
        and opportunities.closed_on <= runs.as_of_date
),

-- Where people stood on the day.
by_node as (
    select
        ancestors.ancestor_node_key as node_key,
        won.month_start_on,
        won.quarter_start_on,
        won.half_start_on,
        won.year_start_on,
        won.cycle_days
    from won
    inner join ancestors
        on won.node_no = ancestors.node_no
            and won.closed_on between ancestors.valid_from and ancestors.valid_to
),

-- The middle deal, or the mean of the middle two.
final as (
    {% for kind in ['month', 'quarter', 'half', 'year'] %}
        select
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            node_key,
            cast(count(*) as bigint) as won_deals,
            cast(median(cycle_days) * 100 as bigint) as median_hundredth_days
        from by_node
        group by {{ kind }}_start_on, node_key
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from final

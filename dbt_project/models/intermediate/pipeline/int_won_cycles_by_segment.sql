-- Grain: one period (month, quarter, fiscal year), node and segment (all and each): the cycles of deals won in it.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

dates as (

    select
        day,
        month_start_on,
        quarter_start_on,
        year_start_on
    from {{ ref('int_dates') }}

),

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

),

won as (

    select
        opportunities.node_no,
        opportunities.segment_no,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.year_start_on,
        {{ days_between('opportunities.created_on', 'opportunities.closed_on') }} as cycle_days
    from {{ ref('int_opportunities') }} as opportunities
    inner join run on opportunities.closed_on <= run.as_of_date
    inner join dates on opportunities.closed_on = dates.day
    where opportunities.is_won and not opportunities.is_deleted and opportunities.created_at is not null

),

by_node as (

    select
        ancestors.ancestor_node_no as node_no,
        won.segment_no,
        won.month_start_on,
        won.quarter_start_on,
        won.year_start_on,
        won.cycle_days
    from won
    inner join ancestors on won.node_no = ancestors.node_no

),

segmented as (

    select * from by_node

    union all

    select
        node_no,
        {{ all_segments_no() }} as segment_no,
        month_start_on,
        quarter_start_on,
        year_start_on,
        cycle_days
    from by_node

),

-- The middle deal, or the mean of the middle two.
final as (
    {% for kind in ['month', 'quarter', 'year'] %}
    select
        '{{ kind }}' as period_kind,
        {{ kind }}_start_on as period_start_on,
        node_no,
        segment_no,
        cast(count(*) as bigint) as cycle_n,
        cast(median(cycle_days) as decimal(12, 1)) as median_cycle_days
    from segmented
    group by {{ kind }}_start_on, node_no, segment_no
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final

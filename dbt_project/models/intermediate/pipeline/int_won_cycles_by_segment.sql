-- Grain: one period (month, quarter, fiscal year), node and segment ('all' and each): the cycles of deals won in it.

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

-- Deals of one length are one row: medians are taken of counts, not of deals.
lengths as (

    select
        opportunities.node_no,
        opportunities.segment,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.year_start_on,
        {{ days_between('opportunities.created_on', 'opportunities.closed_on') }} as cycle_days,
        count(*) as n
    from {{ ref('int_opportunities') }} as opportunities
    inner join run on opportunities.closed_on <= run.as_of_date
    inner join dates on opportunities.closed_on = dates.day
    where opportunities.is_won and not opportunities.is_deleted and opportunities.created_at is not null
    group by
        opportunities.node_no,
        opportunities.segment,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.year_start_on,
        {{ days_between('opportunities.created_on', 'opportunities.closed_on') }}

),

by_node as (

    select
        ancestors.ancestor_node_no as node_no,
        lengths.segment,
        lengths.month_start_on,
        lengths.quarter_start_on,
        lengths.year_start_on,
        lengths.cycle_days,
        cast(sum(lengths.n) as bigint) as n
    from lengths
    inner join ancestors on lengths.node_no = ancestors.node_no
    group by
        ancestors.ancestor_node_no, lengths.segment, lengths.cycle_days,
        lengths.month_start_on, lengths.quarter_start_on, lengths.year_start_on

),

segmented as (

    select * from by_node

    union all

    select
        node_no,
        'all' as segment,
        month_start_on,
        quarter_start_on,
        year_start_on,
        cycle_days,
        cast(sum(n) as bigint) as n
    from by_node
    group by node_no, month_start_on, quarter_start_on, year_start_on, cycle_days

),

periodic as (
    {% for kind in ['month', 'quarter', 'year'] %}
    select
        '{{ kind }}' as period_kind,
        {{ kind }}_start_on as period_start_on,
        node_no,
        segment,
        cycle_days,
        cast(sum(n) as bigint) as n
    from segmented
    group by {{ kind }}_start_on, node_no, segment, cycle_days
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

ranked as (

    select
        periodic.*,
        sum(n) over (
            partition by period_kind, period_start_on, node_no, segment order by cycle_days
            rows between unbounded preceding and current row
        ) as n_up_to,
        sum(n) over (partition by period_kind, period_start_on, node_no, segment) as n_in_all
    from periodic

),

-- The middle deal, or the mean of the middle two.
final as (

    select
        period_kind,
        period_start_on,
        node_no,
        segment,
        cast(max(n_in_all) as bigint) as cycle_n,
        (
            min(case when n_up_to * 2 >= n_in_all then cycle_days end)
            + min(case when n_up_to * 2 >= n_in_all + 1 then cycle_days end)
        ) * 0.5 as median_cycle_days
    from ranked
    group by period_kind, period_start_on, node_no, segment

)

select * from final

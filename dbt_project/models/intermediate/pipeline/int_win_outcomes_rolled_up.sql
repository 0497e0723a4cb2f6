-- Grain: one period (month, quarter, fiscal year), node and segment ('all' and each): deals closed and created in it.

{#
    A deal counts at its owner of tonight and at each node above in tonight's organisation. Deals that are gone tonight
    count nowhere but in created_deleted_n; those whose creation nobody stated have no age and are no cohort's.
#}
{% set measures = win_rate_measures() -%}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

opportunities as (

    select
        opportunities.*,
        opportunities.created_at is not null as is_dated,
        case
            when opportunities.is_won and opportunities.closed_on <= run.as_of_date
                then {{ days_between('opportunities.created_on', 'opportunities.closed_on') }}
        end as won_after_days
    from {{ ref('int_opportunities') }} as opportunities
    cross join run

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

closed as (

    select
        opportunities.node_no,
        opportunities.segment,
        opportunities.closed_on as day,
        sum(case when opportunities.is_won then 1 else 0 end) as won_count,
        sum(case when opportunities.is_won then 0 else 1 end) as lost_count,
        sum(case when opportunities.is_won then opportunities.amount_cents end) as won_cents,
        sum(case when not opportunities.is_won then opportunities.amount_cents end) as lost_cents,
        count(case when opportunities.is_won then opportunities.amount_cents end) as won_priced_n,
        count(case when not opportunities.is_won then opportunities.amount_cents end) as lost_priced_n
    from opportunities
    inner join run on opportunities.closed_on <= run.as_of_date
    where opportunities.is_closed and not opportunities.is_deleted
    group by opportunities.node_no, opportunities.segment, opportunities.closed_on

),

created as (

    select
        node_no,
        segment,
        created_on as day,
        sum(case when is_dated and not is_deleted then 1 else 0 end) as created_n,
        sum(case when is_dated and not is_deleted and is_won then 1 else 0 end) as created_won_n,
        sum(case when is_dated and not is_deleted and is_closed and not is_won then 1 else 0 end) as created_lost_n,
        sum(case when is_dated and not is_deleted and not is_closed then 1 else 0 end) as created_open_n,
        sum(case when not is_dated and not is_deleted then 1 else 0 end) as created_undated_n,
        sum(case when is_deleted then 1 else 0 end) as created_deleted_n,
        {% for age in cohort_ages() -%}
            sum(case when is_dated and not is_deleted and won_after_days <= {{ age }} then 1 else 0 end)
                as won_within_{{ age }}d_n{{ ',' if not loop.last }}
        {% endfor %}
    from opportunities
    group by node_no, segment, created_on

),

{% set of_closed = ['won_count', 'lost_count', 'won_cents', 'lost_cents', 'won_priced_n', 'lost_priced_n'] -%}
daily as (

    select
        node_no,
        segment,
        day,
        {% for measure in measures -%}
            {{ measure if measure in of_closed else '0' }} as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from closed

    union all

    select
        node_no,
        segment,
        day,
        {% for measure in measures -%}
            {{ '0' if measure in of_closed else measure }} as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from created

),

monthly as (

    select
        daily.node_no,
        daily.segment,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.year_start_on,
        {{ sum_each(measures, 'daily') }}
    from daily
    inner join dates on daily.day = dates.day
    group by daily.node_no, daily.segment, dates.month_start_on, dates.quarter_start_on, dates.year_start_on

),

by_node as (

    select
        ancestors.ancestor_node_no as node_no,
        monthly.segment,
        monthly.month_start_on,
        monthly.quarter_start_on,
        monthly.year_start_on,
        {{ sum_each(measures, 'monthly') }}
    from monthly
    inner join ancestors on monthly.node_no = ancestors.node_no
    group by
        ancestors.ancestor_node_no, monthly.segment,
        monthly.month_start_on, monthly.quarter_start_on, monthly.year_start_on

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
        {{ sum_each(measures) }}
    from by_node
    group by node_no, month_start_on, quarter_start_on, year_start_on

),

periods as (

    select
        period_kind,
        period_start_on,
        period_end_on
    from {{ ref('int_calendar_periods') }}
    where is_company

),

summed as (
    {% for kind in ['month', 'quarter', 'year'] %}
    select
        '{{ kind }}' as period_kind,
        {{ kind }}_start_on as period_start_on,
        node_no,
        segment,
        {{ sum_each(measures) }}
    from segmented
    group by {{ kind }}_start_on, node_no, segment
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (

    select
        summed.period_kind,
        summed.period_start_on,
        periods.period_end_on,
        summed.node_no,
        summed.segment,
        {{ each_column(measures, 'summed') }}
    from summed
    inner join periods
        on summed.period_kind = periods.period_kind and summed.period_start_on = periods.period_start_on

)

select * from final

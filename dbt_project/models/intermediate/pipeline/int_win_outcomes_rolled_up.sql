-- Grain: one period (month, quarter, fiscal year), node and segment (all and each): deals closed and created in it.

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
        opportunities.created_at is not null and not opportunities.is_deleted as is_cohort,
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

months as (

    select distinct
        month_start_on,
        quarter_start_on,
        year_start_on
    from dates

),

{{ parents_and_ancestors() }},

closed as (

    select
        opportunities.node_no,
        opportunities.segment_no,
        dates.month_start_on,
        count(case when opportunities.is_won then 1 end) as won_count,
        count(case when not opportunities.is_won then 1 end) as lost_count,
        sum(case when opportunities.is_won then opportunities.amount_cents end) as won_cents,
        sum(case when not opportunities.is_won then opportunities.amount_cents end) as lost_cents,
        count(case when opportunities.is_won then opportunities.amount_cents end) as won_priced_n,
        count(case when not opportunities.is_won then opportunities.amount_cents end) as lost_priced_n
    from opportunities
    inner join run on opportunities.closed_on <= run.as_of_date
    inner join dates on opportunities.closed_on = dates.day
    where opportunities.is_closed and not opportunities.is_deleted
    group by opportunities.node_no, opportunities.segment_no, dates.month_start_on

),

created as (

    select
        opportunities.node_no,
        opportunities.segment_no,
        dates.month_start_on,
        count(case when opportunities.is_cohort then 1 end) as created_n,
        count(case when opportunities.is_cohort and opportunities.is_won then 1 end) as created_won_n,
        count(case when opportunities.is_cohort and opportunities.is_closed and not opportunities.is_won then 1 end)
            as created_lost_n,
        count(case when opportunities.is_cohort and not opportunities.is_closed then 1 end) as created_open_n,
        count(case when not opportunities.is_dated and not opportunities.is_deleted then 1 end) as created_undated_n,
        count(case when opportunities.is_deleted then 1 end) as created_deleted_n,
        {% for age in cohort_ages() -%}
            count(case when opportunities.is_cohort and opportunities.won_after_days <= {{ age }} then 1 end)
                as won_within_{{ age }}d_n{{ ',' if not loop.last }}
        {% endfor %}
    from opportunities
    inner join dates on opportunities.created_on = dates.day
    group by opportunities.node_no, opportunities.segment_no, dates.month_start_on

),

{% set of_closed = ['won_count', 'lost_count', 'won_cents', 'lost_cents', 'won_priced_n', 'lost_priced_n'] -%}
monthly as (

    select
        coalesce(closed.node_no, created.node_no) as node_no,
        coalesce(closed.segment_no, created.segment_no) as segment_no,
        coalesce(closed.month_start_on, created.month_start_on) as month_start_on,
        {% for measure in measures -%}
            {% set side = 'closed' if measure in of_closed else 'created' -%}
            cast(coalesce({{ side }}.{{ measure }}, 0) as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from closed
    full join created
        on
            closed.node_no = created.node_no
            and closed.segment_no = created.segment_no
            and closed.month_start_on = created.month_start_on

),

{{ at_every_node('monthly', ['segment_no', 'month_start_on'], measures) }},

{{ with_all_segments(['month_start_on'], measures) }},

periods as (

    select
        period_kind,
        period_start_on,
        period_end_on
    from {{ ref('int_calendar_periods') }}
    where is_company

),

summed as (

    select
        'month' as period_kind,
        month_start_on as period_start_on,
        node_no,
        segment_no,
        {{ each_column(measures) }}
    from segmented

    {% for kind in ['quarter', 'year'] -%}
        union all

        select
            '{{ kind }}' as period_kind,
            months.{{ kind }}_start_on as period_start_on,
            segmented.node_no,
            segmented.segment_no,
            {{ sum_each(measures, 'segmented') }}
        from segmented
        inner join months on segmented.month_start_on = months.month_start_on
        group by months.{{ kind }}_start_on, segmented.node_no, segmented.segment_no

    {% endfor %}
),

final as (

    select
        summed.period_kind,
        summed.period_start_on,
        periods.period_end_on,
        summed.node_no,
        summed.segment_no,
        {{ each_column(measures, 'summed') }}
    from summed
    inner join periods
        on summed.period_kind = periods.period_kind and summed.period_start_on = periods.period_start_on

)

select * from final

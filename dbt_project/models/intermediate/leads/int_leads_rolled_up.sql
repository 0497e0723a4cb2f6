-- Grain: one period of creation (month, quarter), node and cell of source, quality, industry and segment.

{{ config(materialized='view') }}

{#
    Cells: the total; each value of each dimension with 'all' in the others; in quarters also source × quality. Every
    other combination would multiply the rows and leave a handful of leads in each. Leads are counted once, by the
    combination that they state; cells are made of those counts, and have a number until they are few.
-#}
{% set dimensions = ['source', 'quality', 'industry', 'segment'] -%}
{% set measures = [
    'leads', 'touched', 'qualified', 'converted', 'disqualified', 'converted_undated', 'within_30', 'within_60',
    'within_90', 'deals', 'won', 'lost', 'won_cents', 'open_cents'
] -%}

-- Pairs have no months: they are counted in the first one of their quarter that the calendar holds.
with months as (

    select distinct
        month_start_on,
        quarter_start_on,
        min(month_start_on) over (partition by quarter_start_on) as first_month_on
    from {{ ref('int_dates') }}

),

{{ parents_and_ancestors() }},

counted as (

    select
        leads.node_no,
        leads.cell_no,
        dates.month_start_on,
        leads.is_touched,
        leads.is_converted or leads.is_taken_on as is_qualified,
        leads.is_converted,
        leads.is_disqualified,
        leads.days_to_conversion,
        leads.has_brought_deal,
        leads.has_brought_deal and leads.is_deal_won as has_won,
        leads.has_brought_deal and leads.is_deal_closed and not leads.is_deal_won as has_lost,
        leads.has_brought_deal and not leads.is_deal_closed as is_open,
        leads.amount_cents
    from {{ ref('int_leads') }} as leads
    inner join {{ ref('int_dates') }} as dates on leads.created_on = dates.day

),

{% set counts -%}
    count(*) as leads,
        count(case when is_touched then 1 end) as touched,
        count(case when is_qualified then 1 end) as qualified,
        count(case when is_converted then 1 end) as converted,
        count(case when is_disqualified then 1 end) as disqualified,
        count(case when is_converted and days_to_conversion is null then 1 end) as converted_undated,
        count(case when days_to_conversion <= 30 then 1 end) as within_30,
        count(case when days_to_conversion <= 60 then 1 end) as within_60,
        count(case when days_to_conversion <= 90 then 1 end) as within_90,
        count(case when has_brought_deal then 1 end) as deals,
        count(case when has_won then 1 end) as won,
        count(case when has_lost then 1 end) as lost,
        cast(coalesce(sum(case when has_won then amount_cents end), 0) as bigint) as won_cents,
        cast(coalesce(sum(case when is_open then amount_cents end), 0) as bigint) as open_cents
{%- endset -%}

by_combination as (

    select
        node_no,
        month_start_on,
        cell_no,
        {{ counts }}
    from counted
    group by node_no, month_start_on, cell_no

),

stated as (

    select
        cell_no,
        {% for dimension in dimensions -%}
            {{ stated_value(dimension) }} as {{ dimension }}{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ ref('int_lead_cells') }}

),

-- The cells that each combination counts in.
shown as (

    {% for kept in [[], ['source'], ['quality'], ['industry'], ['segment'], ['source', 'quality']] -%}
        select
            cell_no,
            {{ kept | length }} as n_dimensions,
            {{ cell_columns(dimensions, kept) }}
        from stated
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

),

numbered as (

    select
        *,
        dense_rank() over (order by {{ dimensions | join(', ') }}) as shown_no
    from shown

),

shown_cells as (

    select distinct
        shown_no,
        n_dimensions,
        {{ each_column(dimensions) }}
    from numbered

),

by_rep as (

    select
        by_combination.node_no,
        case when numbered.n_dimensions < 2 then months.month_start_on else months.first_month_on end as month_start_on,
        numbered.shown_no,
        {{ sum_each(measures, 'by_combination') }}
    from by_combination
    inner join months on by_combination.month_start_on = months.month_start_on
    inner join numbered on by_combination.cell_no = numbered.cell_no
    group by
        by_combination.node_no,
        case when numbered.n_dimensions < 2 then months.month_start_on else months.first_month_on end,
        numbered.shown_no

),

{{ at_every_node('by_rep', ['month_start_on', 'shown_no'], measures) }},

by_quarter as (

    select
        months.quarter_start_on,
        by_node.node_no,
        by_node.shown_no,
        {{ sum_each(measures, 'by_node') }}
    from by_node
    inner join months on by_node.month_start_on = months.month_start_on
    group by months.quarter_start_on, by_node.node_no, by_node.shown_no

),

final as (

    {% for period, rows in [('month', 'by_node'), ('quarter', 'by_quarter')] -%}
        select
            '{{ period }}' as period_kind,
            {{ rows }}.{{ period }}_start_on as period_start_on,
            {{ rows }}.node_no,
            {{ each_column(dimensions, 'shown_cells') }},
            {{ each_column(measures, rows) }}
        from {{ rows }}
        inner join shown_cells on {{ rows }}.shown_no = shown_cells.shown_no
        {% if period == 'month' -%}
            where shown_cells.n_dimensions < 2

            union all

        {% endif %}
    {%- endfor %}

)

select * from final

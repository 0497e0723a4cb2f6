-- Grain: one period of creation (month, quarter), node and cell of source, quality, industry and segment.

{% set dimensions = ['source', 'quality', 'industry', 'segment'] -%}
{% set measures = [
    'leads', 'touched', 'qualified', 'converted', 'disqualified', 'converted_undated', 'within_30', 'within_60',
    'within_90', 'deals', 'won', 'lost', 'won_cents', 'open_cents'
] -%}

with run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

nodes as (

    select
        node_no,
        node_key,
        level
    from {{ ref('int_nodes') }}

),

periods as (

    select
        period_kind,
        period_start_on,
        period_end_on
    from {{ ref('int_periods_progressed') }}

),

costs as (

    select * from {{ ref('int_lead_costs') }}

),

cells_with_leads as (

    select * from {{ ref('int_leads_rolled_up') }}

),

-- A budget that brought no lead is spent all the same: its source has a row, and the total where no lead came at all.
budgets_without_leads as (

    select
        costs.period_kind,
        costs.period_start_on,
        nodes.node_no,
        costs.source
    from costs
    inner join nodes on nodes.level = 0
    left join cells_with_leads
        on
            costs.period_kind = cells_with_leads.period_kind
            and costs.period_start_on = cells_with_leads.period_start_on
            and nodes.node_no = cells_with_leads.node_no
            and costs.source = cells_with_leads.source
            and cells_with_leads.quality = 'all'
            and cells_with_leads.industry = 'all'
            and cells_with_leads.segment = 'all'
    where cells_with_leads.node_no is null

),

cells as (

    select
        period_kind,
        period_start_on,
        node_no,
        {{ each_column(dimensions) }},
        {{ each_column(measures) }}
    from cells_with_leads

    union all

    select
        period_kind,
        period_start_on,
        node_no,
        source,
        'all' as quality,
        'all' as industry,
        'all' as segment,
        {% for measure in measures -%}
            0 as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from budgets_without_leads

),

totals as (

    select
        period_kind,
        period_start_on,
        node_no,
        leads
    from cells
    where {% for dimension in dimensions %}{{ dimension }} = 'all'{{ ' and ' if not loop.last }}{% endfor %}

),

touch_times as (

    select * from {{ ref('int_lead_touch_times') }}

),

joined as (

    select
        cells.*,
        nodes.node_key,
        totals.leads as node_leads,
        {{ days_between('periods.period_end_on', 'run.as_of_date') }} as age_days,
        touch_times.touch_median_minutes,
        touch_times.touch_p80_minutes,
        touch_times.touch_median_working_days,
        touch_times.touch_p80_working_days,
        -- A budget pays for a source in the whole company; nobody said how much of it for which region.
        case
            when nodes.level = 0 and cells.quality = 'all' and cells.industry = 'all' and cells.segment = 'all'
                then costs.cost_cents
        end as cost_cents,
        run.as_of_date,
        run.run_id
    from cells
    cross join run
    inner join nodes on cells.node_no = nodes.node_no
    inner join periods
        on cells.period_kind = periods.period_kind and cells.period_start_on = periods.period_start_on
    inner join totals
        on
            cells.period_kind = totals.period_kind
            and cells.period_start_on = totals.period_start_on
            and cells.node_no = totals.node_no
    left join touch_times
        on
            cells.period_kind = touch_times.period_kind
            and cells.period_start_on = touch_times.period_start_on
            and cells.node_no = touch_times.node_no
            {% for dimension in dimensions -%}
            and cells.{{ dimension }} = touch_times.{{ dimension }}
            {% endfor -%}
    left join costs
        on
            cells.period_kind = costs.period_kind
            and cells.period_start_on = costs.period_start_on
            and cells.source = costs.source

),

final as (

    select
        period_kind,
        period_start_on,
        node_key,
        {{ each_column(dimensions) }},
        leads,
        round({{ ratio('leads', 'node_leads') }}, 6) as lead_share,
        touched,
        qualified,
        converted,
        disqualified,
        leads - converted - disqualified as unresolved,
        converted_undated,
        round({{ ratio('converted', 'leads') }}, 6) as lead_conversion,
        {% for days in [30, 60, 90] -%}
            case when age_days >= {{ days }} then within_{{ days }} end as converted_{{ days }}d,
            case when age_days >= {{ days }} then round({{ ratio('within_' ~ days, 'leads') }}, 6) end
                as lead_conversion_{{ days }}d,
        {% endfor -%}
        round(touch_median_minutes / 60.0, 2) as touch_median_hours,
        round(touch_p80_minutes / 60.0, 2) as touch_p80_hours,
        touch_median_working_days,
        touch_p80_working_days,
        deals as opportunities,
        won,
        lost,
        deals - won - lost as open_opportunities,
        {{ cents_to_amount('won_cents') }} as amount_won,
        {{ cents_to_amount('open_cents') }} as amount_open,
        {{ cents_to_amount('cost_cents') }} as cost_amount,
        {{ cents_to_amount('cast(round(' ~ ratio('cost_cents', 'leads') ~ ', 0) as bigint)') }} as cost_per_lead,
        {{ cents_to_amount('cast(round(' ~ ratio('cost_cents', 'won') ~ ', 0) as bigint)') }} as cost_per_won,
        as_of_date,
        run_id
    from joined

)

select * from final

{#- The deals of mart_pipeline_movement add up to each cell of every node, summed as its description says. -#}
{% test movement_adds_up_to_waterfall(model) %}

{%- set ways = waterfall_columns() %}

with by_rep as (

    select
        period_kind,
        period_start_on,
        scope,
        node_key,
        team_node_key,
        region_node_key,
        shared_level,
        sum(start_amount) as start_amount,
        sum(case when change_amount > 0 then change_amount else 0 end) as increase_amount,
        sum(case when change_amount < 0 then -change_amount else 0 end) as decrease_amount,
        sum(case when change_amount > 0 then 1 else 0 end) as increase_deals,
        sum(case when change_amount < 0 then 1 else 0 end) as decrease_deals,
        {%- for side, names in ways.items() %}
        {%- for way in names %}
        sum(case when {{ side }}_by = '{{ way }}' then {{ side }}_amount else 0 end) as {{ way }}_amount,
        sum(case when {{ side }}_by = '{{ way }}' then 1 else 0 end) as {{ way }}_deals,
        {%- endfor %}
        {%- endfor %}
        sum(case when is_start then 1 else 0 end) as start_deals,
        sum(case when is_end then 1 else 0 end) as end_deals,
        sum(end_amount) as end_amount
    from {{ ref('mart_pipeline_movement') }}
    group by period_kind, period_start_on, scope, node_key, team_node_key, region_node_key, shared_level

),

-- A deal handed over below a node has not moved there.
placed as (

    {% for column, level in [('node_key', 3), ('team_node_key', 2), ('region_node_key', 1), ("'company'", 0)] %}
    select
        *,
        {{ column }} as counted_node_key,
        shared_level is null or shared_level < {{ level }} as is_transfer
    from by_rep
    where {{ column }} is not null
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

summed as (

    select
        period_kind,
        period_start_on,
        scope,
        counted_node_key as node_key,
        {%- for column in ['start', 'increase', 'decrease', 'end'] + ways.joined + ways.left %}
        {%- set counted = 'case when is_transfer then ' ~ column ~ '_%s else 0 end' if 'transferred' in column
            else column ~ '_%s' %}
        sum({{ counted % 'amount' }}) as {{ column }}_amount,
        sum({{ counted % 'deals' }}) as {{ column }}_deals{{ ',' if not loop.last }}
        {%- endfor %}
    from placed
    group by period_kind, period_start_on, scope, counted_node_key

)

select
    coalesce(cells.node_key, summed.node_key) as node_key,
    coalesce(cells.period_start_on, summed.period_start_on) as period_start_on
from {{ model }} as cells
full join summed
    on
        cells.period_kind = summed.period_kind
        and cells.period_start_on = summed.period_start_on
        and cells.scope = summed.scope
        and cells.node_key = summed.node_key
where
    cells.node_key is null
    or summed.node_key is null
    {%- for column in ['start', 'increase', 'decrease', 'end'] + ways.joined + ways.left %}
    or cells.{{ column }}_amount <> summed.{{ column }}_amount
    or cells.{{ column }}_deals <> summed.{{ column }}_deals
    {%- endfor %}

{% endtest %}

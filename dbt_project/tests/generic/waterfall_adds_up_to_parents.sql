{#-
    Every column of the nodes below adds up to that of the node above, to the cent: all but the transfers as they stand,
    transfers net, since one between two nodes below counts there on both sides and above on neither.
-#}
{% test waterfall_adds_up_to_parents(model) %}

{%- set ways = waterfall_columns() %}
{%- set plain = ['start', 'increase', 'decrease', 'end'] + ways.joined[:3] + ways.left[:1] + ways.left[2:] %}

with nodes as (

    select
        node_key,
        parent_node_key
    from {{ ref('dim_node') }}
    where is_current

),

measured as (

    select
        period_kind,
        period_start_on,
        scope,
        node_key,
        {%- for unit in ['amount', 'deals'] %}
        {%- for column in plain %}
        {{ column }}_{{ unit }},
        {%- endfor %}
        transferred_in_{{ unit }} - transferred_out_{{ unit }} as transferred_{{ unit }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ model }}

),

below as (

    select
        measured.period_kind,
        measured.period_start_on,
        measured.scope,
        nodes.parent_node_key as node_key,
        {%- for unit in ['amount', 'deals'] %}
        {%- for column in plain %}
        sum(measured.{{ column }}_{{ unit }}) as {{ column }}_{{ unit }},
        {%- endfor %}
        sum(measured.transferred_{{ unit }}) as transferred_{{ unit }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from measured
    inner join nodes on measured.node_key = nodes.node_key
    where nodes.parent_node_key is not null
    group by measured.period_kind, measured.period_start_on, measured.scope, nodes.parent_node_key

)

select below.*
from below
left join measured
    on
        below.period_kind = measured.period_kind
        and below.period_start_on = measured.period_start_on
        and below.scope = measured.scope
        and below.node_key = measured.node_key
where
    measured.node_key is null
    {%- for column in plain + ['transferred'] %}
    or below.{{ column }}_amount <> measured.{{ column }}_amount
    or below.{{ column }}_deals <> measured.{{ column }}_deals
    {%- endfor %}

{% endtest %}

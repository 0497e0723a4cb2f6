{#- Counts of rep nodes, at every node above them. -#}

{#- Two steps of a statement: each node with the one right above it, and each with all that it counts towards. -#}
{% macro parents_and_ancestors() -%}
parents as (

    select
        nodes.node_no,
        parents.node_no as parent_node_no
    from {{ ref('int_nodes') }} as nodes
    inner join {{ ref('int_nodes') }} as parents on nodes.parent_node_key = parents.node_key

),

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

)
{%- endmacro %}

{#-
    Two steps, `above_reps` and `by_node`: the `measures` of `own`, which has one row a rep node and `keys`, at each node.
    What is summed for the node above the rep is much smaller, and goes on to all nodes above that one.
-#}
{% macro at_every_node(own, keys, measures) -%}
above_reps as (

    select
        parents.parent_node_no as node_no,
        {{ each_column(keys, own) }},
        {{ sum_each(measures, own) }}
    from {{ own }}
    inner join parents on {{ own }}.node_no = parents.node_no
    group by parents.parent_node_no, {{ own }}.{{ keys | join(', ' ~ own ~ '.') }}

),

by_node as (

    select
        node_no,
        {{ each_column(keys) }},
        {{ each_column(measures) }}
    from {{ own }}

    union all

    select
        ancestors.ancestor_node_no as node_no,
        {{ each_column(keys, 'above_reps') }},
        {{ sum_each(measures, 'above_reps') }}
    from above_reps
    inner join ancestors on above_reps.node_no = ancestors.node_no
    group by ancestors.ancestor_node_no, above_reps.{{ keys | join(', above_reps.') }}

)
{%- endmacro %}

{#- The number of all segments together among the numbers of `int_segments`. -#}
{% macro all_segments_no() %}0{% endmacro %}

{#- A step, `segmented`: the rows of `by_node`, and the same summed over all segments; `keys` are those beside. -#}
{% macro with_all_segments(keys, measures) -%}
segmented as (

    select
        node_no,
        segment_no,
        {{ each_column(keys) }},
        {{ each_column(measures) }}
    from by_node

    union all

    select
        node_no,
        {{ all_segments_no() }} as segment_no,
        {{ each_column(keys) }},
        {{ sum_each(measures) }}
    from by_node
    group by node_no, {{ keys | join(', ') }}

)
{%- endmacro %}

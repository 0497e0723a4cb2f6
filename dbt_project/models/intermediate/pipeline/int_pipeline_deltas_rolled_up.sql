-- Grain: one node, open stage, closing month and published day on which the open pipeline of that cell changed.

{% set cell = ['stage_no', 'close_month_no', 'day_no'] -%}
{% set measures = {'open_count': 'integer', 'amount_cents': 'bigint', 'weighted_cents': 'bigint'} -%}

with nodes as (

    select
        nodes.node_no,
        parents.node_no as parent_node_no,
        parents.level as parent_level
    from {{ ref('int_nodes') }} as nodes
    inner join {{ ref('int_nodes') }} as parents on nodes.parent_node_key = parents.node_key

),

own as (

    select * from {{ ref('int_pipeline_deltas') }}

),

-- Level by level, because each level is much smaller than the one below it.
{% for step, before in [('above_reps', 'own'), ('above_teams', 'above_reps'), ('above_regions', 'above_teams')] -%}
{{ step }} as (

    select
        nodes.parent_node_no as node_no,
        {{ before }}.{{ cell | join(', ' ~ before ~ '.') }},
        {%- for measure, type in measures.items() %}
        cast(sum({{ before }}.{{ measure }}) as {{ type }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ before }}
    inner join nodes on {{ before }}.node_no = nodes.node_no
    group by nodes.parent_node_no, {{ before }}.{{ cell | join(', ' ~ before ~ '.') }}

),

{% endfor -%}
-- A node may be reached in one step from some and in two from others.
above as (

    select * from above_reps
    union all
    select * from above_teams
    union all
    select * from above_regions

),

above_summed as (

    select
        node_no,
        {{ cell | join(', ') }},
        {%- for measure, type in measures.items() %}
        cast(sum({{ measure }}) as {{ type }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from above
    group by node_no, {{ cell | join(', ') }}

),

final as (

    select
        node_no,
        {{ cell | join(', ') }},
        {{ measures | join(', ') }}
    from own

    union all

    select
        node_no,
        {{ cell | join(', ') }},
        {{ measures | join(', ') }}
    from above_summed

)

select * from final

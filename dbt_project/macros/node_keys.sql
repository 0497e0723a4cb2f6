{#- Keys of the organisation's nodes, and whose node is whose. A level that a person lacks has no key. -#}

{% macro region_node_key(region) -%}
    case when {{ region }} is not null then concat('region:', {{ region }}) end
{%- endmacro %}

{% macro team_node_key(region, team) -%}
    case when {{ team }} is not null then concat('team:', coalesce({{ region }}, '-'), '/', {{ team }}) end
{%- endmacro %}

{% macro rep_node_key(user_id) -%}
    concat('rep:', {{ user_id }})
{%- endmacro %}

{#- The node of deals whose owner is not stated or not among the users. -#}
{% macro unassigned_node_key() -%}
    'rep:(unassigned)'
{%- endmacro %}

{#- A step of a statement: the rep node of each user, by its number or its key. -#}
{% macro rep_nodes(node='node_no') -%}
reps as (

    select
        user_id,
        {{ node }}
    from {{ ref('int_nodes') }}
    where node_kind = 'rep' and user_id is not null

)
{%- endmacro %}

{#- Two steps of a statement: the rep node of each user, and the node of what belongs to none of them. -#}
{% macro owner_nodes() -%}
{{ rep_nodes() }},

unassigned as (

    select node_no
    from {{ ref('int_nodes') }}
    where node_key = {{ unassigned_node_key() }}

)
{%- endmacro %}

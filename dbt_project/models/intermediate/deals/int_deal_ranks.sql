-- Grain: one open opportunity: its chances to be won in the month and quarter, and its places by what they promise.

{{ config(materialized='view') }}

{% set periods = ['month', 'quarter'] %}

with opportunities as (

    select * from {{ ref('int_opportunities') }}
    where not is_closed and not is_deleted

),

teams as (

    select
        nodes.node_no,
        parents.node_no as parent_node_no
    from {{ ref('int_nodes') }} as nodes
    left join {{ ref('int_nodes') }} as parents on nodes.parent_node_key = parents.node_key

),

chances as (

    select * from {{ ref('int_deal_chances') }}

),

expected as (

    select
        opportunities.okey,
        opportunities.opportunity_id,
        opportunities.node_no,
        teams.parent_node_no
        {%- for period in periods %},
        {{ period }}_chances.chance as {{ period }}_chance,
        {{ weighted_cents('opportunities.amount_cents', period ~ '_chances.chance') }} as {{ period }}_cents
        {%- endfor %}
    from opportunities
    inner join teams on opportunities.node_no = teams.node_no
    {%- for period in periods %}
    left join chances as {{ period }}_chances
        on opportunities.okey = {{ period }}_chances.okey and {{ period }}_chances.period_kind = '{{ period }}'
    {%- endfor %}

),

-- The most that can be expected first; without amounts, the likeliest.
ordered as (

    select
        okey,
        node_no,
        parent_node_no
        {%- for period in periods %},
        {{ period }}_chance is not null as has_{{ period }}_chance,
        cast(row_number() over (
            order by coalesce({{ period }}_cents, 0) desc, coalesce({{ period }}_chance, -1) desc, opportunity_id
        ) as integer) as {{ period }}_place
        {%- endfor %}
    from expected

),

-- The order of the company is that of each part of it, and a number is sorted sooner.
final as (

    select
        okey
        {%- for period in periods %}
        {%- for part, key in [('rep', 'node_no'), ('team', 'parent_node_no')] %},
        case
            when has_{{ period }}_chance
                then cast(row_number() over (partition by {{ key }} order by {{ period }}_place) as integer)
        end as {{ period }}_rank_in_{{ part }}
        {%- endfor %},
        case when has_{{ period }}_chance then {{ period }}_place end as {{ period }}_rank_in_company
        {%- endfor %}
    from ordered

)

select * from final

-- Grain: one open opportunity: its chances to be won in the month and quarter, and its places by what they promise.

{{ config(materialized='view') }}

{% set periods = ['month', 'quarter'] %}

with opportunities as (

    select * from {{ ref('int_opportunities') }}
    where not is_closed and not is_deleted

),

nodes as (

    select
        node_no,
        parent_node_key
    from {{ ref('int_nodes') }}

),

chances as (

    select * from {{ ref('int_deal_chances') }}

),

expected as (

    select
        opportunities.okey,
        opportunities.opportunity_id,
        opportunities.node_no,
        nodes.parent_node_key
        {%- for period in periods %},
        {{ period }}_chances.basis as {{ period }}_basis,
        {{ period }}_chances.basis_days as {{ period }}_basis_days,
        {{ period }}_chances.n as {{ period }}_n,
        {{ period }}_chances.won as {{ period }}_won_n,
        {{ period }}_chances.chance as {{ period }}_chance,
        {{ weighted_cents('opportunities.amount_cents', period ~ '_chances.chance') }} as {{ period }}_cents
        {%- endfor %}
    from opportunities
    inner join nodes on opportunities.node_no = nodes.node_no
    {%- for period in periods %}
    left join chances as {{ period }}_chances
        on opportunities.okey = {{ period }}_chances.okey and {{ period }}_chances.period_kind = '{{ period }}'
    {%- endfor %}

),

-- The most that can be expected first; without amounts, the likeliest.
ordered as (

    select
        expected.*
        {%- for period in periods %},
        row_number() over (
            order by coalesce({{ period }}_cents, 0) desc, coalesce({{ period }}_chance, -1) desc, opportunity_id
        ) as {{ period }}_place
        {%- endfor %}
    from expected

),

-- The order of the company is that of each part of it, and a number is sorted sooner.
final as (

    select
        ordered.*
        {%- for period in periods %}
        {%- for part, key in [('rep', 'node_no'), ('team', 'parent_node_key')] %},
        case
            when {{ period }}_chance is not null
                then cast(
                    row_number() over (partition by {{ key }} order by {{ period }}_place) as integer
                )
        end as {{ period }}_rank_in_{{ part }}
        {%- endfor %},
        case when {{ period }}_chance is not null then cast({{ period }}_place as integer) end
            as {{ period }}_rank_in_company
        {%- endfor %}
    from ordered

)

select * from final

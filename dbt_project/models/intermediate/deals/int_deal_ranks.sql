-- Grain: one open opportunity: its chances to be won in the month and quarter, and its places by what they promise.

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
final as (

    select
        expected.*
        {%- for period in periods %}
        {%- for place, partition in [
            ('rep', 'partition by node_no '), ('team', 'partition by parent_node_key '), ('company', ''),
        ] %},
        case
            when {{ period }}_chance is not null
                then cast(row_number() over (
                    {{ partition }}order by
                        coalesce({{ period }}_cents, 0) desc, coalesce({{ period }}_chance, -1) desc, opportunity_id
                ) as integer)
        end as {{ period }}_rank_in_{{ place }}
        {%- endfor %}
        {%- endfor %}
    from expected

)

select * from final

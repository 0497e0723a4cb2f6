-- Grain: one node, stage (or all), set of buying elements gathered, and set of those its source does not measure.

{% set elements = ['budget', 'decision_maker', 'need', 'timing'] -%}

with run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

),

stages as (

    select
        stage_no,
        stage
    from {{ ref('stg_night__stages') }}

),

last_stays as (

    select
        okey,
        {{ arg_max('stage_no', 'spell_no') }} as stage_no
    from {{ ref('int_stage_spells') }}
    where is_deal_closed
    group by okey

),

deals as (

    select
        elements.*,
        opportunities.node_no,
        case when opportunities.is_closed then last_stays.stage_no else opportunities.stage_no end as stage_no,
        opportunities.is_closed,
        opportunities.is_won,
        opportunities.amount_cents
    from {{ ref('int_buying_elements') }} as elements
    inner join {{ ref('int_opportunities') }} as opportunities on elements.okey = opportunities.okey
    left join last_stays on elements.okey = last_stays.okey

),

-- A deal has one set, so that sets add up to whatever a reader asks for: all deals with a budget, all with two of four.
counted as (

    select
        node_no,
        stage_no,
        {%- for element in elements %}
        has_{{ element }},
        {%- endfor %}
        count(*) as deals,
        sum(case when is_closed then 0 else 1 end) as deals_open,
        sum(case when is_closed then 0 else coalesce(amount_cents, 0) end) as open_cents,
        sum(case when is_closed and is_won then 1 else 0 end) as deals_won,
        sum(case when is_closed and not is_won then 1 else 0 end) as deals_lost
    from deals
    group by node_no, stage_no, has_budget, has_decision_maker, has_need, has_timing

),

placed as (

    select
        ancestors.ancestor_node_no as node_no,
        coalesce(stages.stage, '(unknown)') as stage,
        {{ each_column(['has_budget', 'has_decision_maker', 'has_need', 'has_timing'], 'counted') }},
        {{ each_column(['deals', 'deals_open', 'open_cents', 'deals_won', 'deals_lost'], 'counted') }}
    from counted
    inner join ancestors on counted.node_no = ancestors.node_no
    left join stages on counted.stage_no = stages.stage_no

),

rolled_up as (

    {% for stage in ['stage', "'all'"] -%}
        select
            node_no,
            {{ stage }} as stage,
            {%- for element in elements %}
            has_{{ element }},
            {%- endfor %}
            {{ sum_each(['deals', 'deals_open', 'open_cents', 'deals_won', 'deals_lost']) }}
        from placed
        group by
            node_no
            {%- if not loop.last %}, stage{% endif %}
            {%- for element in elements %}, has_{{ element }}{% endfor %}
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

),

final as (

    select
        nodes.node_key,
        rolled_up.stage,
        {% for name, found in [('gathered', ''), ('unmeasured', ' is null')] -%}
        coalesce(nullif(concat_ws(
            ';'
            {%- for element in elements %},
            case when rolled_up.has_{{ element }}{{ found }} then '{{ element }}' end
            {%- endfor %}
        ), ''), '(none)') as {{ name }},
        {% endfor -%}
        {%- for element in elements %}
        rolled_up.has_{{ element }},
        {%- endfor %}
        {% for element in elements -%}
        case when rolled_up.has_{{ element }} then 1 else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %} as n_gathered,
        rolled_up.deals,
        rolled_up.deals_open,
        {{ cents_to_amount('rolled_up.open_cents') }} as open_amount,
        rolled_up.deals_won,
        rolled_up.deals_lost,
        round({{ ratio('rolled_up.deals_won', 'rolled_up.deals_won + rolled_up.deals_lost') }}, 6) as buying_win_rate,
        run.as_of_date,
        run.run_id
    from rolled_up
    cross join run
    inner join nodes on rolled_up.node_no = nodes.node_no

)

select * from final

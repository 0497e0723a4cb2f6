-- Grain: one opportunity in the CRM as of the night: which buying elements have been gathered for it.

{#
    A yes/no column of an element and the list of elements say the same; either is enough. What no deal of a source has
    ever stated, the source does not measure: it is null for its deals, and false only where others of them have it.
#}
{% set elements = ['budget', 'decision_maker', 'need', 'timing'] %}

with opportunities as (

    {{ current_rows('opportunity') }}

),

keys as (

    select
        okey,
        opportunity_id
    from {{ ref('int_opportunities') }}
    where not is_deleted

),

measured as (

    select
        source
        {%- for element in elements %},
        measures_{{ element }}
        {%- endfor %}
    from {{ ref('int_deal_facts_measured') }}
    where {% for element in elements %}measures_{{ element }}{{ ' or ' if not loop.last }}{% endfor %}

),

stated as (

    select
        keys.okey
        {%- for element in elements %},
        case
            when measured.measures_{{ element }}
                then
                    coalesce(opportunities.has_{{ element }}, false)
                    or coalesce(concat(';', opportunities.buying_elements, ';') like '%;{{ element }};%', false)
        end as has_{{ element }}
        {%- endfor %}
    from opportunities
    inner join keys on opportunities.opportunity_id = keys.opportunity_id
    inner join measured on opportunities._source = measured.source

),

final as (

    select
        okey
        {%- for element in elements %},
        has_{{ element }}
        {%- endfor %},
        {% for element in elements -%}
        case when has_{{ element }} then 1 else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %} as n_gathered
    from stated

)

select * from final

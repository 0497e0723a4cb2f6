{#- Every open deal in a configured stage stands in exactly one open stay, that of its stage; no other deal stands in any. -#}
{% test open_deals_have_one_open_spell(model) %}

with open_spells as (

    select
        opportunity_id,
        stage
    from {{ model }}
    where outcome = 'open'

),

open_opportunities as (

    select
        opportunity_id,
        stage
    from {{ ref('fct_opportunity') }}
    where not is_closed and stage_no is not null

)

select
    open_opportunities.opportunity_id,
    open_opportunities.stage,
    open_spells.stage as spell_stage
from open_opportunities
full join open_spells on open_opportunities.opportunity_id = open_spells.opportunity_id
where
    open_opportunities.opportunity_id is null
    or open_spells.opportunity_id is null
    or open_opportunities.stage <> open_spells.stage

{% endtest %}

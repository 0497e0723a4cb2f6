{#- The company's entrants of a stage over all months are the deals seen entering it, and every entrant is resolved or not. -#}
{% test stage_entries_agree_with_spells(model) %}

with entered as (

    select
        stage,
        sum(entrants) as entrants,
        sum(n_spells) as n_spells,
        sum(won + lost + unresolved) as accounted
    from {{ model }}
    where period_kind = 'month' and node_key = 'company' and segment = 'all'
    group by stage

),

spells as (

    select
        stage,
        sum(case when is_first_entry and not is_entry_assumed then 1 else 0 end) as entrants,
        count(*) as n_spells
    from {{ ref('fct_stage_spell') }}
    where not is_deal_deleted
    group by stage

)

select
    spells.stage,
    spells.entrants,
    entered.entrants as entrants_here,
    entered.accounted
from spells
left join entered on spells.stage = entered.stage
where
    coalesce(entered.entrants, -1) <> spells.entrants
    or entered.n_spells <> spells.n_spells
    or entered.accounted <> spells.entrants

{% endtest %}

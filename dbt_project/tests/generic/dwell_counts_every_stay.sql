{#- The company's dwell rests on every stay whose entry was seen, ended or not, once, and on each deal once a stage. -#}
{% test dwell_counts_every_stay(model) %}

with counted as (

    select
        stage,
        sum(case when basis = 'every_stay' then dwell_n_event else 0 end) as n_left,
        sum(case when basis = 'every_stay' then dwell_n_censored else 0 end) as n_censored,
        sum(case when basis = 'latest' then n else 0 end) as n_latest
    from {{ model }}
    where node_key = 'company' and segment = 'all' and entry_window = 'all_time'
    group by stage

),

spells as (

    select
        stage,
        sum(case when is_censored then 0 else 1 end) as n_left,
        sum(case when is_censored then 1 else 0 end) as n_censored,
        count(distinct case when is_latest then opportunity_id end) as n_latest
    from {{ ref('fct_stage_spell') }}
    where not is_entry_assumed
    group by stage

)

select
    spells.stage,
    spells.n_left,
    counted.n_left as n_left_here,
    spells.n_censored,
    counted.n_censored as n_censored_here
from spells
left join counted on spells.stage = counted.stage
where
    coalesce(counted.n_left, -1) <> spells.n_left
    or counted.n_censored <> spells.n_censored
    or counted.n_latest <> spells.n_latest

{% endtest %}

{#- On the as-of date the pipeline is the open deals of fct_opportunity: number and amounts, by rep and stage. -#}
{% test open_pipeline_agrees_with_opportunities(model) %}

with pipeline as (

    select
        node_key,
        stage,
        sum(open_count) as n,
        sum(open_amount) as amount,
        sum(weighted_amount) as weighted_amount
    from {{ model }}
    where day = as_of_date and node_key like 'rep:%'
    group by node_key, stage

),

opportunities as (

    select
        node_key,
        case when stage_no is null then '(unknown)' else stage end as stage,
        count(*) as n,
        coalesce(sum(amount), 0) as amount,
        coalesce(sum(weighted_amount), 0) as weighted_amount
    from {{ ref('fct_opportunity') }}
    where not is_closed
    group by node_key, case when stage_no is null then '(unknown)' else stage end

)

select
    coalesce(pipeline.node_key, opportunities.node_key) as node_key,
    coalesce(pipeline.stage, opportunities.stage) as stage,
    pipeline.n as n_here,
    opportunities.n as n_there
from pipeline
full join opportunities on pipeline.node_key = opportunities.node_key and pipeline.stage = opportunities.stage
where
    pipeline.node_key is null
    or opportunities.node_key is null
    or pipeline.n <> opportunities.n
    or pipeline.amount <> opportunities.amount
    or pipeline.weighted_amount <> opportunities.weighted_amount

{% endtest %}

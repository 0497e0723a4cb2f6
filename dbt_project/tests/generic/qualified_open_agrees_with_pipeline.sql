{#- Tonight's qualified open deals of each node are those of the pipeline: one deal, two ways of counting. -#}
{% test qualified_open_agrees_with_pipeline(model) %}

with here as (

    select
        node_key,
        max(qualified_open_n) as n
    from {{ model }}
    where period_kind = 'year' and segment = 'all' and not is_over and period_start_on <= as_of_date
    group by node_key

),

pipeline as (

    select
        node_key,
        sum(case when forecast_category <> 'omitted' then open_count else 0 end) as n
    from {{ ref('mart_pipeline_state') }}
    where valid_to = as_of_date
    group by node_key

)

select
    here.node_key,
    here.n,
    pipeline.n as n_there
from here
left join pipeline on here.node_key = pipeline.node_key
where here.n <> coalesce(pipeline.n, 0)

{% endtest %}

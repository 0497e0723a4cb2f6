{#- What stands tonight is the open deals of fct_opportunity, and no two spans of one cell share a day. -#}
{% test spans_agree_with_opportunities(model) %}

with neighbours as (

    select
        node_key,
        stage,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by node_key, stage, close_month order by valid_from) as next_valid_from
    from {{ model }}
    where node_key not like 'rep:%'

),

overlapping as (

    select
        node_key,
        stage
    from neighbours
    where valid_to < valid_from or next_valid_from <= valid_to

),

standing as (

    select
        stage,
        sum(open_count) as n,
        sum(open_amount) as amount
    from {{ model }}
    where valid_to = as_of_date and node_key = 'company'
    group by stage

),

open_deals as (

    select
        case when stage_no is null then '(unknown)' else stage end as stage,
        count(*) as n,
        coalesce(sum(amount), 0) as amount
    from {{ ref('fct_opportunity') }}
    where not is_closed
    group by case when stage_no is null then '(unknown)' else stage end

)

select
    node_key,
    stage
from overlapping

union all

select
    'company' as node_key,
    coalesce(standing.stage, open_deals.stage) as stage
from standing
full join open_deals on standing.stage = open_deals.stage
where
    standing.stage is null
    or open_deals.stage is null
    or standing.n <> open_deals.n
    or standing.amount <> open_deals.amount

{% endtest %}

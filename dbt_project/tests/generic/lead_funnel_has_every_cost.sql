{#- What was spent on a source stands in the company's row of it, lead or no lead; the sources together are the total. -#}
{% test lead_funnel_has_every_cost(model) %}

with shown as (

    select
        period_kind,
        period_start_on,
        source,
        cost_amount
    from {{ model }}
    where
        node_key = 'company' and quality = 'all' and industry = 'all' and segment = 'all' and cost_amount is not null

),

spent as (

    select
        period_kind,
        period_start_on,
        source,
        {{ cents_to_amount('cost_cents') }} as cost_amount
    from {{ ref('int_lead_costs') }}

),

totals as (

    select
        period_kind,
        period_start_on,
        sum(case when source = 'all' then cost_amount else -cost_amount end) as difference
    from shown
    group by period_kind, period_start_on

)

select
    coalesce(shown.period_kind, spent.period_kind) as period_kind,
    coalesce(shown.period_start_on, spent.period_start_on) as period_start_on,
    coalesce(shown.source, spent.source) as source
from shown
full join spent
    on
        shown.period_kind = spent.period_kind
        and shown.period_start_on = spent.period_start_on
        and shown.source = spent.source
where shown.cost_amount is distinct from spent.cost_amount

union all

select
    period_kind,
    period_start_on,
    'all' as source
from totals
where difference <> 0

{% endtest %}

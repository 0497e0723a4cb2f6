{#- The stages of a rep's week add up to the rep's week. -#}
{% test rep_load_adds_up_to_rhythm(model) %}

with by_week as (

    select
        node_key,
        week_start_on,
        sum(open_count) as open_count,
        sum(open_amount) as open_amount,
        sum(piled_count) as piled_count
    from {{ model }}
    group by node_key, week_start_on

)

select rhythm.node_key
from {{ ref('mart_rep_rhythm') }} as rhythm
full join by_week on rhythm.node_key = by_week.node_key and rhythm.week_start_on = by_week.week_start_on
where
    coalesce(rhythm.open_count, 0) <> coalesce(by_week.open_count, 0)
    or coalesce(rhythm.open_amount, 0) <> coalesce(by_week.open_amount, 0)
    or coalesce(rhythm.piled_count, 0) <> coalesce(by_week.piled_count, 0)

{% endtest %}

{#- The stores of a rep and channel are, month by month, what mart_channel says of them. -#}
{% test stores_agree_with_channel(model) %}

{% set measures = ['stores', 'stores_carrying', 'store_visits', 'sku_stocked', 'sku_sold'] -%}

with stores as (

    select
        month_start_on,
        node_key,
        channel,
        count(case when is_in_universe then 1 end) as stores,
        count(case when is_carrying then 1 end) as stores_carrying,
        sum(store_visits) as store_visits,
        coalesce(sum(sku_stocked), 0) as sku_stocked,
        coalesce(sum(sku_sold), 0) as sku_sold
    from {{ model }}
    group by month_start_on, node_key, channel

),

cells as (

    select * from {{ ref('mart_channel') }}
    where period_kind = 'month' and channel <> 'all' and node_key like 'rep:%'

)

select
    coalesce(stores.month_start_on, cells.period_start_on) as month_start_on,
    coalesce(stores.node_key, cells.node_key) as node_key,
    coalesce(stores.channel, cells.channel) as channel
from stores
full join cells
    on
        stores.month_start_on = cells.period_start_on
        and stores.node_key = cells.node_key
        and stores.channel = cells.channel
where
    {% for measure in measures -%}
        coalesce(stores.{{ measure }}, 0) <> coalesce(cells.{{ measure }}, 0) {{ 'or' if not loop.last }}
    {% endfor %}

{% endtest %}

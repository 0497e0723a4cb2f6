-- Grain: one month or quarter, node and channel ('all' and each): stores, visits and what was found there.

with dates as (

    select
        day,
        month_start_on,
        quarter_start_on
    from {{ ref('int_dates') }}

),

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

),

visits as (

    select
        visits.*,
        dates.month_start_on,
        dates.quarter_start_on
    from {{ ref('int_store_visits') }} as visits
    inner join dates on visits.visited_on = dates.day

),

stores_visited as (

    select * from {{ ref('int_store_visits_by_period') }}
    where store_visits > 0

),

facts as (

    {% for period in ['month', 'quarter'] -%}
        select
            '{{ period }}' as period_kind,
            {{ period }}_start_on as period_start_on,
            node_no,
            channel,
            1 as stores,
            case when is_seen then 1 else 0 end as stores_seen,
            case when is_carrying then 1 else 0 end as stores_carrying,
            weight as weight_all,
            case when is_carrying then weight end as weight_carrying,
            0 as store_visits,
            0 as stores_visited,
            0 as sku_stocked,
            0 as sku_sold,
            0 as stores_counted,
            0 as units_opening,
            0 as units_received,
            0 as units_sold,
            0 as visits_planned,
            0 as visits_planned_done
        from {{ ref('int_store_months') }}
        {% if period == 'quarter' -%}
            where is_last_of_quarter
        {% endif %}
        union all

        select
            '{{ period }}' as period_kind,
            found.period_start_on,
            stores.node_no,
            stores.channel,
            0 as stores,
            0 as stores_seen,
            0 as stores_carrying,
            cast(null as decimal(28, 9)) as weight_all,
            cast(null as decimal(28, 9)) as weight_carrying,
            found.store_visits,
            1 as stores_visited,
            coalesce(found.sku_stocked, 0) as sku_stocked,
            coalesce(found.sku_sold, 0) as sku_sold,
            case when found.units_opening is not null then 1 else 0 end as stores_counted,
            coalesce(found.units_opening, 0) as units_opening,
            case when found.units_opening is not null then found.units_received else 0 end as units_received,
            case when found.units_opening is not null then found.units_sold else 0 end as units_sold,
            0 as visits_planned,
            0 as visits_planned_done
        from stores_visited as found
        inner join {{ ref('int_stores') }} as stores on found.store_id = stores.store_id
        where found.period_kind = '{{ period }}'

        union all

        select
            '{{ period }}' as period_kind,
            {{ period }}_start_on as period_start_on,
            visitor_node_no as node_no,
            channel,
            0 as stores,
            0 as stores_seen,
            0 as stores_carrying,
            cast(null as decimal(28, 9)) as weight_all,
            cast(null as decimal(28, 9)) as weight_carrying,
            0 as store_visits,
            0 as stores_visited,
            0 as sku_stocked,
            0 as sku_sold,
            0 as stores_counted,
            0 as units_opening,
            0 as units_received,
            0 as units_sold,
            1 as visits_planned,
            case when is_done then 1 else 0 end as visits_planned_done
        from visits
        where is_planned
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

),

{% set counts = [
    'stores', 'stores_seen', 'stores_carrying', 'store_visits', 'stores_visited', 'sku_stocked', 'sku_sold',
    'stores_counted', 'units_opening', 'units_received', 'units_sold', 'visits_planned', 'visits_planned_done'
] -%}
final as (

    {% for channel in ['facts.channel', "'all'"] -%}
        select
            facts.period_kind,
            facts.period_start_on,
            ancestors.ancestor_node_no as node_no,
            {{ channel }} as channel,
            {{ sum_each(counts, 'facts') }},
            sum(facts.weight_all) as weight_all,
            coalesce(sum(facts.weight_carrying), 0) as weight_carrying
        from facts
        inner join ancestors on facts.node_no = ancestors.node_no
        group by
            facts.period_kind, facts.period_start_on, ancestors.ancestor_node_no
            {{- ', facts.channel' if loop.first }}
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

)

select * from final

-- Grain: one store and month or quarter of visits to it, planned or made: what was done and found there.

with dates as (

    select
        day,
        month_start_on,
        quarter_start_on
    from {{ ref('int_dates') }}

),

visits as (

    select
        visits.*,
        dates.month_start_on,
        dates.quarter_start_on
    from {{ ref('int_store_visits') }} as visits
    inner join dates on visits.visited_on = dates.day

),

placed as (

    {% for period in ['month', 'quarter'] -%}
        select
            '{{ period }}' as period_kind,
            {{ period }}_start_on as period_start_on,
            store_id,
            visit_id,
            visited_on,
            is_planned,
            is_done,
            case when is_done and sku_sold is not null then sku_stocked end as sku_stocked,
            case when is_done and sku_stocked is not null then sku_sold end as sku_sold,
            case when is_done and units_sold is not null then units_opening end as units_opening,
            case when is_done and units_sold is not null then coalesce(units_received, 0) end as units_received,
            case when is_done then units_sold end as units_sold
        from visits
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

),

-- The stock before the period's first visit that counted what was sold; null where that is not known.
opened as (

    select
        *,
        first_value(units_opening) over (
            partition by period_kind, period_start_on, store_id, units_sold is not null
            order by visited_on, visit_id
        ) as first_opening
    from placed

),

counted as (

    select
        period_kind,
        period_start_on,
        store_id,
        count(case when is_done then 1 end) as store_visits,
        max(case when is_done then visited_on end) as last_visited_on,
        count(case when is_planned then 1 end) as visits_planned,
        count(case when is_planned and is_done then 1 end) as visits_planned_done,
        cast(sum(sku_stocked) as bigint) as sku_stocked,
        cast(sum(sku_sold) as bigint) as sku_sold,
        max(case when units_sold is not null then first_opening end) as units_opening,
        cast(sum(units_received) as bigint) as units_received,
        cast(sum(units_sold) as bigint) as units_sold
    from opened
    group by period_kind, period_start_on, store_id

),

final as (

    select
        period_kind,
        period_start_on,
        store_id,
        store_visits,
        -- Of a period in which visits were planned and none was made, that of an earlier one.
        max(last_visited_on) over (
            partition by period_kind, store_id order by period_start_on
            rows between unbounded preceding and current row
        ) as last_visited_on,
        visits_planned,
        visits_planned_done,
        sku_stocked,
        sku_sold,
        units_opening,
        units_received,
        units_sold
    from counted

)

select * from final

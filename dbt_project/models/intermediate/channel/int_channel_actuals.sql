-- Grain: one row per channel metric × rep node × day: what was done in the stores, what was found there.
with

runs as (
    select as_of_date from {{ ref('stg_night__run') }}
),

nodes as (
    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}
),

visits as (
    select * from {{ ref('int_store_visits') }}
    where is_done
),

month_ends as (
    select
        dates.month_start_on,
        max(dates.day) as seen_on
    from {{ ref('int_dates') }} as dates
    cross join runs
    where dates.day <= runs.as_of_date
    group by dates.month_start_on
),

measured as (
    -- Work is credited to who did it, what a store shows to whose store it is.
    select
        'store_visits' as metric,
        visitor_node_no as node_no,
        visited_on as happened_on,
        count(*) * 100 as hundredths,
        count(*) as n,
        cast(null as bigint) as denominator_hundredths
    from visits
    group by visitor_node_no, visited_on

    union all

    select
        'sell_through' as metric,
        store_node_no as node_no,
        visited_on as happened_on,
        sum(sku_sold) * 100 as hundredths,
        count(*) as n,
        sum(sku_stocked) * 100 as denominator_hundredths
    from visits
    where store_node_no is not null and sku_sold is not null and sku_stocked is not null
    group by store_node_no, visited_on

    union all

    -- A state and no event: it stands on the last day of each month, and is never added up over time.
    select
        'numeric_distribution' as metric,
        stores.node_no,
        month_ends.seen_on as happened_on,
        sum(case when stores.is_carrying then 100 else 0 end) as hundredths,
        count(*) as n,
        count(*) * 100 as denominator_hundredths
    from {{ ref('int_store_months') }} as stores
    inner join month_ends on stores.month_start_on = month_ends.month_start_on
    group by stores.node_no, month_ends.seen_on
),

final as (
    select
        measured.metric,
        nodes.node_key,
        measured.happened_on,
        cast(measured.hundredths as bigint) as hundredths,
        cast(measured.n as bigint) as n,
        cast(measured.denominator_hundredths as bigint) as denominator_hundredths
    from measured
    inner join nodes on measured.node_no = nodes.node_no
)

select * from final

-- Grain: one order line that left its source, as it was last known.
with

line_rows as (
    select * from {{ ref('stg_log__line_items') }}
),

lines_known as (
    select
        line_item_id,
        max(_observed_on) as last_on,
        max(case when _change <> 'deleted' then _observed_on end) as last_alive_on
    from line_rows
    group by line_item_id
),

final as (
    select
        line_rows.line_item_id,
        line_rows.opportunity_id,
        line_rows.contract_id,
        line_rows.owner_id,
        line_rows.booked_on,
        line_rows.amount,
        line_rows.cost,
        line_rows.currency,
        lines_known.last_on as cancelled_on
    from line_rows
    inner join lines_known
        on line_rows.line_item_id = lines_known.line_item_id and line_rows._observed_on = lines_known.last_alive_on
    where lines_known.last_alive_on < lines_known.last_on
)

select * from final

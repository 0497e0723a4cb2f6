-- Grain: one opportunity and one stretch of days at whose ends it stood the same: status, amount, closing month, owner.

{{ config(materialized='view') }}

with states as (

    select * from {{ in_version(ref('int_opportunity_states')) }}

),

opportunities as (

    select
        okey,
        opportunity_id
    from {{ in_version(ref('int_opportunities')) }}

),

months as (

    select * from {{ in_version(ref('stg_night__fiscal_months')) }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ in_version(ref('int_nodes')) }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ in_version(ref('stg_night__run')) }}

),

final as (

    select
        opportunities.opportunity_id,
        states.from_on,
        states.until_on,
        case states.status when 1 then 'open' when 2 then 'won' when 3 then 'lost' else 'gone' end as status,
        {{ cents_to_amount('states.amount_cents') }} as amount,
        {{ close_month('states.close_month_no', 'months') }} as close_month,
        {{ close_month('states.open_close_month_no', 'open_months') }} as open_close_month,
        nodes.node_key,
        states.is_handed_over,
        states.known_from_on,
        run.as_of_date,
        run.run_id
    from states
    cross join run
    inner join opportunities on states.okey = opportunities.okey
    inner join nodes on states.node_no = nodes.node_no
    left join months on states.close_month_no = months.month_no
    left join months as open_months on states.open_close_month_no = open_months.month_no

)

select * from final

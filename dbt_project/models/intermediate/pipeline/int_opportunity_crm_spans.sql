-- Grain: one opportunity of which the CRM keeps a history: between which days that speaks of each of its attributes.

with final as (

    select
        okey,
        min(case when stage_no is not null then changed_on end) as stage_from_on,
        max(case when stage_no is not null then changed_on end) as stage_until_on,
        min(case when amount_cents is not null then changed_on end) as amount_from_on,
        max(case when amount_cents is not null then changed_on end) as amount_until_on,
        min(case when close_day_no is not null then changed_on end) as close_month_from_on,
        max(case when close_day_no is not null then changed_on end) as close_month_until_on,
        min(case when node_no is not null then changed_on end) as owner_from_on,
        max(case when node_no is not null then changed_on end) as owner_until_on
    from {{ ref('int_opportunity_crm_rows') }}
    group by okey

)

select * from final

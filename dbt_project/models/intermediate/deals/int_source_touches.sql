-- Grain: one source of open deals: for how many of these an activity ever was.

with final as (

    select
        opportunities.log_source as source,
        count(touches.okey) as touched_deals
    from {{ ref('int_opportunities') }} as opportunities
    left join {{ ref('int_deal_touches') }} as touches on opportunities.okey = touches.okey
    where not opportunities.is_closed and not opportunities.is_deleted
    group by opportunities.log_source

)

select * from final

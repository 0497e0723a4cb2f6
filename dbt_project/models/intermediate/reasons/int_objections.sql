-- Grain: one objection in the CRM tonight, raised by the as-of date: how it was answered, and what became of it.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

objections as (

    {{ current_rows('objection') }}

),

merged as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'opportunity' and not is_circular

),

opportunities as (

    select
        okey,
        opportunity_id,
        node_no,
        is_closed,
        is_won
    from {{ ref('int_opportunities') }}
    where not is_deleted

),

unassigned as (

    select node_no
    from {{ ref('int_nodes') }}
    where node_key = {{ unassigned_node_key() }}

),

final as (

    select
        objections.objection_id,
        opportunities.okey,
        coalesce(opportunities.node_no, unassigned.node_no) as node_no,
        {{ stated_value('objections.objection_type') }} as objection_type,
        {{ stated_value('objections.stage') }} as stage,
        {{ stated_value('objections.response') }} as response,
        coalesce(objections.outcome, 'open') as outcome,
        objections.raised_on,
        case
            when objections.outcome <> 'open' and objections.resolved_on <= run.as_of_date
                then {{ not_negative(days_between('objections.raised_on', 'objections.resolved_on')) }}
        end as days_to_settle,
        case
            when coalesce(objections.outcome, 'open') = 'open'
                then {{ days_between('objections.raised_on', 'run.as_of_date') }}
        end as days_open,
        opportunities.is_closed and opportunities.is_won as is_deal_won,
        opportunities.is_closed and not opportunities.is_won as is_deal_lost
    from objections
    cross join run
    cross join unassigned
    left join merged on objections.opportunity_id = merged.record_id
    left join opportunities
        on coalesce(merged.surviving_id, objections.opportunity_id) = opportunities.opportunity_id
    where objections.raised_on is null or objections.raised_on <= run.as_of_date

)

select * from final

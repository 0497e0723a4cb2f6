-- Grain: one requirement of a customer as of the night.

with requirements as (

    {{ current_rows('requirement') }}

),

opportunities as (

    select
        opportunities.opportunity_id,
        opportunities.account_id,
        nodes.node_key,
        coalesce(stages.stage, opportunities.unlisted_stage) as stage
    from {{ ref('int_opportunities') }} as opportunities
    inner join {{ ref('int_nodes') }} as nodes on opportunities.node_no = nodes.node_no
    left join {{ ref('stg_night__stages') }} as stages on opportunities.stage_no = stages.stage_no
    where
        not opportunities.is_deleted
        and opportunities.opportunity_id in (select requirements.opportunity_id from requirements)

),

merged as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'account'

),

accounts as (

    select
        account_id,
        name
    from {{ ref('dim_account') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        requirements.requirement_id,
        requirements.opportunity_id,
        coalesce(merged.surviving_id, requirements.account_id, opportunities.account_id) as account_id,
        coalesce(accounts.name, requirements.account_name) as account_name,
        opportunities.node_key,
        opportunities.stage,
        requirements.requirement_type,
        requirements.description,
        requirements.priority,
        requirements.pain_point,
        requirements.solution,
        requirements.confirmed_by,
        requirements.confirmed_on,
        requirements.confirmed_on is not null and requirements.confirmed_on <= run.as_of_date as is_confirmed,
        run.as_of_date,
        run.run_id
    from requirements
    cross join run
    left join opportunities on requirements.opportunity_id = opportunities.opportunity_id
    left join merged on requirements.account_id = merged.record_id
    left join accounts
        on coalesce(merged.surviving_id, requirements.account_id, opportunities.account_id) = accounts.account_id

)

select * from final

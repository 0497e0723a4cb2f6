-- Grain: one requirement in the CRM tonight: in which stage it was confirmed, and what became of its deal.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

requirements as (

    {{ current_rows('requirement') }}

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
        is_won,
        closed_on
    from {{ ref('int_opportunities') }}
    where not is_deleted

),

unassigned as (

    select node_no
    from {{ ref('int_nodes') }}
    where node_key = {{ unassigned_node_key() }}

),

stages as (

    select
        stage_no,
        stage
    from {{ ref('stg_night__stages') }}

),

placed as (

    select
        requirements.requirement_id,
        requirements.requirement_type,
        requirements.priority,
        case when requirements.confirmed_on <= run.as_of_date then requirements.confirmed_on end as confirmed_on,
        opportunities.okey,
        coalesce(opportunities.node_no, unassigned.node_no) as node_no,
        opportunities.is_closed and opportunities.is_won as is_deal_won,
        opportunities.is_closed and not opportunities.is_won as is_deal_lost,
        opportunities.closed_on
    from requirements
    cross join run
    cross join unassigned
    left join merged on requirements.opportunity_id = merged.record_id
    left join opportunities
        on coalesce(merged.surviving_id, requirements.opportunity_id) = opportunities.opportunity_id

),

-- The stay in which the deal ended the day of the confirmation.
stays as (

    select
        placed.requirement_id,
        spells.stage_no,
        -- A stay whose entry nobody saw says nothing of how long deals stay.
        case when not spells.is_entry_assumed and not spells.is_censored then spells.dwell_days end as dwell_days,
        case when not spells.is_entry_assumed and spells.is_censored then spells.dwell_days end as days_in_stage
    from placed
    inner join {{ ref('int_stage_spells') }} as spells
        on
            placed.okey = spells.okey
            and placed.confirmed_on >= spells.entered_on
            and (spells.left_on is null or placed.confirmed_on < spells.left_on)

),

final as (

    select
        placed.requirement_id,
        placed.okey,
        placed.node_no,
        {{ stated_value('placed.requirement_type') }} as requirement_type,
        {{ stated_value('placed.priority') }} as priority,
        coalesce(stages.stage, '(none)') as stage,
        placed.confirmed_on,
        stays.dwell_days,
        stays.days_in_stage,
        case
            when placed.is_deal_won and placed.closed_on >= placed.confirmed_on
                then {{ days_between('placed.confirmed_on', 'placed.closed_on') }}
        end as days_to_win,
        placed.is_deal_won,
        placed.is_deal_lost
    from placed
    left join stays on placed.requirement_id = stays.requirement_id
    left join stages on stays.stage_no = stages.stage_no

)

select * from final

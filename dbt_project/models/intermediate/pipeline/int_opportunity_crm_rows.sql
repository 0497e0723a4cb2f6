-- Grain: one change in the CRM's own history of an opportunity; a null says nothing about what it is a column of.

{#
    The number of a row orders few of them and would be most of what is written: `int_opportunity_crm_ties`.
#}

with changes as (

    {{ crm_changes() }}

),

final as (

    select
        okey,
        changed_at,
        changed_on,
        cast(stage_no as smallint) as stage_no,
        amount_cents,
        close_day_no,
        node_no,
        tonight_node_no,
        stage_no <> tonight_stage_no as is_other_stage,
        amount_cents <> tonight_amount_cents as is_other_amount,
        close_day_no <> tonight_close_day_no as is_other_close_month,
        node_no <> tonight_node_no as is_other_owner
    from changes

)

select * from final

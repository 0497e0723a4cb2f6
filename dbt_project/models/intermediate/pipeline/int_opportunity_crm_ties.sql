-- Grain: one change in the CRM's own history of an opportunity that shares its moment with another: which comes first.

{# By the number that the CRM gave it: shorter texts first, so that 10 comes after 9. #}

with moments as (

    select
        okey,
        changed_at,
        lag(changed_at) over (partition by okey order by changed_at) as previous_at
    from {{ ref('int_opportunity_crm_rows') }}

),

tied as (

    select distinct
        okey,
        changed_at
    from moments
    where changed_at = previous_at

),

changes as (

    {{ crm_changes(only_of='tied') }}

),

final as (

    select
        changes.okey,
        changes.changed_at,
        cast(
            row_number() over (
                partition by changes.okey, changes.changed_at
                order by length(changes.history_id), changes.history_id
            ) as smallint
        ) as moment_no,
        changes.changed_on,
        cast(changes.stage_no as smallint) as stage_no,
        changes.amount_cents,
        changes.close_day_no,
        changes.node_no,
        changes.tonight_node_no
    from changes
    inner join tied on changes.okey = tied.okey and changes.changed_at = tied.changed_at

)

select * from final

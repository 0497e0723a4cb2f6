-- Grain: one state of one opportunity that the CRM's own history tells of a day on which the deal was there.

{# Only the events read it, and their order is told there (`order_no`). #}
{{ config(materialized='view') }}

{% set first_day = "cast('1970-01-01' as date)" %}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

crm_rows as (

    select
        okey,
        changed_at,
        cast(0 as smallint) as moment_no,
        changed_on,
        stage_no,
        amount_cents,
        close_day_no,
        node_no,
        tonight_node_no
    from {{ ref('int_opportunity_crm_rows') }} as alone
    where not exists (
        select 1
        from {{ ref('int_opportunity_crm_ties') }} as ties
        where alone.okey = ties.okey and alone.changed_at = ties.changed_at
    )

    union all

    select
        okey,
        changed_at,
        moment_no,
        changed_on,
        stage_no,
        amount_cents,
        close_day_no,
        node_no,
        tonight_node_no
    from {{ ref('int_opportunity_crm_ties') }}

),

ends as (

    select
        okey,
        observed_on,
        is_gone,
        lead(observed_on) over (partition by okey order by observed_on) as next_on
    from {{ ref('int_opportunity_night_rows') }}
    where is_gone or is_back

),

-- From the day after a deal was gone until the day on which it was back.
gaps as (

    select
        okey,
        observed_on as gone_on,
        next_on as back_on
    from ends
    where is_gone

),

final as (

    select
        crm_rows.okey,
        {{ days_between(first_day, 'crm_rows.changed_on') }} * 4 + 2 as order_no,
        crm_rows.changed_at as event_at,
        crm_rows.moment_no,
        least(crm_rows.changed_on, run.as_of_date) as event_on,
        crm_rows.stage_no,
        crm_rows.amount_cents,
        crm_rows.close_day_no,
        crm_rows.node_no,
        crm_rows.tonight_node_no,
        false as is_entry_assumed
    from crm_rows
    cross join run
    left join gaps
        on
            crm_rows.okey = gaps.okey
            and crm_rows.changed_on > gaps.gone_on
            and crm_rows.changed_on <= coalesce(gaps.back_on, crm_rows.changed_on)
    where gaps.okey is null

)

select * from final

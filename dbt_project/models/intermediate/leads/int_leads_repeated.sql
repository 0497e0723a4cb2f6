-- Grain: one lead whose deal another lead had become before it: a deal counts once, with the first that brought it.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

leads as (

    {{ current_rows('lead') }}

),

merged as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'opportunity' and not is_circular

),

-- Most deals have one row of one lead: only the leads of the others are put in order.
shared as (

    select coalesce(merged.surviving_id, states.opportunity_id) as opportunity_id
    from {{ ref('stg_log__leads') }} as states
    left join merged on states.opportunity_id = merged.record_id
    where states.opportunity_id is not null
    group by coalesce(merged.surviving_id, states.opportunity_id)
    having count(*) > 1

),

ranked as (

    select
        leads.lead_id,
        row_number() over (
            partition by shared.opportunity_id order by leads.created_at, leads.lead_id
        ) as place
    from leads
    inner join run on leads.created_on <= run.as_of_date
    left join merged on leads.opportunity_id = merged.record_id
    inner join shared on coalesce(merged.surviving_id, leads.opportunity_id) = shared.opportunity_id

),

final as (

    select lead_id
    from ranked
    where place > 1

)

select * from final

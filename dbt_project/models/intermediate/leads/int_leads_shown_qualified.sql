-- Grain: one lead that has changed since it was first seen: the first night that showed it qualified, if one did.

with changed as (

    select distinct lead_id
    from {{ ref('stg_log__leads') }}
    where _change <> 'new'

),

final as (

    select
        states.lead_id,
        min(
            case
                when
                    states.opportunity_id is not null
                    or states.converted_on is not null
                    or {{ is_lead_status('states.status', 'converted') }}
                    or {{ is_lead_status('states.status', 'qualified') }}
                    then states._observed_on
            end
        ) as shown_on
    from {{ ref('stg_log__leads') }} as states
    inner join changed on states.lead_id = changed.lead_id
    group by states.lead_id

)

select * from final

-- Grain: one lead that is qualified as of the night: taken on by its status, or become a deal; and the day it was.
with

leads as (
    select * from {{ ref('int_leads') }}
    where is_converted or is_taken_on
),

-- Most have a day of conversion: only of the others the nights are asked.
undated as (
    select lead_id from leads
    where days_to_conversion is null
),

shown as (
    select
        states.lead_id,
        min(states._observed_on) as first_seen_on,
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
    inner join undated on states.lead_id = undated.lead_id
    group by states.lead_id
),

-- The day of the conversion; else the night that showed it where an earlier one did not; else the day it came in, for
-- want of a better one.
final as (
    select
        leads.lead_id,
        leads.node_no,
        case
            when leads.days_to_conversion is not null
                then {{ add_days('leads.created_on', 'leads.days_to_conversion') }}
            when shown.shown_on > shown.first_seen_on then shown.shown_on
            else leads.created_on
        end as qualified_on
    from leads
    left join shown on leads.lead_id = shown.lead_id
)

select * from final

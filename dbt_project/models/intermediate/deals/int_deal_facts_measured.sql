-- Grain: one source of opportunities: which facts it has ever stated of a deal while that was open.

{#
    A column that a source does not carry would make every one of its deals look neglected. So a fact is measured by a
    source once one of its open deals has stated it; what only closed deals state (an amount that is known once the deal
    is won) is not.
#}
{% set elements = ['budget', 'decision_maker', 'need', 'timing'] %}

with closed_stages as (

    select stage
    from {{ ref('stg_night__stages') }}
    where is_closed

),

stated as (

    select
        log_rows._source as source,
        max(case when closed_stages.stage is null and log_rows.next_step is not null then 1 else 0 end) as next_steps,
        max(case when closed_stages.stage is null and log_rows.amount > 0 then 1 else 0 end) as amounts,
        max(case when closed_stages.stage is null and log_rows.expected_close_on is not null then 1 else 0 end)
            as expected_closes
        {%- for element in elements %},
        max(
            case
                when log_rows.has_{{ element }} is not null or log_rows.buying_elements is not null then 1
                else 0
            end
        ) as {{ element }}
        {%- endfor %}
    from {{ ref('stg_log__opportunities') }} as log_rows
    left join closed_stages on log_rows.stage = closed_stages.stage
    group by log_rows._source

),

touched as (

    select distinct log_rows._source as source
    from {{ ref('stg_log__opportunities') }} as log_rows
    inner join {{ ref('int_opportunities') }} as opportunities
        on log_rows.opportunity_id = opportunities.opportunity_id
    inner join {{ ref('int_deal_touches') }} as touches on opportunities.okey = touches.okey

),

final as (

    select
        stated.source,
        stated.next_steps = 1 as measures_next_step,
        stated.amounts = 1 as measures_amount,
        stated.expected_closes = 1 as measures_expected_close,
        touched.source is not null as measures_touches
        {%- for element in elements %},
        stated.{{ element }} = 1 as measures_{{ element }}
        {%- endfor %}
    from stated
    left join touched on stated.source = touched.source

)

select * from final

-- Grain: one source of opportunities: which facts it has ever stated of a deal while that was open.

{#
    A column that a source does not carry would make every one of its deals look neglected. So a fact is measured by a
    source once one of its open deals has stated it; what only closed deals state (an amount that is known once the deal
    is won) is not.
#}
{% set elements = ['budget', 'decision_maker', 'need', 'timing'] %}

with closed_stages as (

    select stage
    from {{ ref('stg_night__stage_names') }}
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

source_touches as (

    select
        source,
        touched_deals
    from {{ ref('int_source_touches') }}

),

-- Where no open deal was ever touched, one that is closed may have been: these are looked through only then.
names_of_untouched as (

    select
        names.kind,
        names.named_id,
        names.log_source as source
    from {{ ref('int_deal_names') }} as names
    inner join source_touches on names.log_source = source_touches.source and source_touches.touched_deals = 0

),

-- An activity is for the deal it names, else for those of its account.
touched_names as (

    select
        case when opportunity_id is null then 'account' else 'opportunity' end as kind,
        coalesce(opportunity_id, account_id) as named_id
    from {{ ref('int_activities') }}
    where coalesce(opportunity_id, account_id) in (select names_of_untouched.named_id from names_of_untouched)

),

touched_earlier as (

    select distinct names_of_untouched.source
    from names_of_untouched
    inner join touched_names
        on
            names_of_untouched.kind = touched_names.kind
            and names_of_untouched.named_id = touched_names.named_id

),

final as (

    select
        stated.source,
        stated.next_steps = 1 as measures_next_step,
        stated.amounts = 1 as measures_amount,
        stated.expected_closes = 1 as measures_expected_close,
        coalesce(source_touches.touched_deals, 0) > 0 or touched_earlier.source is not null as measures_touches
        {%- for element in elements %},
        stated.{{ element }} = 1 as measures_{{ element }}
        {%- endfor %}
    from stated
    left join source_touches on stated.source = source_touches.source
    left join touched_earlier on stated.source = touched_earlier.source

)

select * from final

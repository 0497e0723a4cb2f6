-- Grain: one open opportunity: what is known of its care, and which flags that raises.

{{ config(materialized='view') }}

{#
    A flag is null where it is not measured: its source carries no such fact, too few deals say how long a stage lasts,
    or nobody configured what the stage needs. It is never true of a fact that nobody keeps.
#}
{% set elements = ['budget', 'decision_maker', 'need', 'timing'] %}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}
    where not is_closed and not is_deleted

),

rules as (

    select * from {{ ref('stg_night__hygiene_rules') }}

),

-- The rule of each configured stage is its own, else the one without a stage; so is that of a stage not configured.
stages as (

    select
        stages.stage_no,
        own.stage as rule_stage
    from {{ ref('stg_night__stages') }} as stages
    left join rules as own on stages.stage = own.stage

),

spells as (

    select
        okey,
        entered_on,
        is_entry_assumed
    from {{ ref('int_stage_spells') }}
    where left_on is null

),

day_numbers as (

    select * from {{ ref('int_working_day_numbers') }}

),

limits as (

    select * from {{ ref('int_stage_limits') }}

),

facts as (

    select
        opportunities.okey,
        opportunities.name,
        case when trim(opportunities.next_step) <> '' then opportunities.next_step end as next_step,
        touches.next_activity_on,
        touches.last_touch_on,
        case when measured.measures_touches then tonight.working_day_no - since.working_day_no end
            as working_days_since_touch,
        rules.no_touch_working_days,
        case
            when opportunities.expected_close_on < run.as_of_date
                then {{ days_between('opportunities.expected_close_on', 'run.as_of_date') }}
            when opportunities.expected_close_on is not null then 0
        end as days_overdue,
        rules.overdue_days as overdue_days_allowed,
        rules.lying_signals,
        rules.serial_push_months,
        spells.entered_on as stage_entered_on,
        coalesce(spells.is_entry_assumed, true) as is_stage_entry_assumed,
        case
            when not spells.is_entry_assumed
                then {{ days_between('spells.entered_on', 'run.as_of_date') }}
        end as days_in_stage,
        coalesce(
            rules.max_days,
            case when in_segment.n_event >= rules.dwell_min_n then in_segment.p80_days end,
            case when in_company.n_event >= rules.dwell_min_n then in_company.p80_days end
        ) as stage_limit_days,
        case
            when rules.max_days is not null then 'configured'
            when in_segment.n_event >= rules.dwell_min_n and in_segment.p80_days is not null then 'p80_segment'
            when in_company.n_event >= rules.dwell_min_n and in_company.p80_days is not null then 'p80_company'
        end as stage_limit_basis,
        in_segment.n_event as segment_n_event,
        in_company.n_event as company_n_event,
        opportunities.amount_cents,
        opportunities.expected_close_on,
        measured.measures_next_step,
        measured.measures_amount,
        measured.measures_expected_close
        {%- for element in elements %},
        elements.has_{{ element }},
        rules.needs_{{ element }}
        {%- endfor %}
    from opportunities
    cross join run
    inner join {{ ref('int_deal_facts_measured') }} as measured on opportunities.log_source = measured.source
    left join stages on opportunities.stage_no = stages.stage_no
    inner join rules on coalesce(stages.rule_stage, '') = coalesce(rules.stage, '')
    left join spells on opportunities.okey = spells.okey
    left join {{ ref('int_deal_touches') }} as touches on opportunities.okey = touches.okey
    left join {{ ref('int_buying_elements') }} as elements on opportunities.okey = elements.okey
    left join limits as in_segment
        on opportunities.stage_no = in_segment.stage_no and opportunities.segment_no = in_segment.segment_no
    left join limits as in_company
        on opportunities.stage_no = in_company.stage_no and in_company.segment_no = {{ all_segments_no() }}
    left join day_numbers as tonight on run.as_of_date = tonight.day
    left join day_numbers as since on coalesce(touches.last_touch_on, opportunities.created_on) = since.day

),

flagged as (

    select
        facts.*,
        case when measures_next_step then next_step is null and next_activity_on is null end as is_next_step_missing,
        working_days_since_touch >= no_touch_working_days as is_untouched,
        case when measures_expected_close then coalesce(days_overdue > overdue_days_allowed, false) end as is_overdue,
        case when measures_expected_close then expected_close_on is null end as is_close_date_missing,
        case when measures_amount then coalesce(amount_cents, 0) = 0 end as is_amount_missing,
        days_in_stage > stage_limit_days as is_stage_too_long,
        case stage_limit_basis when 'p80_segment' then segment_n_event when 'p80_company' then company_n_event end
            as stage_limit_n
        {%- for element in elements %},
        case when needs_{{ element }} then not has_{{ element }} end as lacks_{{ element }}
        {%- endfor %}
    from facts

),

final as (

    select
        flagged.*,
        case
            when
                coalesce({% for element in elements %}lacks_{{ element }}{{ ', ' if not loop.last }}{% endfor %})
                is not null
                then {% for element in elements -%}
                    coalesce(lacks_{{ element }}, false){{ ' or ' if not loop.last }}
                {%- endfor %}
        end as is_buying_element_missing,
        nullif(concat(
            {% for element in elements -%}
            case when has_{{ element }} then '{{ element }};' else '' end{{ ', ' if not loop.last }}
            {%- endfor %}
        ), '') as gathered_list,
        nullif(concat(
            {% for element in elements -%}
            case when lacks_{{ element }} then '{{ element }};' else '' end{{ ', ' if not loop.last }}
            {%- endfor %}
        ), '') as missing_list,
        {% for signal in ['is_next_step_missing', 'is_untouched', 'is_overdue'] -%}
        case when {{ signal }} then 1 else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %} as lying_signals_found,
        {% for signal in ['is_next_step_missing', 'is_untouched', 'is_overdue'] -%}
        case when {{ signal }} is not null then 1 else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %} as lying_signals_measured
    from flagged

)

select * from final

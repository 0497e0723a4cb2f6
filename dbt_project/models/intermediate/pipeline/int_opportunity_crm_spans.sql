-- Grain: one opportunity of which the CRM's history may not tell all: between which days it speaks of each attribute.

{#
    Where it does, as with most deals of a first night, neither our nights nor the record have anything to add
    (int_opportunity_night_rows, int_opportunity_record_rows), and nobody looks at them again.

    `is_<attribute>_told`: the CRM's history speaks of it on the day of the first night, or has repeated until then what
    it said last, by day. Where it never spoke of an amount or an owner, tonight's holds unsaid.
#}
{% set attributes = history_attributes() -%}

with spans as (

    select
        okey,
        {% for attribute, column in attributes.items() -%}
            min(case when {{ column }} is not null then changed_on end) as {{ attribute }}_from_on,
            max(case when {{ column }} is not null then changed_on end) as {{ attribute }}_until_on,
            max(case when is_other_{{ attribute }} then changed_on end) as {{ attribute }}_other_on
            {%- if not loop.last %},
            {% endif -%}
        {%- endfor %}
    from {{ ref('int_opportunity_crm_rows') }}
    group by okey

),

deals as (

    select
        opportunities.okey,
        opportunities.created_on,
        opportunities.first_seen_on,
        opportunities.last_changed_on,
        opportunities.is_deleted,
        spans.okey is not null as has_history,
        {% for attribute in attributes -%}
            spans.{{ attribute }}_from_on,
            spans.{{ attribute }}_until_on,
            spans.{{ attribute }}_other_on,
            coalesce(
                opportunities.first_seen_on >= spans.{{ attribute }}_from_on
                and (
                    opportunities.first_seen_on <= spans.{{ attribute }}_until_on
                    or spans.{{ attribute }}_other_on is null
                    or spans.{{ attribute }}_other_on < spans.{{ attribute }}_until_on
                ),
                {{ attribute in ('amount', 'owner') }}
            ) as is_{{ attribute }}_told
            {%- if not loop.last %},
            {% endif -%}
        {%- endfor %}
    from {{ ref('int_opportunities') }} as opportunities
    left join spans on opportunities.okey = spans.okey

),

-- Our nights: of a deal that was seen to change or go, or of which not all has been told.
asked as (

    select
        *,
        first_seen_on < last_changed_on
        or is_deleted
        or not (is_stage_told and is_amount_told and is_close_month_told and is_owner_told) as is_asked_of_nights,
        coalesce(
            not is_deleted
            and last_changed_on
            <= greatest(
                {% for attribute in attributes -%}
                    {{ attribute }}_other_on{{ ', ' if not loop.last }}
                {%- endfor %}
            ), false
        ) as is_asked_of_record,
        coalesce(created_on < stage_from_on and stage_from_on <= first_seen_on, false) as is_begun_late
    from deals

),

final as (

    select
        okey,
        created_on,
        has_history,
        {% for attribute in attributes -%}
            {{ attribute }}_from_on,
            {{ attribute }}_until_on,
            {{ attribute }}_other_on,
            is_{{ attribute }}_told,
        {% endfor -%}
        is_asked_of_nights,
        is_asked_of_record,
        is_begun_late
    from asked
    where is_asked_of_nights or is_asked_of_record or is_begun_late

)

select * from final

-- Grain: one attribute of one opportunity in which tonight's record may say otherwise than the CRM's history said last.

{# Rule 5 of who is believed (int_opportunity_night_rows). Only our events read it. #}
{{ config(materialized='view') }}

{% set attributes = history_attributes() -%}

with opportunities as (

    select
        okey,
        {{ listed_stage_no('stage_no') }} as stage_no,
        coalesce(amount_cents, 0) as amount_cents,
        coalesce({{ day_number('expected_close_on') }}, 0) as close_day_no,
        node_no,
        last_changed_on
    from {{ ref('int_opportunities') }}

),

-- Since the history's last word no night has seen a change; on the day of that word something else was said as well.
contradicted as (

    select
        opportunities.*,
        {% for attribute in attributes -%}
            case
                when
                    opportunities.last_changed_on <= spans.{{ attribute }}_until_on
                    and spans.{{ attribute }}_other_on >= spans.{{ attribute }}_until_on
                    then spans.{{ attribute }}_until_on
            end as {{ attribute }}_until_on
            {%- if not loop.last %},
            {% endif -%}
        {%- endfor %}
    from opportunities
    inner join {{ ref('int_opportunity_crm_spans') }} as spans on opportunities.okey = spans.okey
    where spans.is_asked_of_record

),

final as (
    {%- for attribute, column in attributes.items() %}

    select
        okey,
        {{ attribute }}_until_on as said_until_on,
        cast({{ loop.index }} as smallint) as moment_no
        {%- for other in attributes.values() %},
        {{ column if other == column else
            'cast(null as ' ~ ('bigint' if other == 'amount_cents' else 'integer') ~ ') as ' ~ other }}
        {%- endfor %}
    from contradicted
    where {{ attribute }}_until_on is not null
        {%- if not loop.last %}

    union all
        {%- endif %}
    {%- endfor %}

)

select * from final

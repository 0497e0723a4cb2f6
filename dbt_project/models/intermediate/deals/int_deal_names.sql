-- Grain: one deal in the CRM and id by which an activity names it: its own or its account's, or one merged into these.

{{ config(materialized='view') }}

{#- The deals have no step of their own: it would be made whole for a reader of the open ones. -#}
with merged as (

    select
        kind,
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where not is_circular

),

final as (

    {% for kind in ['opportunity', 'account'] -%}
        select
            '{{ kind }}' as kind,
            opportunities.okey,
            opportunities.{{ kind }}_id as named_id,
            opportunities.log_source,
            not opportunities.is_closed as is_open
        from {{ ref('int_opportunities') }} as opportunities
        where not opportunities.is_deleted and opportunities.{{ kind }}_id is not null

        union all

        select
            '{{ kind }}' as kind,
            opportunities.okey,
            merged.record_id as named_id,
            opportunities.log_source,
            not opportunities.is_closed as is_open
        from {{ ref('int_opportunities') }} as opportunities
        inner join merged on opportunities.{{ kind }}_id = merged.surviving_id and merged.kind = '{{ kind }}'
        where not opportunities.is_deleted
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

)

select * from final

{#- Every lead in the CRM that has come in stands in one month and one quarter of the company's total. -#}
{% test lead_funnel_has_every_lead(model) %}

with leads as (

    {{ current_rows('lead') }}

),

counted as (

    select
        (
            select count(*)
            from leads
            inner join {{ ref('stg_night__run') }} as run on leads.created_on <= run.as_of_date
        ) as n_leads,
        (
            select sum(leads)
            from {{ model }}
            where
                node_key = 'company' and period_kind = 'month'
                and source = 'all' and quality = 'all' and industry = 'all' and segment = 'all'
        ) as n_months,
        (
            select sum(leads)
            from {{ model }}
            where
                node_key = 'company' and period_kind = 'quarter'
                and source = 'all' and quality = 'all' and industry = 'all' and segment = 'all'
        ) as n_quarters

)

select *
from counted
where n_leads <> coalesce(n_months, 0) or n_leads <> coalesce(n_quarters, 0)

{% endtest %}

{#- The reps together are the company, to the cent, in each combination of `by`. -#}
{% test children_add_up_to_company(model, measures, by) %}

with summed as (

    select
        {{ by | join(', ') }},
        {%- for measure in measures %}
        sum(case when node_key = 'company' then {{ measure }} else 0 end) as company_{{ measure }},
        sum(case when node_key like 'rep:%' then {{ measure }} else 0 end) as reps_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
    group by {{ by | join(', ') }}

)

select *
from summed
where {% for measure in measures %}company_{{ measure }} <> reps_{{ measure }}{{ ' or ' if not loop.last }}{% endfor %}

{% endtest %}

{#-
    In each combination of `by`, the values of every dimension, with 'all' in the others, are the total in whole. A
    dimension without a single value adds up to 0.
-#}
{% test dimensions_add_up_to_all(model, dimensions, measures, by) %}

with singles as (

    {% for dimension in dimensions -%}
        select
            {{ by | join(', ') }},
            '{{ dimension }}' as dimension,
            {{ measures | join(', ') }}
        from {{ model }}
        where
            {{ dimension }} <> 'all'
            {% for other in dimensions if other != dimension -%}
                and {{ other }} = 'all'
            {% endfor %}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

summed as (

    select
        {{ by | join(', ') }},
        dimension
        {%- for measure in measures %},
        sum({{ measure }}) as {{ measure }}
        {%- endfor %}
    from singles
    group by {{ by | join(', ') }}, dimension

),

totals as (

    select *
    from {{ model }}
    where
        {% for dimension in dimensions -%}
            {{ dimension }} = 'all' {{ 'and' if not loop.last }}
        {% endfor %}

)

select totals.*
from totals
cross join (values {% for dimension in dimensions %}('{{ dimension }}'){{ ', ' if not loop.last }}{% endfor %}) as named (dimension)
left join summed
    on
        named.dimension = summed.dimension
        {% for column in by -%}
            and totals.{{ column }} is not distinct from summed.{{ column }}
        {% endfor %}
where
    {% for measure in measures -%}
        totals.{{ measure }} is distinct from case when summed.dimension is null then 0 else summed.{{ measure }} end
        {{ 'or' if not loop.last }}
    {% endfor %}

{% endtest %}

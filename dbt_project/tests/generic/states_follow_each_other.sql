{#- Each state of a deal ends on the day on which the next one begins, and only the last one stands. -#}
{% test states_follow_each_other(model) %}

with followed as (

    select
        okey,
        from_on,
        until_on,
        lead(from_on) over (partition by okey order by from_on) as next_on
    from {{ model }}

)

select *
from followed
where coalesce(until_on, cast('9999-12-31' as date)) <> coalesce(next_on, cast('9999-12-31' as date)) or until_on <= from_on

{% endtest %}

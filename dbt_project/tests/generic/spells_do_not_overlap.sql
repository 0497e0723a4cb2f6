{#- Within a deal every stay ends before or on the day the next one begins, and only the last may be open. -#}
{% test spells_do_not_overlap(model) %}

with neighbours as (

    select
        okey,
        spell_no,
        entered_on,
        left_on,
        lead(entered_on) over (partition by okey order by spell_no) as next_entered_on
    from {{ model }}

)

select *
from neighbours
where
    left_on < entered_on
    or next_entered_on < left_on
    or (next_entered_on is not null and left_on is null)

{% endtest %}

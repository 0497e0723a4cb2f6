{#- A chance lies between 0 and 1 and has its n; a rank stands where a chance does. -#}
{% test chances_are_shares(model) %}

select opportunity_id
from {{ model }}
where
    month_chance not between 0 and 1
    or quarter_chance not between 0 and 1
    or month_won_n > month_n
    or quarter_won_n > quarter_n
    or (month_chance is null) <> (month_n is null)
    or (quarter_chance is null) <> (quarter_n is null)
    or (month_chance is null) <> (month_rank_in_company is null)
    or (quarter_chance is null) <> (quarter_rank_in_rep is null)

{% endtest %}

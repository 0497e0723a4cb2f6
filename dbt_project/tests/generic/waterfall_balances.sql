{#- Start, what joined, changed and left are the end: to the cent, and to the deal. -#}
{% test waterfall_balances(model) %}

{%- set ways = waterfall_columns() %}

select *
from {{ model }}
where
    {%- for unit in ['amount', 'deals'] %}
    start_{{ unit }}
    {%- for way in ways.joined %} + {{ way }}_{{ unit }}{% endfor %}
    {%- if unit == 'amount' %} + increase_amount - decrease_amount{% endif %}
    {%- for way in ways.left %} - {{ way }}_{{ unit }}{% endfor %}
    <> end_{{ unit }}
    {%- if not loop.last %} or{% endif %}
    {%- endfor %}

{% endtest %}

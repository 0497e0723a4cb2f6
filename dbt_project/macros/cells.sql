{#- Dimensions of marts that show single values beside their total, which is called 'all'. -#}

{#- The value to group by: (none) where nobody stated one; what is written like the total is told apart. -#}
{% macro stated_value(value) -%}
    case when {{ value }} is null then '(none)' when {{ value }} = 'all' then '(all)' else {{ value }} end
{%- endmacro %}

{#- The columns of `dimensions`, one a line: those that a cell keeps, and 'all' for the others. -#}
{% macro cell_columns(dimensions, kept, relation=none) -%}
    {%- for dimension in dimensions -%}
        {%- if dimension in kept -%}
            {{ relation ~ '.' if relation }}{{ dimension }}
        {%- else -%}
            'all' as {{ dimension }}
        {%- endif -%}
        {%- if not loop.last %},
        {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- A bound (`side` -1 or 1) of the Wilson interval, 95 %, of `successes` of `trials`, 6 decimals; null without trials. -#}
{% macro wilson_bound(successes, trials, side) -%}
    case
        when {{ trials }} > 0
            then
                round(
                    (
                        {{ successes }} + 1.9207295
                        + {{ side }} * 1.959964 * sqrt(
                            cast({{ successes }} as double) * ({{ trials }} - {{ successes }}) / {{ trials }} + 0.9603647
                        )
                    ) / ({{ trials }} + 3.841459),
                    6
                )
    end
{%- endmacro %}

{#- A rate: one division of exact numbers, null (never 0) without a denominator. -#}
{% macro ratio(numerator, denominator) -%}
    case when ({{ denominator }}) <> 0 then cast(({{ numerator }}) as double) / ({{ denominator }}) end
{%- endmacro %}

{#-
    How much more a/b is than c/d, of two rows that state `numerator_hundredths` and `denominator`: (ad - cb) ÷ cb.
    Of the counts themselves: of two rates that were rounded it would be wrong in the sixth place.
-#}
{% macro growth(row, earlier) -%}
    {%- set now = 'cast(' ~ row ~ '.numerator_hundredths as double) * ' ~ earlier ~ '.denominator' -%}
    {%- set before = 'cast(' ~ earlier ~ '.numerator_hundredths as double) * ' ~ row ~ '.denominator' -%}
    {{ ratio(now ~ ' - ' ~ before, before) }}
{%- endmacro %}

{#- The value, 0 for a negative one, and null for null: `greatest` would make that 0. -#}
{% macro not_negative(value) -%}
    case when ({{ value }}) < 0 then 0 else {{ value }} end
{%- endmacro %}

{#- A rate in hundredths of a percent (92.50 % is 9250), whole; null without a denominator. -#}
{% macro rate_hundredths(numerator, denominator) -%}
    case
        when ({{ denominator }}) <> 0
            then cast(round(cast({{ numerator }} as double) * 10000 / ({{ denominator }}), 0) as bigint)
    end
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

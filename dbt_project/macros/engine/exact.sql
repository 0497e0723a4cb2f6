{#- Exact arithmetic and numbers as text, which engines spell differently. -#}

{#-
    `value` × `numerator` ÷ `denominator` of whole numbers, to a whole number: halves away from zero. No float is in
    between, whatever the size. Null without a denominator above 0.
-#}
{% macro rounded_part(value, numerator, denominator) -%}
    {{ return(adapter.dispatch('rounded_part', 'planloop')(value, numerator, denominator)) }}
{%- endmacro %}

{% macro default__rounded_part(value, numerator, denominator) -%}
    case
        when ({{ denominator }}) > 0
            then
                cast(sign(({{ value }}) * ({{ numerator }})) as bigint)
                * cast(
                    (
                        cast(2 as decimal(1, 0)) * cast(abs({{ value }}) as decimal(18, 0))
                        * cast(abs({{ numerator }}) as decimal(18, 0)) + ({{ denominator }})
                    ) div (cast(2 as decimal(1, 0)) * cast({{ denominator }} as decimal(18, 0))) as bigint
                )
    end
{%- endmacro %}

{% macro duckdb__rounded_part(value, numerator, denominator) -%}
    case
        when ({{ denominator }}) > 0
            then
                cast(
                    sign({{ value }}) * sign({{ numerator }})
                    * (
                        (
                            2 * abs(cast({{ value }} as hugeint)) * abs(cast({{ numerator }} as hugeint))
                            + ({{ denominator }})
                        )
                        // (2 * cast({{ denominator }} as hugeint))
                    ) as bigint
                )
    end
{%- endmacro %}


{#- Whole cents as people write money: 1,234,567.80. -#}
{% macro cents_text(cents) -%}
    {{ return(adapter.dispatch('cents_text', 'planloop')(cents)) }}
{%- endmacro %}

{% macro default__cents_text(cents) -%}
    format_number({{ cents_to_amount(cents) }}, 2)
{%- endmacro %}

{% macro duckdb__cents_text(cents) -%}
    concat(
        case when ({{ cents }}) < 0 then '-' else '' end,
        format('{:,}', abs({{ cents }}) // 100),
        '.',
        lpad(cast(abs({{ cents }}) % 100 as varchar), 2, '0')
    )
{%- endmacro %}

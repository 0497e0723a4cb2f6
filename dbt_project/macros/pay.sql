{#- Pay, exactly: whole cents, rates of six decimal places, and the words of a pay slip. -#}

{#- `base` (whole cents) × `rate` (six places), to the cent: halves away from zero. In 64 bits 10 billion would be too much. -#}
{% macro rate_of(base, rate) -%}
    cast(round(cast({{ base }} as decimal(28, 0)) * cast({{ rate }} as decimal(18, 6)), 0) as bigint)
{%- endmacro %}

{#-
    The least whole value that reaches `share` of `target`: what is at least this has an attainment of at least `share`,
    with nothing rounded. Without a target only a share of 0 is reached.
-#}
{% macro value_at(share, target) -%}
    case
        when ({{ share }}) = 0 then 0
        when ({{ target }}) > 0
            then cast(ceil(cast({{ target }} as decimal(28, 0)) * cast({{ share }} as decimal(18, 6))) as bigint)
    end
{%- endmacro %}

{#- A decimal without the zeros behind its last place: 3.500000 is 3.5. -#}
{% macro trimmed(number) -%}
    regexp_replace(cast({{ number }} as {{ dbt.type_string() }}), '[.]?0+$', '')
{%- endmacro %}

{#- A share as a percentage: 0.035 is 3.5%. -#}
{% macro percent_text(share) -%}
    concat({{ trimmed('cast(cast(' ~ share ~ ' as decimal(18, 6)) * 100 as decimal(20, 4))') }}, '%')
{%- endmacro %}

{#- The percentage of two whole numbers, to two places: 3 of 4 is 75%. -#}
{% macro percent_of_text(part, whole) -%}
    concat({{ trimmed(cents_to_amount(rounded_part(part, '10000', whole))) }}, '%')
{%- endmacro %}

{#- The size of a part as a percentage of the whole, to four places: -1 of 3 is 33.3333%. -#}
{% macro part_text(part, whole) -%}
    {%- set millionths = rounded_part('abs(' ~ part ~ ')', '1000000', 'abs(' ~ whole ~ ')') -%}
    concat({{ trimmed('cast(' ~ millionths ~ ' * 0.0001 as decimal(20, 4))') }}, '%')
{%- endmacro %}

{#- Hundredths of what is money, a count or a percentage. -#}
{% macro value_text(hundredths, unit) -%}
    case {{ unit }}
        when 'money' then {{ cents_text(hundredths) }}
        when 'percent' then concat({{ trimmed(cents_to_amount(hundredths)) }}, '%')
        else {{ trimmed(cents_to_amount(hundredths)) }}
    end
{%- endmacro %}

{#- The place of a tier in Chinese: 二 for 2. -#}
{% macro chinese_place(place) -%}
    case
        when {{ place }} <= 10 then substring('一二三四五六七八九十', {{ place }}, 1)
        else cast({{ place }} as {{ dbt.type_string() }})
    end
{%- endmacro %}

{#- The columns of a line of pay, in order: models of lines are laid one upon the other. -#}
{% macro pay_line_columns() -%}
    {{ return([
        'user_id', 'rule_id', 'period_kind', 'period_start_on', 'plan_version', 'section_no', 'place', 'line_kind',
        'tier_from', 'tier_to', 'base_hundredths', 'rate', 'amount_cents', 'record_id', 'original_period_start_on',
        'cancelled_on', 'line_en', 'line_zh',
    ]) }}
{%- endmacro %}

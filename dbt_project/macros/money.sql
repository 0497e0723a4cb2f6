{#- Money: whole cents of the reporting currency (BIGINT) in intermediate models, DECIMAL(18,2) where published. -#}

{#-
    Cents of the reporting currency for `amount`, a DECIMAL(18,2) in the currency whose rate is given: rounded half away from
    zero, once, here. `rate` is null where none is known: that fails the build and names currency and date, as long as
    there is an amount to convert. What is small is multiplied in 64 bits, of which eight places are the rate's: from 90
    million on there is no room for them.
-#}
{% macro reporting_cents(amount, rate, currency, rate_on) -%}
    case
        when {{ amount }} is null then null
        when {{ rate }} = 1 and abs({{ amount }}) < 10000000000000 then cast({{ amount }} * 100 as bigint)
        when {{ rate }} is null then cast({{ fail_with(
            "concat('no rate of exchange for ', " ~ currency ~ ", ' on ', cast(" ~ rate_on ~ " as " ~ dbt.type_string()
            ~ "), ': add a row to the fx_rate source that is valid from that day or earlier')"
        ) }} as bigint)
        when
            abs({{ amount }}) < 10000000000000
            and abs(cast({{ amount }} as double)) * cast({{ rate }} as double) < 90000000
            then cast(round(cast({{ amount }} * 100 as decimal(18, 0)) * {{ rate }}, 0) as bigint)
        else cast(round(cast({{ amount }} as decimal(28, 2)) * cast({{ rate }} as decimal(18, 8)), 2) * 100 as bigint)
    end
{%- endmacro %}

{#- The published amount of a whole number of cents; decimal(18, 0) × decimal(2, 2) stays a 64-bit integer. -#}
{% macro cents_to_amount(cents) -%}
    cast(cast({{ cents }} as decimal(18, 0)) * cast(0.01 as decimal(2, 2)) as decimal(18, 2))
{%- endmacro %}

{#- Cents weighted by a probability, rounded for this deal, so that sums of weighted deals are exact. -#}
{% macro weighted_cents(cents, probability) -%}
    cast(round({{ cents }} * {{ probability }}, 0) as bigint)
{%- endmacro %}

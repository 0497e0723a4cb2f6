{#-
    Two steps of a statement, `at_risk` and `survival`: how large a share of what began lasts longer than each length
    (`share_lasting`), after Kaplan and Meier (1958). `counted` has one row a length (`days`) and key, with how many
    ended after it (`n_event`) and how many have lasted so long and still do (`n_censored`).

    S(t) = product over lengths up to t of (1 - ended ÷ at risk), as a sum of logarithms; rounded, so that a share of
    exactly one half is one half.
-#}
{% macro kaplan_meier(counted, keys, days) -%}
at_risk as (

    select
        {{ counted }}.*,
        cast(sum(n_event + n_censored) over (
            partition by {{ keys | join(', ') }} order by {{ days }} desc
            rows between unbounded preceding and current row
        ) as bigint) as n_at_risk
    from {{ counted }}

),

survival as (

    select
        at_risk.*,
        round(exp(sum(
            case when n_event = n_at_risk then -1000 else ln(1 - cast(n_event as double) / n_at_risk) end
        ) over (
            partition by {{ keys | join(', ') }} order by {{ days }}
            rows between unbounded preceding and current row
        )), 9) as share_lasting
    from at_risk

)
{%- endmacro %}

-- Grain: one node, segment, open stage and length of stay in days: the share that is still there after it.

{{ config(materialized='view') }}

{% set variants = dwell_variants() -%}

with lengths as (

    select * from {{ ref('int_stage_dwell_lengths') }}

),

at_risk as (

    select
        lengths.*,
        {% for variant in variants -%}
            cast(sum(left_{{ variant.name }} + censored_{{ variant.name }}) over from_here as integer)
                as at_risk_{{ variant.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from lengths
    window
        from_here as (
            partition by node_no, segment_no, stage_no order by dwell_days desc
            rows between unbounded preceding and current row
        )

),

-- Kaplan and Meier: S(t) = product over lengths up to t of (1 - left ÷ at risk), as a sum of logarithms. A deal that is
-- censored on a day is still at risk on it.
final as (

    select
        node_no,
        segment_no,
        stage_no,
        dwell_days,
        {% for variant in variants -%}
            left_{{ variant.name }},
            censored_{{ variant.name }},
            at_risk_{{ variant.name }},
            exp(sum(
                case
                    when left_{{ variant.name }} = 0 then 0
                    when left_{{ variant.name }} = at_risk_{{ variant.name }} then -1000
                    else ln(1 - cast(left_{{ variant.name }} as double) / at_risk_{{ variant.name }})
                end
            ) over until_here) as still_there_{{ variant.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from at_risk
    window
        until_here as (
            partition by node_no, segment_no, stage_no order by dwell_days
            rows between unbounded preceding and current row
        )

)

select * from final

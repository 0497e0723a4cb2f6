-- Grain: one node, segment, open stage, length of stay in days, and whether censored: the share still there after it.

{{ config(materialized='view') }}

{% set variants = dwell_variants() -%}

-- A deal that is censored on a day is still at risk on it: what ends on a day comes before.
with at_risk as (

    select
        *,
        {% for variant in variants -%}
            cast(sum(n_{{ variant.name }}) over from_here as integer) as at_risk_{{ variant.name }},
            cast(sum(n_{{ variant.name }}) over all_lengths as integer) as of_{{ variant.name }},
        {% endfor -%}
        cast(count(case when is_censored then 1 end) over from_here as integer) as censored_no
    from {{ ref('int_stage_dwell_lengths') }}
    window
        all_lengths as (partition by node_no, segment_no, stage_no),
        from_here as (
            partition by node_no, segment_no, stage_no order by dwell_days desc, is_censored desc
            rows between unbounded preceding and current row
        )

),

-- Kaplan and Meier: S(t) = product over lengths up to t of (1 - left ÷ at risk). If nobody is censored between two
-- lengths, those that stay after the one are those at risk at the next, and cancel out. So S(t) is the share of all
-- that are at risk at t and stay, × (at risk ÷ at risk but for them) of all that were censored before: a sum of
-- logarithms over the few rows of those.
lost_sight as (

    select
        node_no,
        segment_no,
        stage_no,
        censored_no,
        {% for variant in variants -%}
            exp(sum(
                case
                    when at_risk_{{ variant.name }} > n_{{ variant.name }}
                        then ln(
                            cast(at_risk_{{ variant.name }} as double)
                            / (at_risk_{{ variant.name }} - n_{{ variant.name }})
                        )
                end
            ) over until_here) as makes_up_{{ variant.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from at_risk
    where is_censored
    window
        until_here as (
            partition by node_no, segment_no, stage_no order by censored_no desc
            rows between unbounded preceding and current row
        )

),

final as (

    select
        at_risk.node_no,
        at_risk.segment_no,
        at_risk.stage_no,
        at_risk.dwell_days,
        at_risk.is_censored,
        {% for variant in variants -%}
            at_risk.n_{{ variant.name }},
            at_risk.at_risk_{{ variant.name }},
            case
                when at_risk.at_risk_{{ variant.name }} > 0
                    then
                        coalesce(lost_sight.makes_up_{{ variant.name }}, 1)
                        * (
                            at_risk.at_risk_{{ variant.name }}
                            - case when at_risk.is_censored then 0 else at_risk.n_{{ variant.name }} end
                        )
                        / at_risk.of_{{ variant.name }}
            end as still_there_{{ variant.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from at_risk
    -- What was censored last before it.
    left join lost_sight
        on
            at_risk.node_no = lost_sight.node_no
            and at_risk.segment_no = lost_sight.segment_no
            and at_risk.stage_no = lost_sight.stage_no
            and at_risk.censored_no + 1 = lost_sight.censored_no

)

select * from final

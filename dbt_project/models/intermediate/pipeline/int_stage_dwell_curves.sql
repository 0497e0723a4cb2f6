-- Grain: one node, segment, open stage, length of stay in days, and whether censored: the share still there after it.

{{ config(materialized='view') }}

{% set variants = dwell_variants() -%}
{% set bases = dwell_bases() -%}

-- Both windows of a basis in one number: half as many sums over the same sort.
with lengths as (

    select
        node_no,
        segment_no,
        stage_no,
        dwell_days,
        is_censored,
        {% for basis in bases -%}
            {{ both_windows(basis) }} as n_{{ basis }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_stage_dwell_lengths') }}

),

-- A deal that is censored on a day is still at risk on it: what ends on a day comes before.
at_risk as (

    select
        node_no,
        segment_no,
        stage_no,
        dwell_days,
        is_censored,
        {% for basis in bases -%}
            n_{{ basis }},
            cast(sum(n_{{ basis }}) over from_here as bigint) as at_risk_{{ basis }},
            cast(sum(n_{{ basis }}) over all_lengths as bigint) as of_{{ basis }},
        {% endfor -%}
        cast(count(case when is_censored then 1 end) over from_here as integer) as censored_no
    from lengths
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
            {%- set n = of_window('n_' ~ variant.basis, variant.window) -%}
            {%- set at_risk = of_window('at_risk_' ~ variant.basis, variant.window) -%}
            exp(sum(
                case when {{ at_risk }} > {{ n }} then ln(cast({{ at_risk }} as double) / ({{ at_risk }} - {{ n }})) end
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
            {%- set n = of_window('at_risk.n_' ~ variant.basis, variant.window) -%}
            {%- set at_risk = of_window('at_risk.at_risk_' ~ variant.basis, variant.window) -%}
            {{ n }} as n_{{ variant.name }},
            {{ at_risk }} as at_risk_{{ variant.name }},
            case
                when {{ at_risk }} > 0
                    then
                        coalesce(lost_sight.makes_up_{{ variant.name }}, 1)
                        * ({{ at_risk }} - case when at_risk.is_censored then 0 else {{ n }} end)
                        / {{ of_window('at_risk.of_' ~ variant.basis, variant.window) }}
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

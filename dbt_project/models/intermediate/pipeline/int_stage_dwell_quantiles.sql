-- Grain: one node, segment (all and each) and open stage: how long deals stay, each basis and window side by side.

{% set variants = dwell_variants() -%}

-- Rounded, so that a share of exactly one half is one half.
with final as (

    select
        node_no,
        segment_no,
        stage_no,
        {% for variant in variants -%}
            cast(coalesce(sum(case when not is_censored then n_{{ variant.name }} end), 0) as bigint)
                as left_{{ variant.name }},
            cast(coalesce(sum(case when is_censored then n_{{ variant.name }} end), 0) as bigint)
                as censored_{{ variant.name }},
            min(case when round(still_there_{{ variant.name }}, 9) <= 0.5 then dwell_days end)
                as median_{{ variant.name }},
            min(case when round(still_there_{{ variant.name }}, 9) <= 0.2 then dwell_days end)
                as p80_{{ variant.name }},
            max(case when n_{{ variant.name }} > 0 then dwell_days end)
                as longest_{{ variant.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_stage_dwell_curves') }}
    group by node_no, segment_no, stage_no

)

select * from final

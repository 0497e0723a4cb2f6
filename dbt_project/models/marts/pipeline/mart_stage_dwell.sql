-- Grain: one node, segment ('all' and each), open stage, basis of counting and window of entry.

{% set variants = dwell_variants() -%}

with quantiles as (

    select * from {{ ref('int_stage_dwell_quantiles') }}

),

segments as (

    select * from {{ ref('int_segments') }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

stages as (

    select
        stage_no,
        stage
    from {{ ref('stg_night__stages') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

listed as (
    {% for variant in variants %}
    select
        node_no,
        segment_no,
        stage_no,
        '{{ variant.basis }}' as basis,
        '{{ variant.window }}' as entry_window,
        median_{{ variant.name }} as dwell_median_days,
        p80_{{ variant.name }} as dwell_p80_days,
        left_{{ variant.name }} as dwell_n_event,
        censored_{{ variant.name }} as dwell_n_censored,
        longest_{{ variant.name }} as longest_days
    from quantiles
    where left_{{ variant.name }} + censored_{{ variant.name }} > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (

    select
        nodes.node_key,
        segments.segment,
        stages.stage,
        stages.stage_no,
        listed.basis,
        listed.entry_window,
        cast(listed.dwell_median_days as integer) as dwell_median_days,
        cast(listed.dwell_p80_days as integer) as dwell_p80_days,
        cast(listed.dwell_n_event as bigint) as dwell_n_event,
        cast(listed.dwell_n_censored as bigint) as dwell_n_censored,
        cast(listed.dwell_n_event + listed.dwell_n_censored as bigint) as n,
        cast(listed.longest_days as integer) as longest_days,
        run.as_of_date,
        run.run_id
    from listed
    cross join run
    inner join segments on listed.segment_no = segments.segment_no
    inner join nodes on listed.node_no = nodes.node_no
    inner join stages on listed.stage_no = stages.stage_no

)

select * from final

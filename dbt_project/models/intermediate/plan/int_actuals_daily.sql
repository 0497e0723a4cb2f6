-- Grain: one row per metric × rep node × day on which something happened, up to and including the as-of date.
{% set channel = ref('int_channel_actuals') %}

{{ config(materialized='view') }}

with

runs as (
    select * from {{ ref('stg_night__run') }}
),

nodes as (
    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}
),

numbered as (
    select
        metric,
        node_no,
        happened_on,
        hundredths,
        n,
        null as denominator_hundredths
    from {{ ref('int_closing_actuals') }}

    union all

    select
        metric,
        node_no,
        happened_on,
        cast(n as bigint) * 100 as hundredths,
        n,
        null as denominator_hundredths
    from {{ ref('int_step_actuals') }}

    union all

    select
        metric,
        node_no,
        happened_on,
        hundredths,
        n,
        denominator_hundredths
    from {{ ref('int_money_actuals') }}
),

measured as (
    select
        numbered.metric,
        nodes.node_key,
        nodes.node_no,
        numbered.happened_on,
        numbered.hundredths,
        cast(numbered.n as bigint) as n,
        cast(numbered.denominator_hundredths as bigint) as denominator_hundredths
    from numbered
    inner join nodes on numbered.node_no = nodes.node_no
    {% if is_built(channel) %}
        union all

        select
            channel.metric,
            channel.node_key,
            nodes.node_no,
            channel.happened_on,
            channel.hundredths,
            channel.n,
            channel.denominator_hundredths
        from {{ channel }} as channel
        inner join nodes on channel.node_key = nodes.node_key
    {% endif %}
),

final as (
    select measured.*
    from measured
    cross join runs
    where measured.happened_on <= runs.as_of_date
)

select * from final

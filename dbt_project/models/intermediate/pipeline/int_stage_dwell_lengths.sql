-- Grain: one node, segment (all and each), open stage, length of stay in days, and whether censored: how many stays.

{# Only the curves read it: counted where they are made, it is not written and read again. #}
{{ config(materialized='view') }}

{#
    Three ways to count, side by side:
    every_stay  each stay by itself;
    latest      the last stay of a deal in the stage;
    cumulative  all days of a deal in the stage, returns added up; censored where its last stay is. It counts at the
                owner and in the window of the first entry.
    Stays whose entry nobody saw say nothing of how long deals stay: of deals first seen on their way, only those that
    stay long are seen.
#}
{% set measures = dwell_counts() -%}
{% set window_days = 365 %}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

{{ parents_and_ancestors() }},

-- Few deals return, and only their stays have to be brought together. A deal has one segment, tonight's.
returns as (

    select
        segment_no,
        stage_no,
        {{ arg_min('node_no', 'spell_no') }} as node_no,
        min(entered_on) as entered_on,
        sum(dwell_days) as dwell_days,
        max(case when is_latest and is_censored then 1 else 0 end) = 1 as is_censored,
        max(case when is_entry_assumed then 1 else 0 end) = 1 as is_entry_assumed
    from {{ ref('int_stage_spells_of_all_deals') }}
    where not (is_first_entry and is_latest)
    group by okey, segment_no, stage_no

),

stays as (

    select
        node_no,
        segment_no,
        stage_no,
        dwell_days,
        is_censored,
        entered_on,
        true as is_of_every_stay,
        is_latest as is_of_latest,
        is_first_entry and is_latest as is_of_cumulative
    from {{ ref('int_stage_spells_of_all_deals') }}
    where not is_entry_assumed

    union all

    select
        node_no,
        segment_no,
        stage_no,
        dwell_days,
        is_censored,
        entered_on,
        false as is_of_every_stay,
        false as is_of_latest,
        true as is_of_cumulative
    from returns
    where not is_entry_assumed

),

windowed as (

    select
        stays.*,
        true as is_of_all_time,
        stays.entered_on > {{ add_days('run.as_of_date', -window_days) }} as is_of_last_365_days
    from stays
    cross join run

),

-- Stays of one length are one row from here on, or two: those that ended after it, and those that were censored.
own as (

    select
        node_no,
        segment_no,
        stage_no,
        dwell_days,
        is_censored,
        {% for variant in dwell_variants() -%}
            count(case when is_of_{{ variant.basis }} and is_of_{{ variant.window }} then 1 end)
                as n_{{ variant.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from windowed
    group by node_no, segment_no, stage_no, dwell_days, is_censored

),

{% set keys = ['stage_no', 'dwell_days', 'is_censored'] -%}
{{ at_every_node('own', ['segment_no'] + keys, measures) }},

{{ with_all_segments(keys, measures) }},

-- Small numbers, of which the curves carry many.
final as (

    select
        node_no,
        segment_no,
        cast(stage_no as smallint) as stage_no,
        cast(dwell_days as integer) as dwell_days,
        is_censored,
        {% for column in measures -%}
            cast({{ column }} as integer) as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from segmented

)

select * from final

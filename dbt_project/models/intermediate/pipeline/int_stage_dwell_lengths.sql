-- Grain: one node, segment ('all' and each), open stage and length of stay in days: how many stays of it.

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

spells as (

    select
        *,
        is_first_entry and is_latest as is_only_stay
    from {{ ref('int_stage_spells_of_all_deals') }}

),

parents as (

    select
        nodes.node_no,
        parents.node_no as parent_node_no
    from {{ ref('int_nodes') }} as nodes
    inner join {{ ref('int_nodes') }} as parents on nodes.parent_node_key = parents.node_key

),

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

),

-- Few deals return, and only their stays have to be brought together.
returns as (

    select
        okey,
        stage_no,
        {{ arg_max('node_no', '-spell_no') }} as node_no,
        {{ arg_max('segment', '-spell_no') }} as segment,
        min(entered_on) as entered_on,
        sum(dwell_days) as dwell_days,
        max(case when is_latest and is_censored then 1 else 0 end) = 1 as is_censored,
        max(case when is_entry_assumed then 1 else 0 end) = 1 as is_entry_assumed
    from spells
    where not is_only_stay
    group by okey, stage_no

),

stays as (

    select
        node_no,
        segment,
        stage_no,
        dwell_days,
        entered_on,
        is_censored,
        true as is_of_every_stay,
        is_latest as is_of_latest,
        is_only_stay as is_of_cumulative
    from spells
    where not is_entry_assumed

    union all

    select
        node_no,
        segment,
        stage_no,
        dwell_days,
        entered_on,
        is_censored,
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

-- Stays of one length are one row from here on.
own as (

    select
        node_no,
        segment,
        stage_no,
        dwell_days,
        {% for variant in dwell_variants() -%}
            {% set counts = 'is_of_' ~ variant.basis ~ ' and is_of_' ~ variant.window -%}
            count(case when {{ counts }} and not is_censored then 1 end) as left_{{ variant.name }},
            count(case when {{ counts }} and is_censored then 1 end) as censored_{{ variant.name }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from windowed
    group by node_no, segment, stage_no, dwell_days

),

-- What is summed for the node above the rep is much smaller, and goes on to all nodes above that one.
above_reps as (

    select
        parents.parent_node_no as node_no,
        own.segment,
        own.stage_no,
        own.dwell_days,
        {{ sum_each(measures, 'own') }}
    from own
    inner join parents on own.node_no = parents.node_no
    group by parents.parent_node_no, own.segment, own.stage_no, own.dwell_days

),

by_node as (

    select
        node_no,
        segment,
        stage_no,
        dwell_days,
        {{ each_column(measures) }}
    from own

    union all

    select
        ancestors.ancestor_node_no as node_no,
        above_reps.segment,
        above_reps.stage_no,
        above_reps.dwell_days,
        {{ sum_each(measures, 'above_reps') }}
    from above_reps
    inner join ancestors on above_reps.node_no = ancestors.node_no
    group by ancestors.ancestor_node_no, above_reps.segment, above_reps.stage_no, above_reps.dwell_days

),

segmented as (

    select * from by_node

    union all

    select
        node_no,
        'all' as segment,
        stage_no,
        dwell_days,
        {{ sum_each(measures) }}
    from by_node
    group by node_no, stage_no, dwell_days

),

-- Small numbers, of which the curves carry many.
final as (

    select
        node_no,
        segment,
        cast(stage_no as smallint) as stage_no,
        cast(dwell_days as integer) as dwell_days,
        {% for column in measures -%}
            cast({{ column }} as integer) as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from segmented

)

select * from final

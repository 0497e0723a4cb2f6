-- Grain: one period (month, quarter, fiscal year) of entry, node, segment (all and each) and open stage.

{{ config(materialized='view') }}

{% set measures = ['n_spells', 'entrants', 'advanced', 'won', 'lost', 'unresolved', 'unresolved_next'] -%}

-- Deals first seen on their way are those that had not closed by then: as entrants they would bias every rate.
with spells as (

    select
        *,
        is_first_entry and not is_entry_assumed as is_entrant
    from {{ ref('int_stage_spells') }}

),

dates as (

    select
        day,
        month_start_on,
        quarter_start_on,
        year_start_on
    from {{ ref('int_dates') }}

),

months as (

    select distinct
        month_start_on,
        quarter_start_on,
        year_start_on
    from dates

),

{{ parents_and_ancestors() }},

-- A deal enters a stage once, when it first gets there; later returns are spells, not entrants.
monthly as (

    select
        spells.node_no,
        spells.segment_no,
        spells.stage_no,
        dates.month_start_on,
        count(*) as n_spells,
        count(case when spells.is_entrant then 1 end) as entrants,
        count(case when spells.is_entrant and spells.has_advanced then 1 end) as advanced,
        count(case when spells.is_entrant and spells.is_deal_won then 1 end) as won,
        count(case when spells.is_entrant and spells.is_deal_closed and not spells.is_deal_won then 1 end) as lost,
        count(case when spells.is_entrant and not spells.is_deal_closed then 1 end) as unresolved,
        count(case when spells.is_entrant and not spells.is_deal_closed and not spells.has_advanced then 1 end)
            as unresolved_next
    from spells
    inner join dates on spells.entered_on = dates.day
    group by spells.node_no, spells.segment_no, spells.stage_no, dates.month_start_on

),

{{ at_every_node('monthly', ['segment_no', 'stage_no', 'month_start_on'], measures) }},

{{ with_all_segments(['stage_no', 'month_start_on'], measures) }},

final as (

    select
        'month' as period_kind,
        month_start_on as period_start_on,
        node_no,
        segment_no,
        stage_no,
        {{ each_column(measures) }}
    from segmented
    {% for kind in ['quarter', 'year'] %}
    union all

    select
        '{{ kind }}' as period_kind,
        months.{{ kind }}_start_on as period_start_on,
        segmented.node_no,
        segmented.segment_no,
        segmented.stage_no,
        {{ sum_each(measures, 'segmented') }}
    from segmented
    inner join months on segmented.month_start_on = months.month_start_on
    group by months.{{ kind }}_start_on, segmented.node_no, segmented.segment_no, segmented.stage_no
    {% endfor %}
)

select * from final

-- Grain: one period (month, quarter, fiscal year) of entry, node, segment ('all' and each) and open stage.

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

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

),

-- A deal enters a stage once, when it first gets there; later returns are spells, not entrants.
monthly as (

    select
        spells.node_no,
        spells.segment,
        spells.stage_no,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.year_start_on,
        count(*) as n_spells,
        sum(case when spells.is_entrant then 1 else 0 end) as entrants,
        sum(case when spells.is_entrant and spells.has_advanced then 1 else 0 end) as advanced,
        sum(case when spells.is_entrant and spells.is_deal_won then 1 else 0 end) as won,
        sum(case when spells.is_entrant and spells.is_deal_closed and not spells.is_deal_won then 1 else 0 end)
            as lost,
        sum(case when spells.is_entrant and not spells.is_deal_closed then 1 else 0 end) as unresolved,
        sum(case when spells.is_entrant and not spells.is_deal_closed and not spells.has_advanced then 1 else 0 end)
            as unresolved_next
    from spells
    inner join dates on spells.entered_on = dates.day
    group by
        spells.node_no, spells.segment, spells.stage_no,
        dates.month_start_on, dates.quarter_start_on, dates.year_start_on

),

segmented as (

    select
        node_no,
        segment,
        stage_no,
        month_start_on,
        quarter_start_on,
        year_start_on,
        {{ each_column(measures) }}
    from monthly

    union all

    select
        node_no,
        'all' as segment,
        stage_no,
        month_start_on,
        quarter_start_on,
        year_start_on,
        {{ sum_each(measures) }}
    from monthly
    group by node_no, stage_no, month_start_on, quarter_start_on, year_start_on

),

by_node as (

    select
        ancestors.ancestor_node_no as node_no,
        segmented.segment,
        segmented.stage_no,
        segmented.month_start_on,
        segmented.quarter_start_on,
        segmented.year_start_on,
        {{ sum_each(measures, 'segmented') }}
    from segmented
    inner join ancestors on segmented.node_no = ancestors.node_no
    group by
        ancestors.ancestor_node_no,
        segmented.segment,
        segmented.stage_no,
        segmented.month_start_on,
        segmented.quarter_start_on,
        segmented.year_start_on

),

final as (

    select
        'month' as period_kind,
        month_start_on as period_start_on,
        node_no,
        segment,
        stage_no,
        {{ each_column(measures) }}
    from by_node

    union all

    select
        'quarter' as period_kind,
        quarter_start_on as period_start_on,
        node_no,
        segment,
        stage_no,
        {{ sum_each(measures) }}
    from by_node
    group by quarter_start_on, node_no, segment, stage_no

    union all

    select
        'year' as period_kind,
        year_start_on as period_start_on,
        node_no,
        segment,
        stage_no,
        {{ sum_each(measures) }}
    from by_node
    group by year_start_on, node_no, segment, stage_no

)

select * from final

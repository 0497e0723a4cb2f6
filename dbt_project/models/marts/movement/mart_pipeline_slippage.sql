-- Grain: one period (month, quarter, fiscal year) and node of the organisation.

with measured as (

    select * from {{ ref('int_slippage_measured') }}

),

ancestors as (

    select
        node_no,
        ancestor_node_key
    from {{ ref('int_node_ancestors') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

periods as (

    {% for kind in ['month', 'quarter', 'year'] %}
        select
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            max({{ kind }}_end_on) as period_end_on
        from {{ ref('int_dates') }}
        group by {{ kind }}_start_on
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

summed as (

    select
        measured.period_kind,
        measured.period_start_on,
        ancestors.ancestor_node_key as node_key,
        {{ sum_each(['starting_deals', 'starting_cents', 'slipped_deals', 'slipped_cents', 'undecided_deals',
                     'undecided_cents'], 'measured') }}
    from measured
    inner join ancestors on measured.node_no = ancestors.node_no
    group by measured.period_kind, measured.period_start_on, ancestors.ancestor_node_key

),

final as (

    select
        summed.period_kind,
        summed.period_start_on,
        summed.node_key,
        {{ add_days('summed.period_start_on', 4) }} as fifth_day,
        least(periods.period_end_on, run.as_of_date) as seen_until_on,
        periods.period_end_on <= run.as_of_date as is_complete,
        {{ cents_to_amount('summed.starting_cents') }} as starting_amount,
        {{ cents_to_amount('summed.slipped_cents') }} as slipped_amount,
        {{ cents_to_amount('summed.undecided_cents') }} as undecided_amount,
        summed.slipped_deals,
        summed.undecided_deals,
        round({{ ratio('summed.slipped_cents', 'summed.starting_cents') }}, 6) as slippage,
        summed.starting_deals as n,
        run.as_of_date,
        run.run_id
    from summed
    cross join run
    inner join periods
        on summed.period_kind = periods.period_kind and summed.period_start_on = periods.period_start_on

)

select * from final

-- Grain: one period (month, quarter, fiscal year), scope and node of the organisation.

{% set joined = waterfall_columns().joined -%}
{% set left = waterfall_columns().left -%}

with cells as (

    select * from {{ ref('int_waterfall_cells') }}

),

windows as (

    select * from {{ ref('int_waterfall_windows') }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

summed as (

    select
        window_no,
        scope,
        node_no,
        sum(start_cents) as start_cents,
        sum(start_deals) as start_deals,
        {%- for way in joined %}
        sum(case when joined_by = '{{ way }}' then joined_cents else 0 end) as {{ way }}_cents,
        sum(case when joined_by = '{{ way }}' then deals else 0 end) as {{ way }}_deals,
        {%- endfor %}
        sum(increase_cents) as increase_cents,
        sum(increase_deals) as increase_deals,
        sum(decrease_cents) as decrease_cents,
        sum(decrease_deals) as decrease_deals,
        {%- for way in left %}
        sum(case when left_by = '{{ way }}' then left_cents else 0 end) as {{ way }}_cents,
        sum(case when left_by = '{{ way }}' then deals else 0 end) as {{ way }}_deals,
        {%- endfor %}
        sum(end_cents) as end_cents,
        sum(end_deals) as end_deals
    from cells
    group by window_no, scope, node_no

),

final as (

    select
        windows.period_kind,
        windows.period_start_on,
        windows.period_end_on,
        summed.scope,
        nodes.node_key,
        windows.closing_on as seen_until_on,
        windows.is_complete,
        {%- for column in ['start'] + joined + ['increase', 'decrease'] + left + ['end'] %}
        {{ cents_to_amount('summed.' ~ column ~ '_cents') }} as {{ column }}_amount,
        {%- endfor %}
        {%- for column in ['start'] + joined + ['increase', 'decrease'] + left + ['end'] %}
        cast(summed.{{ column }}_deals as bigint) as {{ column }}_deals,
        {%- endfor %}
        run.as_of_date,
        run.run_id
    from summed
    cross join run
    inner join windows on summed.window_no = windows.window_no
    inner join nodes on summed.node_no = nodes.node_no

)

select * from final

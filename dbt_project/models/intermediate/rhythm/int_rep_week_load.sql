-- Grain: one rep node, open stage and week since the node first had a deal there: what stood open at the week's end.

{% set piled_after_days = 28 %}

with weeks as (

    select * from {{ ref('int_weeks') }}

),

edges as (

    select
        min(week_no) as first_week_no,
        max(until_on) as as_of_date
    from weeks

),

-- Where a state begins and ends, in weeks: it stands at the end of a week if it had begun by then and not ended.
spans as (

    select
        states.node_no,
        states.stage_no,
        states.amount_cents,
        greatest({{ week_number('states.event_on') }}, edges.first_week_no) as from_week_no,
        {{ week_number('states.next_on') }} as to_week_no,
        case
            when {{ add_days('states.waits_since', piled_after_days) }} <= edges.as_of_date
                then
                    greatest(
                        {{ week_number('states.event_on') }},
                        {{ week_number(add_days('states.waits_since', piled_after_days)) }},
                        edges.first_week_no
                    )
        end as piled_week_no
    from {{ ref('int_rep_deal_states') }} as states
    cross join edges
    where states.is_open

),

standing as (

    select * from spans
    where to_week_no is null or to_week_no > from_week_no

),

steps as (

    select
        node_no,
        stage_no,
        from_week_no as week_no,
        1 as open_count,
        amount_cents as open_cents,
        0 as piled
    from standing

    union all

    select
        node_no,
        stage_no,
        to_week_no as week_no,
        -1 as open_count,
        -amount_cents as open_cents,
        case when piled_week_no < to_week_no then -1 else 0 end as piled
    from standing
    where to_week_no is not null

    union all

    select
        node_no,
        stage_no,
        piled_week_no as week_no,
        0 as open_count,
        0 as open_cents,
        1 as piled
    from standing
    where piled_week_no is not null and (to_week_no is null or piled_week_no < to_week_no)

),

summed as (

    select
        node_no,
        stage_no,
        week_no,
        {{ sum_each(['open_count', 'open_cents', 'piled']) }}
    from steps
    group by node_no, stage_no, week_no

),

cells as (

    select
        node_no,
        stage_no,
        min(week_no) as first_week_no
    from summed
    group by node_no, stage_no

),

final as (

    select
        cells.node_no,
        cells.stage_no,
        weeks.week_no,
        {%- for measure in ['open_count', 'open_cents', 'piled'] %}
        cast(sum(coalesce(summed.{{ measure }}, 0)) over (
            partition by cells.node_no, cells.stage_no order by weeks.week_no
            rows between unbounded preceding and current row
        ) as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from cells
    inner join weeks on cells.first_week_no <= weeks.week_no
    left join summed
        on
            cells.node_no = summed.node_no
            and cells.stage_no = summed.stage_no
            and weeks.week_no = summed.week_no

)

select * from final

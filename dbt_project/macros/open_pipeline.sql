{#-
    The states in which a deal stood open at the end of a day, each with its weight; what came and went within one day
    shows on none. `events` and `win_rates` are int_opportunity_events and int_stage_win_rates, as the reader names them.
-#}
{% macro open_states(events, win_rates) -%}
    with stages as (

        select
            stage_no,
            win_probability
        from {{ win_rates }}
        where not is_closed

        union all

        -- Open in a stage nobody recorded: counted, and weighted by nothing.
        select
            {{ unknown_stage_no() }} as stage_no,
            cast(0 as double) as win_probability

    )

    select
        events.okey,
        events.node_no,
        events.stage_no,
        events.close_month_no,
        events.event_on,
        events.next_on,
        events.amount_cents,
        {{ weighted_cents('events.amount_cents', 'stages.win_probability') }} as weighted_cents
    from {{ events }} as events
    inner join stages on events.stage_no = stages.stage_no
    where events.next_on is null or events.event_on < events.next_on
{%- endmacro %}

{#- What each of `states` adds to its cell on its `first` day, and takes away on the `past` one, its first day gone. -#}
{% macro comings_and_goings(states, first, past, day) -%}
    select
        node_no,
        stage_no,
        close_month_no,
        {{ first }} as {{ day }},
        1 as open_count,
        amount_cents,
        weighted_cents
    from {{ states }}

    union all

    select
        node_no,
        stage_no,
        close_month_no,
        {{ past }} as {{ day }},
        -1 as open_count,
        -amount_cents as amount_cents,
        -weighted_cents as weighted_cents
    from {{ states }}
    where {{ past }} is not null
{%- endmacro %}

{#- What stands in each cell after each change, until `next_<day>`, its next one: no deal is laid against a calendar. -#}
{% macro standing_after(changes, day) -%}
    select
        node_no,
        stage_no,
        close_month_no,
        {{ day }},
        lead({{ day }}) over by_day as next_{{ day }},
        sum(open_count) over until_day as open_count,
        sum(amount_cents) over until_day as amount_cents,
        sum(weighted_cents) over until_day as weighted_cents
    from {{ changes }}
    window
        by_day as (partition by node_no, stage_no, close_month_no order by {{ day }}),
        until_day as (
            partition by node_no, stage_no, close_month_no order by {{ day }}
            rows between unbounded preceding and current row
        )
{%- endmacro %}

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

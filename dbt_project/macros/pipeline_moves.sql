{#-
    What became of each deal between two dates: the one definition of the waterfall, for the marts and for
    `planloop waterfall`, which renders this file by itself. So it names no other macro and no table, and is SQL that
    every engine reads. A query, to stand alone in a CTE or a table.

    `states`   deal by stretch of days (int_opportunity_states); status 1 open, 2 won, 3 lost, 4 gone
    `windows`  window_no, opening_on, closing_on; first_month_no, last_month_no, period_start_on and period_end_on of
               the months that scope 'closing' is about

    Each window is told twice: scope 'closing', of deals expected to close in its months, and scope 'all', of every open
    deal. Only the ends of two days are compared, the opening and the closing one, so a deal has one reason:

    - in at both: it stayed. In at the opening alone: deleted, won, lost, else pushed_out, in this order. In at the closing
      alone: pulled_in if it was open elsewhere, created if nobody knew it, else reopened (from won, lost or deleted).
    - in at neither, but closed in between: both reasons, so that what was created and won counts as both. It is in scope
      by the month it was last expected in while it was open, or, won, by the month it was won in.
    - Money is what the deal is worth at the closing, or what it left with. What was in at the opening shows the
      difference as change. A deal in at the opening that has another owner at the closing leaves the one and joins the
      other with what it was worth on the day of the last handover; each owner has the change of his own time.
    - start + joined + change - left = end holds in every row, hence in every sum of rows.
-#}
{% macro pipeline_moves(states, windows) -%}
with spans as (

    select
        *,
        coalesce(until_on, cast('9999-12-31' as date)) as past_on
    from {{ states }}

),

first_opening as (

    select min(opening_on) as opening_on
    from {{ windows }}

),

-- What was closed or gone before the first window is no window's business.
recent as (

    select spans.*
    from spans
    inner join first_opening on spans.past_on > first_opening.opening_on
    where spans.status = 1 or spans.from_on > first_opening.opening_on

),

-- Nor is what was closed or gone before its own window. Most deals of a closing stood there at the opening, or are new.
closed as (

    select
        windows.window_no,
        windows.opening_on,
        recent.okey,
        recent.status,
        recent.from_on,
        recent.known_from_on > windows.opening_on as is_new,
        recent.from_on <= windows.opening_on as has_stood,
        recent.amount_cents as end_cents,
        recent.close_month_no as end_month_no,
        recent.open_close_month_no as open_month_no,
        recent.node_no as end_node_no
    from recent
    inner join {{ windows }} as windows
        on recent.from_on <= windows.closing_on and recent.past_on > windows.closing_on
    where recent.status = 1 or recent.from_on > windows.opening_on

),

-- Open at the opening, and otherwise at the closing.
opened as (

    select
        windows.window_no,
        recent.okey,
        recent.amount_cents as start_cents,
        recent.close_month_no as start_month_no,
        recent.node_no as start_node_no
    from recent
    inner join {{ windows }} as windows
        on recent.from_on <= windows.opening_on and recent.past_on > windows.opening_on
    where recent.status = 1 and recent.past_on <= windows.closing_on

),

pairs as (

    select
        closed.*,
        case when closed.has_stood then closed.end_cents else opened.start_cents end as start_cents,
        case when closed.has_stood then closed.end_month_no else opened.start_month_no end as start_month_no,
        case when closed.has_stood then closed.end_node_no else opened.start_node_no end as start_node_no,
        closed.has_stood or opened.okey is not null as was_open
    from closed
    left join opened on closed.okey = opened.okey and closed.window_no = opened.window_no
    where closed.has_stood or opened.okey is not null or closed.status <> 4

),

-- Few deals were handed over, or were closed before and are again: the others need not be looked up.
simple as (

    select
        *,
        cast(null as integer) as earlier_status,
        cast(null as bigint) as handed_cents
    from pairs
    where (was_open and start_node_no = end_node_no) or (not was_open and is_new)

),

looked_up as (

    select * from pairs
    where (was_open and start_node_no <> end_node_no) or (not was_open and not is_new)

),

earlier as (

    select
        looked_up.window_no,
        looked_up.okey,
        spans.status as earlier_status
    from looked_up
    inner join spans
        on
            looked_up.okey = spans.okey
            and spans.from_on <= looked_up.opening_on
            and spans.past_on > looked_up.opening_on
    where not looked_up.was_open

),

handovers as (

    select
        looked_up.window_no,
        looked_up.okey,
        max(spans.from_on) as handed_on
    from looked_up
    inner join spans
        on
            looked_up.okey = spans.okey
            and spans.from_on > looked_up.opening_on
            and spans.from_on <= looked_up.from_on
    where looked_up.was_open and spans.is_handed_over
    group by looked_up.window_no, looked_up.okey

),

handed as (

    select
        handovers.window_no,
        handovers.okey,
        spans.amount_cents as handed_cents
    from handovers
    inner join spans on handovers.okey = spans.okey and handovers.handed_on = spans.from_on

),

known as (

    select * from simple

    union all

    select
        looked_up.*,
        earlier.earlier_status,
        handed.handed_cents
    from looked_up
    left join earlier on looked_up.okey = earlier.okey and looked_up.window_no = earlier.window_no
    left join handed on looked_up.okey = handed.okey and looked_up.window_no = handed.window_no

),

scopes as (

    select 'closing' as scope
    union all
    select 'all' as scope

),

scoped as (

    select
        known.*,
        scopes.scope,
        known.was_open
        and (scopes.scope = 'all' or known.start_month_no between windows.first_month_no and windows.last_month_no)
            as was_in,
        known.status = 1
        and (scopes.scope = 'all' or known.end_month_no between windows.first_month_no and windows.last_month_no)
            as is_in,
        -- Corrected from lost to won it has closed anew; restored from deletion as the won deal it was, it has not.
        known.status in (2, 3)
        and (
            known.was_open
            or known.is_new
            or (known.earlier_status in (2, 3) and known.earlier_status <> known.status)
        )
        and (
            scopes.scope = 'all'
            or known.open_month_no between windows.first_month_no and windows.last_month_no
            or (known.status = 2 and known.from_on between windows.period_start_on and windows.period_end_on)
        ) as has_passed
    from known
    cross join scopes
    inner join {{ windows }} as windows on known.window_no = windows.window_no

),

-- Where a deal stands at the closing, or left from; and where it stood at the opening, if that was another owner.
sides as (

    select false as is_giver
    union all
    select true as is_giver

),

told as (

    select
        scoped.*,
        sides.is_giver,
        not sides.is_giver and scoped.was_in and scoped.start_node_no <> scoped.end_node_no as is_taker
    from scoped
    inner join sides
        on
            not sides.is_giver
            or (scoped.was_in and scoped.start_node_no <> scoped.end_node_no)
    where scoped.was_in or scoped.is_in or scoped.has_passed

),

final as (

    select
        window_no,
        scope,
        okey,
        case when is_giver then start_node_no else end_node_no end as node_no,
        case when is_giver then end_node_no when is_taker then start_node_no end as other_node_no,
        case when was_in and not is_taker then start_cents else 0 end as start_cents,
        case
            when is_giver then null
            when is_taker then 'transferred_in'
            when was_in then null
            when was_open then 'pulled_in'
            when is_new then 'created'
            else 'reopened'
        end as joined_by,
        case when is_taker then handed_cents when was_in then 0 else end_cents end as joined_cents,
        case
            when is_giver then handed_cents - start_cents
            when is_taker then end_cents - handed_cents
            when was_in then end_cents - start_cents
            else 0
        end as change_cents,
        case
            when is_giver then 'transferred_out'
            when is_in then null
            when status = 4 then 'deleted'
            when status = 2 then 'won'
            when status = 3 then 'lost'
            else 'pushed_out'
        end as left_by,
        case when is_giver then handed_cents when is_in then 0 else end_cents end as left_cents,
        case when is_in and not is_giver then end_cents else 0 end as end_cents,
        was_in and not is_taker as is_start,
        is_in and not is_giver as is_end,
        start_month_no,
        end_month_no
    from told

)

select * from final
{%- endmacro %}

{#-
    What became of each deal between two dates: the one definition of the waterfall, for the marts and for
    `planloop waterfall`, which renders this file by itself. So it names no other macro and no table, and is SQL that
    every engine reads. Each macro is a query, to stand alone in a CTE or a table.

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

{#-
    How each deal stood at both ends of a window, once for both scopes: what was open at one of them, or closed between.

    `states`   deal by stretch of days (int_opportunity_states); status 1 open, 2 won, 3 lost, 4 gone
    `windows`  window_no, opening_on, closing_on; first_month_no, last_month_no, period_start_on and period_end_on of
               the months that scope 'closing' is about
-#}
{% macro pipeline_pairs(states, windows) -%}
{% set never = "cast('9999-12-31' as date)" -%}
with first_opening as (

    select min(opening_on) as opening_on
    from {{ windows }}

),

-- What was closed or gone before the first window is no window's business; nor, before its own window, any other's.
recent as (

    select
        states.*,
        coalesce(states.until_on, {{ never }}) as past_on,
        case when states.status = 1 then coalesce(states.until_on, {{ never }}) else states.from_on end as told_until_on
    from {{ states }} as states
    inner join first_opening on coalesce(states.until_on, {{ never }}) > first_opening.opening_on
    where states.status = 1 or states.from_on > first_opening.opening_on

),

closed as (

    select
        windows.window_no,
        recent.okey,
        recent.status,
        recent.known_from_on > windows.opening_on as is_new,
        recent.from_on <= windows.opening_on as has_stood,
        recent.amount_cents as end_cents,
        recent.close_month_no as end_month_no,
        recent.node_no as end_node_no,
        recent.status = 1 and recent.close_month_no between windows.first_month_no and windows.last_month_no as is_due,
        recent.status in (2, 3)
        and (
            recent.open_close_month_no between windows.first_month_no and windows.last_month_no
            or (recent.status = 2 and recent.from_on between windows.period_start_on and windows.period_end_on)
        ) as has_passed
    from recent
    inner join {{ windows }} as windows
        on
            recent.told_until_on > windows.opening_on
            and recent.from_on <= windows.closing_on
            and recent.past_on > windows.closing_on

),

-- Open at the opening, and otherwise at the closing.
opened as (

    select
        windows.window_no,
        recent.okey,
        recent.amount_cents as start_cents,
        recent.close_month_no as start_month_no,
        recent.node_no as start_node_no,
        recent.close_month_no between windows.first_month_no and windows.last_month_no as was_due
    from recent
    inner join {{ windows }} as windows
        on recent.from_on <= windows.opening_on and recent.past_on > windows.opening_on
    where recent.status = 1 and recent.past_on <= windows.closing_on

),

-- Closed at the opening, and otherwise later.
earlier as (

    select
        windows.window_no,
        states.okey,
        states.status
    from {{ states }} as states
    inner join {{ windows }} as windows
        on states.from_on <= windows.opening_on and states.until_on > windows.opening_on
    where states.status in (2, 3)

),

handovers as (

    select
        windows.window_no,
        states.okey,
        max(states.from_on) as handed_on
    from {{ states }} as states
    inner join {{ windows }} as windows
        on states.from_on > windows.opening_on and states.from_on <= windows.closing_on
    where states.is_handed_over
    group by windows.window_no, states.okey

),

handed as (

    select
        handovers.window_no,
        handovers.okey,
        states.amount_cents as handed_cents
    from handovers
    inner join {{ states }} as states on handovers.okey = states.okey and handovers.handed_on = states.from_on

),

-- Most deals of a closing stood there at the opening, or are new (those of them that went again are not told): there
-- is nothing to look up. Of the others, what was corrected from lost to won has closed anew; restored from deletion as
-- the won deal it was, it has not.
final as (

    select
        window_no,
        okey,
        end_node_no as node_no,
        cast(null as integer) as other_node_no,
        status,
        has_stood as was_open,
        is_new,
        has_stood and is_due as was_due,
        is_due,
        has_passed,
        case when has_stood then end_cents end as start_cents,
        cast(null as bigint) as handed_cents,
        end_cents,
        case when has_stood then end_month_no end as start_month_no,
        end_month_no
    from closed
    where has_stood or (is_new and status <> 4)

    union all

    select
        closed.window_no,
        closed.okey,
        closed.end_node_no as node_no,
        case when opened.start_node_no <> closed.end_node_no then opened.start_node_no end as other_node_no,
        closed.status,
        opened.okey is not null as was_open,
        closed.is_new,
        coalesce(opened.was_due, false) as was_due,
        closed.is_due,
        closed.has_passed,
        opened.start_cents,
        case when opened.start_node_no <> closed.end_node_no then handed.handed_cents end as handed_cents,
        closed.end_cents,
        opened.start_month_no,
        closed.end_month_no
    from closed
    left join opened on closed.okey = opened.okey and closed.window_no = opened.window_no
    left join earlier on closed.okey = earlier.okey and closed.window_no = earlier.window_no
    left join handed on closed.okey = handed.okey and closed.window_no = handed.window_no
    where
        not closed.has_stood
        and not closed.is_new
        and (
            opened.okey is not null
            or closed.status = 1
            or (closed.status in (2, 3) and closed.status <> earlier.status)
        )

)

select * from final
{%- endmacro %}

{#-
    What the pairs tell of each scope and owner. `carried` are columns to keep. Several pairs may be one row with the
    sums of their cents, if they are alike in all else, and in whether what they were worth rose or fell.
-#}
{% macro pipeline_moves(pairs, carried) -%}
with scopes as (

    select
        'closing' as scope,
        false as is_all
    union all
    select
        'all' as scope,
        true as is_all

),

scoped as (

    select
        pairs.*,
        scopes.scope,
        pairs.was_open and (scopes.is_all or pairs.was_due) as was_in,
        pairs.status = 1 and (scopes.is_all or pairs.is_due) as is_in
    from {{ pairs }} as pairs
    cross join scopes
    where scopes.is_all or pairs.was_due or pairs.is_due or pairs.has_passed

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
        not sides.is_giver and scoped.was_in and scoped.other_node_no is not null as is_taker
    from scoped
    inner join sides
        on
            not sides.is_giver
            or (scoped.was_in and scoped.other_node_no is not null)

),

final as (

    select
        window_no,
        scope,
        {% for column in carried -%}
            {{ column }},
        {% endfor -%}
        case when is_giver then other_node_no else node_no end as node_no,
        case when is_giver then node_no when is_taker then other_node_no end as other_node_no,
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
        is_in and not is_giver as is_end
    from told

)

select * from final
{%- endmacro %}

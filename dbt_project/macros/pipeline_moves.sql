{#-
    What became of each deal between two dates: the one definition of the waterfall, for the marts and for
    `planloop waterfall`, which renders this file by itself. So it names no other macro and no table, and is SQL that
    every engine reads. A query, to stand alone in a CTE or a table.

    `states`   deal by stretch of days (int_opportunity_states); status 1 open, 2 won, 3 lost, 4 gone
    `windows`  window_no, opening_on, closing_on, first_month_no, last_month_no

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

opened as (

    select
        windows.window_no,
        spans.okey,
        spans.amount_cents as start_cents,
        spans.close_month_no as start_month_no,
        spans.node_no as start_node_no
    from spans
    inner join {{ windows }} as windows
        on spans.from_on <= windows.opening_on and spans.past_on > windows.opening_on
    where spans.status = 1

),

-- What was closed or gone before the window is none of its business.
closed as (

    select
        windows.window_no,
        windows.opening_on,
        spans.okey,
        spans.status,
        spans.from_on,
        spans.known_from_on > windows.opening_on as is_new,
        spans.amount_cents as end_cents,
        spans.close_month_no as end_month_no,
        spans.open_close_month_no as open_month_no,
        spans.node_no as end_node_no
    from spans
    inner join {{ windows }} as windows
        on spans.from_on <= windows.closing_on and spans.past_on > windows.closing_on
    where spans.status = 1 or spans.from_on > windows.opening_on

),

pairs as (

    select
        closed.*,
        opened.start_cents,
        opened.start_month_no,
        opened.start_node_no,
        opened.okey is not null as was_open
    from closed
    left join opened on closed.okey = opened.okey and closed.window_no = opened.window_no
    where opened.okey is not null or closed.status <> 4

),

earlier as (

    select
        pairs.window_no,
        pairs.okey,
        spans.status as earlier_status
    from pairs
    inner join spans
        on pairs.okey = spans.okey and spans.from_on <= pairs.opening_on and spans.past_on > pairs.opening_on
    where not pairs.was_open and not pairs.is_new

),

handovers as (

    select
        pairs.window_no,
        pairs.okey,
        max(spans.from_on) as handed_on
    from pairs
    inner join spans on pairs.okey = spans.okey and spans.from_on > pairs.opening_on and spans.from_on <= pairs.from_on
    where pairs.was_open and pairs.start_node_no <> pairs.end_node_no and spans.is_handed_over
    group by pairs.window_no, pairs.okey

),

handed as (

    select
        handovers.window_no,
        handovers.okey,
        spans.amount_cents as handed_cents
    from handovers
    inner join spans on handovers.okey = spans.okey and handovers.handed_on = spans.from_on

),

scopes as (

    select 'closing' as scope
    union all
    select 'all' as scope

),

scoped as (

    select
        pairs.*,
        scopes.scope,
        windows.first_month_no,
        windows.last_month_no,
        handed.handed_cents,
        pairs.was_open
        and (scopes.scope = 'all' or pairs.start_month_no between windows.first_month_no and windows.last_month_no)
            as was_in,
        pairs.status = 1
        and (scopes.scope = 'all' or pairs.end_month_no between windows.first_month_no and windows.last_month_no)
            as is_in,
        -- Corrected from lost to won it has closed anew; restored from deletion as the won deal it was, it has not.
        pairs.status in (2, 3)
        and (
            pairs.was_open
            or pairs.is_new
            or (earlier.earlier_status in (2, 3) and earlier.earlier_status <> pairs.status)
        )
        and (
            scopes.scope = 'all'
            or pairs.open_month_no between windows.first_month_no and windows.last_month_no
            or (
                pairs.status = 2
                and extract(year from pairs.from_on) * 12 + extract(month from pairs.from_on) - 1
                between windows.first_month_no and windows.last_month_no
            )
        ) as has_passed
    from pairs
    cross join scopes
    inner join {{ windows }} as windows on pairs.window_no = windows.window_no
    left join earlier on pairs.okey = earlier.okey and pairs.window_no = earlier.window_no
    left join handed on pairs.okey = handed.okey and pairs.window_no = handed.window_no

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

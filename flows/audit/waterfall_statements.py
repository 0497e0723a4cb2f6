"""The audit's measurements of the pipeline's waterfall: each gives table_name, subject, expected, found, detail.

That every row of the mart balances, that a period begins where the one before ended, and that the running one ends at
the open deals of tonight: what nobody should read who is to trust the difference between two nights.
"""
# ruff: noqa: S608 (statements are composed of this module's own names)

_IN = ("start", "created", "pulled_in", "reopened", "transferred_in", "increase")
_OUT = ("decrease", "pushed_out", "transferred_out", "won", "lost", "deleted")
_AMOUNTS = " + ".join(f"{name}_amount" for name in _IN) + "".join(f" - {name}_amount" for name in _OUT)
_DEALS = " + ".join(f"{name}_deals" for name in _IN[:-1]) + "".join(f" - {name}_deals" for name in _OUT[1:])
_CELL = "node_key || ', ' || period_kind || ' of ' || period_start_on"

BALANCES = f"""
select
    'mart_pipeline_waterfall',
    'scope ' || scopes.scope,
    0,
    count(*) filter (where cells.node_key is not null and not cells.is_balanced),
    min(cells.cell) filter (where not cells.is_balanced)
from (values ('all'), ('closing')) as scopes (scope)
left join (
    select
        scope,
        node_key,
        coalesce({_AMOUNTS} = end_amount and {_DEALS} = end_deals, false) as is_balanced,
        {_CELL} || ': ' || ({_AMOUNTS}) || ', end ' || end_amount as cell
    from candidate.marts.mart_pipeline_waterfall
) as cells on scopes.scope = cells.scope
group by scopes.scope
order by 2
"""

FOLLOWS_ON = f"""
with cells as (
    select *, {_CELL} as cell
    from candidate.marts.mart_pipeline_waterfall
    where scope = 'all'
),
periods as (
    select period_kind, period_start_on, min(period_end_on) as period_end_on from cells group by all
),
followed as (
    select earlier.period_kind, earlier.period_start_on, later.period_start_on as next_start_on
    from periods as earlier
    inner join periods as later
        on earlier.period_kind = later.period_kind and earlier.period_end_on + 1 = later.period_start_on
),
ends as (
    select followed.period_kind, followed.next_start_on as period_start_on, cells.node_key, cells.cell, cells.end_amount
    from cells
    inner join followed
        on cells.period_kind = followed.period_kind and cells.period_start_on = followed.period_start_on
),
starts as (
    select cells.period_kind, cells.period_start_on, cells.node_key, cells.cell, cells.start_amount
    from cells
    inner join followed
        on cells.period_kind = followed.period_kind and cells.period_start_on = followed.next_start_on
),
compared as (
    select
        period_kind,
        coalesce(ends.end_amount, 0) = coalesce(starts.start_amount, 0) as is_same,
        coalesce(ends.cell, 'nothing') || ' ended at ' || coalesce(ends.end_amount, 0) || ', '
        || coalesce(starts.cell, 'nothing') || ' begins at ' || coalesce(starts.start_amount, 0) as cell
    from ends
    full join starts using (period_kind, period_start_on, node_key)
)
select
    'mart_pipeline_waterfall',
    kinds.kind || ' by ' || kinds.kind,
    0,
    count(*) filter (where not compared.is_same),
    min(compared.cell) filter (where not compared.is_same)
from unnest(['month', 'quarter', 'year']) as kinds(kind)
left join compared on kinds.kind = compared.period_kind
group by kinds.kind
order by 2
"""

ENDS_TONIGHT = """
with open_deals as (
    select coalesce(sum(cast(amount * 100 as bigint)), 0) as hundredths
    from candidate.marts.fct_opportunity
    where not is_closed
),
ended as (
    select period_kind, sum(cast(end_amount * 100 as bigint)) as hundredths
    from candidate.marts.mart_pipeline_waterfall
    inner join run on seen_until_on = run.as_of_date
    where scope = 'all' and node_key = 'company' and period_start_on <= run.as_of_date
    group by period_kind
)
select
    'mart_pipeline_waterfall',
    'running ' || kinds.kind,
    cast(open_deals.hundredths as bigint),
    cast(coalesce(ended.hundredths, 0) as bigint),
    null
from unnest(['month', 'quarter', 'year']) as kinds(kind)
cross join open_deals
left join ended on kinds.kind = ended.period_kind
order by 2
"""

"""The statements that hold attainment and forecast to the facts and nodes below that they sum; see ``statements``."""
# ruff: noqa: S608 (statements are composed of this module's own names)

from collections.abc import Sequence

from flows.config.plan.metrics import rate_metrics

_COMPANY_PERIODS = """
with periods as (
    select
        unnest(['month', 'quarter', 'half', 'year']) as period_kind,
        unnest([month_start_on, quarter_start_on, half_start_on, year_start_on]) as period_start_on,
        hundredths
    from ({facts}) as facts
    left join candidate.marts.dim_date as dates on facts.day = dates.day
),
booked as (
    select period_kind, period_start_on, sum(hundredths) as hundredths from periods group by all
),
published as (
    select period_kind, period_start_on, cast(actual * 100 as bigint) as hundredths
    from candidate.marts.mart_target_attainment
    where metric = '{metric}' and node_key = 'company'
),
compared as (
    select
        coalesce(booked.period_kind, published.period_kind) as period_kind,
        coalesce(booked.period_start_on, published.period_start_on) as period_start_on,
        cast(coalesce(booked.hundredths, 0) as bigint) as expected,
        cast(coalesce(published.hundredths, 0) as bigint) as found
    from booked
    full join published
        on booked.period_kind = published.period_kind and booked.period_start_on = published.period_start_on
)
select
    'mart_target_attainment',
    period_kind || ' of ' || coalesce(cast(period_start_on as varchar), 'no date'),
    expected,
    found,
    null
from compared
where expected <> found
union all
select
    'mart_target_attainment',
    'all periods of kind ' || kind,
    cast(coalesce(sum(expected), 0) as bigint),
    cast(coalesce(sum(found), 0) as bigint),
    null
from unnest(['month', 'quarter', 'half', 'year']) as kinds(kind)
left join compared on compared.period_kind = kinds.kind
group by kind
order by 2
"""

ATTAINMENT_EQUALS_BOOKINGS = _COMPANY_PERIODS.format(
    metric="bookings",
    facts="""
        select booked_on as day, coalesce(cast(amount * 100 as bigint), 0) as hundredths
        from candidate.marts.fct_booking
    """,
)

ATTAINMENT_EQUALS_WON_DEALS = _COMPANY_PERIODS.format(
    metric="won_count",
    facts="""
        select closed_on as day, 100 as hundredths
        from candidate.marts.fct_opportunity
        where is_won and closed_on <= as_of_date
    """,
)


def rolls_up(table: str, values: Sequence[str], *keys: str, dated: Sequence[str]) -> str:
    """Number of cells of nodes above others where one of ``values`` is no sum of those below; rates are none.

    ``dated`` are those of them that stay where a person stood when it happened: they add up where nobody has come or
    gone, and those of all people to the company's.

    One row per metric and kind of period, and one for all; ``detail`` names a cell at fault.
    """
    grain = ", ".join((*keys, "metric", "period_kind", "period_start_on"))
    sums = ", ".join(f"coalesce(sum(cells.{value}), 0) as {value}" for value in values)
    same = " and ".join(
        f"({'coalesce(settled.is_settled, false) = false or ' if value in dated else ''}"
        f"coalesce(above.{value}, 0) = coalesce(below.{value}, 0))"
        for value in values
    )
    shown, shown_all = (
        " || '; ' || ".join(
            f"'{value} ' || coalesce({above}.{value}, 0) || ', {said} ' || coalesce({below}.{value}, 0)"
            for value in names
        )
        for above, said, below, names in (
            ("above", "below it", "below", values),
            ("top", "of all people", "people", dated),
        )
    )
    of_people = ", ".join(f"coalesce(sum({value}), 0) as {value}" for value in dated)
    same_people = " and ".join(f"coalesce(top.{value}, 0) = coalesce(people.{value}, 0)" for value in dated)
    joined = ", ".join((*grain.split(", "), "node_key"))
    rates = ", ".join(f"'{metric}'" for metric in rate_metrics())
    return f"""
with cells as (
    select {joined}, {", ".join(values)} from candidate.marts.{table} where metric not in ({rates})
),
nodes as (
    select node_key, parent_node_key from candidate.marts.dim_node where is_current
),
moved as (
    select node_key
    from candidate.marts.dim_node
    group by node_key
    having count(distinct parent_node_key) > 1
),
settled as (
    select node_key, node_key not in (
        select parent_node_key from candidate.marts.dim_node where node_key in (select node_key from moved)
    ) as is_settled
    from nodes
),
above as (
    select * from cells where node_key in (select parent_node_key from nodes)
),
below as (
    select {", ".join(f"cells.{name}" for name in grain.split(", "))}, nodes.parent_node_key as node_key, {sums}
    from cells
    inner join nodes on cells.node_key = nodes.node_key
    where nodes.parent_node_key is not null
    group by all
),
top as (
    select * from cells where node_key = 'company'
),
people as (
    select {grain}, {of_people} from cells where starts_with(node_key, 'rep:') group by all
),
compared as (
    select
        metric,
        period_kind,
        {same} as is_same,
        node_key || ', ' || period_kind || ' of ' || period_start_on || ': ' || {shown} as cell
    from above
    full join below using ({joined})
    left join settled using (node_key)
    union all
    select
        metric,
        period_kind,
        {same_people} as is_same,
        'company, ' || period_kind || ' of ' || period_start_on || ': ' || {shown_all} as cell
    from top
    full join people using ({grain})
)
select
    '{table}',
    coalesce(metric || ' by ' || period_kind, 'all metrics'),
    0,
    case when grouping(metric) = 1 then 0 else count(*) filter (where not is_same) end,
    min(cell) filter (where not is_same)
from compared
group by grouping sets ((metric, period_kind), ())
order by 2
"""

"""The statements of the audit's measurements: each gives table_name, subject, expected, found, detail.

``expected`` comes from one side (the inputs, the parts), ``found`` from the other (the marts, the whole). Sums are of
whole hundredths, so that equality is exact. Marts are read as ``candidate.marts.<table>``, inputs as ``run`` and
``source_file``.
"""
# ruff: noqa: S608 (statements are composed of this module's own names)

from collections.abc import Sequence
from datetime import date
from typing import Literal

Measured = Literal["n", "hundredths"]
"""How many there are, or what their amounts sum to."""

TONIGHT = """
create temp view tonight as
select source_file.* from source_file inner join run on source_file.as_of_date = run.as_of_date
"""

CHANGES_RECORDED = """
with accounted as (
    unpivot (
        select entity, sum(rows_new) as new, sum(rows_changed) as changed, sum(rows_deleted) as deleted
        from tonight
        group by entity
    )
    on new, changed, deleted into name change value n
),
logged as (
    select entity, _change as change, count(*) as n from ({changes}) group by all
)
select
    'change log',
    coalesce(accounted.entity, logged.entity) || ', ' || coalesce(accounted.change, logged.change),
    coalesce(accounted.n, 0),
    coalesce(logged.n, 0),
    null
from accounted
full join logged on accounted.entity = logged.entity and accounted.change = logged.change
order by 2
"""

_OPPORTUNITIES = """
with recursive states as (
    select
        opportunity_id,
        arg_max(
            {{'change': _change, 'amount': amount, 'currency': currency, 'into': merged_into_id}}, _observed_on
        ) as state
    from {log}
    group by opportunity_id
),
merges as (
    select states.opportunity_id, targets.opportunity_id as into_id
    from states
    inner join states as targets on states.state.into = targets.opportunity_id
),
-- A merged deal counts in the one it leads to; merges that lead round in a circle count for themselves.
led as (
    select opportunity_id, into_id, 1 as hops from merges
    union all
    select led.opportunity_id, merges.into_id, led.hops + 1
    from led
    inner join merges on led.into_id = merges.opportunity_id
    where led.hops < 65
),
merged as (
    select opportunity_id from led group by opportunity_id having max(hops) < 65
),
known as (
    select
        coalesce(state.currency, run.reporting_currency) as currency,
        count(*) as n,
        coalesce(sum(cast(state.amount * 100 as bigint)), 0) as hundredths
    from states
    cross join run
    where state.change <> 'deleted' and opportunity_id not in (select opportunity_id from merged)
    group by all
)"""

DOCUMENTS = {"contract": ("contract_id", "signed_on"), "line_item": ("line_item_id", "booked_on")}
"""What bookings may be made of besides won deals (a dbt test holds those): key and date of booking."""

_BOOKED_DOCUMENTS = """
with states as (
    select
        {key},
        arg_max(
            {{'change': _change, 'amount': amount, 'currency': currency, 'booked_on': {booked_on}}}, _observed_on
        ) as state
    from {log}
    group by {key}
),
known as (
    select
        coalesce(state.currency, run.reporting_currency) as currency,
        count(*) as n,
        coalesce(sum(cast(state.amount * 100 as bigint)), 0) as hundredths
    from states
    cross join run
    where state.change <> 'deleted' and state.booked_on <= run.as_of_date
    group by all
)"""

STAGES_ARE_CONFIGURED = """
select
    'fct_opportunity',
    stage,
    0,
    count(*),
    'such as ' || min(opportunity_id) || '; name the stage in stages.yaml, or among the aliases of one'
from candidate.marts.fct_opportunity
where stage_no is null
group by stage
order by 2
"""

DEVIATIONS_MEASURED = """
select
    'mart_deviation',
    'judged deviations',
    count(*),
    count(*) filter (where isfinite(measured) and isfinite(expected)),
    min(node_key || ', ' || rule_id) filter (where not coalesce(isfinite(measured) and isfinite(expected), false))
from candidate.marts.mart_deviation
where is_evaluated
"""

DEVIATIONS_PLAUSIBLE = """
select
    'mart_deviation',
    rule_id,
    0,
    case when count(*) < 20 then 0 else 100 * count(*) filter (where severity = 'critical') // count(*) end,
    count(*) filter (where severity = 'critical') || ' of ' || count(*) || ' nodes are critical'
from candidate.marts.mart_deviation
where is_evaluated
group by rule_id
union all
select 'mart_deviation', 'all rules', 0, 0, null
order by 2
"""

MEASURES = """
select 'fct_opportunity.amount', coalesce(sum(cast(amount * 100 as bigint)), 0) from candidate.marts.fct_opportunity
union all
select 'fct_booking.amount', coalesce(sum(cast(amount * 100 as bigint)), 0) from candidate.marts.fct_booking
"""


def opportunities(log: str, measured: Measured) -> str:
    """The deals of the log against those published, by currency.

    Args:
        log: rows of the log of opportunities, as SQL.
        measured: what is compared.
    """
    return _OPPORTUNITIES.format(log=log) + _against_published("fct_opportunity", measured)


def booked_documents(log: str, key: str, booked_on: str, measured: Measured) -> str:
    """The documents that bookings are made of (`DOCUMENTS`) against the bookings published, by currency.

    Args:
        log: rows of their log, as SQL.
        key: its column that names a document.
        booked_on: its column of the date of booking.
        measured: what is compared.
    """
    known = _BOOKED_DOCUMENTS.format(log=log, key=key, booked_on=booked_on)
    return known + _against_published("fct_booking", measured)


def _against_published(mart: str, measured: Measured) -> str:
    """What follows ``known`` (currency, n, hundredths): the same of a mart, and both beside each other."""
    return f""",
published as (
    select currency, count(*) as n, coalesce(sum(cast(amount_original * 100 as bigint)), 0) as hundredths
    from candidate.marts.{mart}
    group by currency
)
select
    '{mart}',
    coalesce(known.currency, published.currency),
    cast(coalesce(known.{measured}, 0) as bigint),
    cast(coalesce(published.{measured}, 0) as bigint),
    null
from known
full join published on known.currency = published.currency
union all
select
    '{mart}',
    'all currencies',
    cast(coalesce((select sum({measured}) from known), 0) as bigint),
    cast(coalesce((select sum({measured}) from published), 0) as bigint),
    null
order by 2
"""


def one_night(tables: Sequence[str], as_of: date, run_id: str) -> str:
    """Rows of every table, and those of tonight's date and run."""
    of_tonight = f"as_of_date = date '{as_of.isoformat()}' and run_id = '{run_id.replace(chr(39), chr(39) * 2)}'"
    parts = [
        f"select '{table}', 'rows of run {run_id}', count(*), count(*) filter (where {of_tonight}), null"
        f' from candidate.marts."{table}"'
        for table in tables
    ]
    return " union all ".join(parts) or "select '', 'tables', 1, 0, 'the candidate has no marts'"

"""Waterfall, movement, slippage and pushes of random companies: equal to a slow reference, to the cent and the deal.

Deals live through everything at once: edits of one day, several owners, deletions and restorations, merges, closings
that are corrected and taken back, foreign currency, amounts and dates that nobody stated. Half are known from our
nights, half from the CRM's history.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from flows.warehouse.waterfall import read_waterfall
from tests.dbt_fixture import failures, query, run_dbt, without_rows, write_build
from tests.reference.movement import Deal, Row, Said, cells, periods, pushes, seen, slippage

FISCAL_START = 4
STAGE = {"open": ("qualification", "proposal", "negotiation"), "won": ("won",), "lost": ("lost",)}
ORG = {
    "ann": ("华东", "一队"),
    "bob": ("华东", "一队"),
    "cat": ("华东", "二队"),
    "dan": ("华东", None),
    "eve": ("华北", "一队"),
    "fay": (None, "直属"),
    "gil": (None, None),
}
RATES = [
    {"currency": "USD", "valid_from": date(2020, 1, 1), "rate": Decimal("7.00000000")},
    {"currency": "USD", "valid_from": date(2024, 1, 15), "rate": Decimal("7.13330000")},
]
COLUMNS = ("start", "created", "pulled_in", "reopened", "transferred_in", "increase", "decrease", "pushed_out")
COLUMNS += ("transferred_out", "won", "lost", "deleted", "end")
MARTS = ("mart_pipeline_waterfall", "mart_pipeline_movement", "mart_pipeline_slippage", "fct_opportunity_state")
SELECTED = (*(f"+{mart}" for mart in MARTS), "int_opportunity_pushes", "dim_node", "dim_date")


@dataclass
class State:
    """How a deal stands in the making; an amount is in its own currency."""

    status: str = "open"
    stage: str = "qualification"
    amount: Decimal | None = None
    close_on: date | None = None
    owner: str | None = None
    closed_on: date | None = None


@dataclass
class Life:
    """A deal as its sources tell it: what was stated of it, in order, and from which source."""

    opportunity_id: str
    from_crm: bool
    currency: str
    created_on: date
    stated: list[tuple[date, State]]
    is_merged: bool


def drawn(random: Random, number: int, as_of: date) -> Life:
    """A life of one to a dozen statements, some of one day."""
    from_crm = random.random() < 0.5
    day = as_of - timedelta(random.randrange(0, 600))
    owners = [*ORG, *([] if from_crm else ["stranger", None])]
    now = State(amount=_amount(random), close_on=_close(random, day), owner=random.choice(owners))
    if not from_crm and random.random() < 0.2:
        now.amount = None
    life = Life(f"deal-{number:04d}", from_crm, random.choice(("CNY", "CNY", "USD")), day, [], random.random() < 0.3)
    if not from_crm and random.random() < 0.2:
        life.created_on -= timedelta(random.randrange(1, 200))
    while day <= as_of:
        if from_crm or not life.stated or life.stated[-1][0] < day:
            life.stated.append((day, State(**vars(now))))
        elif len(life.stated) > 1 or now.status != "gone":
            life.stated[-1] = (day, State(**vars(now)))
        if len(life.stated) > random.randrange(1, 14):
            break
        day += timedelta(random.choice((0, 0, 1, 3, 10, 25, 60)))
        _live(random, now, day, owners, from_crm)
    return life


def _live(random: Random, now: State, day: date, owners: list[Any], from_crm: bool) -> None:
    """What happens next: one thing as a rule, several at times."""
    for _ in range(random.choice((1, 1, 2))):
        {"open": _live_open, "gone": _come_back}.get(now.status, _live_closed)(random, now, day, owners, from_crm)


def _live_open(random: Random, now: State, day: date, owners: list[Any], from_crm: bool) -> None:
    what = random.choices(("amount", "close", "owner", "stage", "won", "lost", "gone"), (25, 25, 15, 10, 9, 9, 7))[0]
    if what == "amount":
        now.amount = _amount(random)
    elif what == "close":
        now.close_on = _close(random, day) if from_crm or random.random() < 0.9 else None
    elif what == "owner":
        now.owner = random.choice(owners)
    elif what == "stage":
        now.stage = random.choice(STAGE["open"])
    elif what == "gone":
        now.status = "open" if from_crm else "gone"
    else:
        now.status = now.stage = what
        now.closed_on = day
        now.close_on = day if random.random() < 0.3 else now.close_on


def _live_closed(random: Random, now: State, day: date, owners: list[Any], from_crm: bool) -> None:
    what = random.choices(("reopened", "corrected", "amount", "owner", "gone", ""), (20, 10, 20, 20, 5, 25))[0]
    if what == "reopened":
        now.status, now.closed_on = "open", None
        now.stage, now.close_on = random.choice(STAGE["open"]), _close(random, day)
    elif what == "amount":
        now.amount = _amount(random)
    elif what == "corrected" and from_crm:
        now.status = now.stage = "won" if now.status == "lost" else "lost"
        now.closed_on = day
    elif what == "owner" and from_crm:
        now.owner = random.choice(owners)
    elif what == "gone" and not from_crm:
        now.status = "gone"


def _come_back(random: Random, now: State, day: date, owners: list[Any], from_crm: bool) -> None:
    if random.random() < 0.5:
        now.status, now.stage, now.closed_on = "open", random.choice(STAGE["open"]), None


def _amount(random: Random) -> Decimal:
    return Decimal(random.randrange(0, 10_000_00)) / 100


def _close(random: Random, day: date) -> date:
    return day + timedelta(random.randrange(-40, 200))


def rows(lives: list[Life], as_of: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The change log of opportunities, and the CRM's history."""
    log: list[dict[str, Any]] = []
    history: list[dict[str, Any]] = []
    for life in lives:
        at = datetime.combine(life.created_on, time())
        base = {"opportunity_id": life.opportunity_id, "currency": life.currency}
        night = base | {"created_on": life.created_on, "created_at": at}
        if life.from_crm:
            for number, (day, state) in enumerate(life.stated):
                moment = datetime.combine(day, time(9)) + timedelta(seconds=number)
                change = base | {"changed_at": moment, "changed_on": day, "history_id": str(number)}
                history.append(change | _record(state) | {"_valid_from": as_of})
                del history[-1]["closed_on"]
            log.append(night | _record(life.stated[-1][1]) | {"_valid_from": as_of})
            continue
        is_known = False
        for number, (day, state) in enumerate(life.stated):
            # A merge that is taken back has never been; a deletion that is has.
            for_good = life.is_merged and all(later.status == "gone" for _, later in life.stated[number:])
            merged = {"merged_into_id": "survivor"} if for_good else {}
            is_gone = state.status == "gone" and not merged
            change = "deleted" if is_gone else "changed" if is_known else "new"
            log.append(night | _record(state) | {"_change": change, "_valid_from": day} | merged)
            is_known = not is_gone
    return log, history


def _record(state: State) -> dict[str, Any]:
    record = {"stage": state.stage, "amount": state.amount, "expected_close_on": state.close_on}
    return record | {"owner_id": state.owner, "closed_on": state.closed_on}


def told(life: Life, as_of: date) -> Deal:
    """The same life for the reference: cents at the deal's rate, nodes, and what was there before anybody looked."""
    last = life.stated[-1][1]
    is_old = (last.closed_on if last.stage in ("won", "lost") and last.closed_on else as_of) < RATES[1]["valid_from"]
    rate = Decimal(1) if life.currency == "CNY" else RATES[0 if is_old else 1]["rate"]
    deal = Deal(life.opportunity_id)
    for number, (day, state) in enumerate(life.stated):
        cents = int(((state.amount or Decimal(0)) * 100 * rate).quantize(Decimal(1), ROUND_HALF_UP))
        node = f"rep:{state.owner}" if state.owner in ORG else "rep:(unassigned)"
        on = day
        if number == 0 and state.status == "open":
            on = life.created_on
        elif number == 0:
            # First seen when it was closed: it stood open since its creation, as far as anybody knows.
            deal.said.append(Said(life.created_on, "open", cents, state.close_on, node))
        deal.said.append(Said(on, state.status, cents, state.close_on, node))
    return deal


def above(node: str) -> list[str]:
    """A rep's node and those it counts towards."""
    region, team = ORG.get(node.removeprefix("rep:"), (None, None))
    found = [node, "company"]
    return found + ([f"team:{region or '-'}/{team}"] if team else []) + ([f"region:{region}"] if region else [])


LEAVES = [*(f"rep:{user}" for user in ORG), "rep:(unassigned)"]
REPS: dict[str, frozenset[str]] = {
    node: frozenset(rep for rep in LEAVES if node in above(rep)) for leaf in LEAVES for node in above(leaf)
}


def expected(deals: list[Deal], as_of: date) -> Iterator[tuple[tuple[Any, ...], str, Row]]:
    """What each node sees of each deal in each window and scope."""
    ends = [(deal, deal.days(as_of)) for deal in deals]
    for kind, start, end in periods(as_of, FISCAL_START):
        opening, closing = start - timedelta(1), min(end, as_of)
        for scope, months in (("all", None), ("closing", (start, end.replace(day=1)))):
            for deal, days in ends:
                owners = {days[day].node for day in (opening, closing) if day in days}
                for node in {node for owner in owners for node in above(owner)}:
                    row = seen(days, opening, closing, months, REPS[node])
                    if row is not None:
                        yield (kind, start, scope, node), deal.opportunity_id, row


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder that every example writes anew."""
    return tmp_path_factory.mktemp("movement")


@settings(
    max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(seed=st.integers(0, 2**32))
@example(seed=71238)  # deals that stood open without a date until they were lost with one
def test_random_histories_are_told_as_the_reference_tells_them(build, seed):
    check(build, seed, 250)
    assert without_rows(build, "mart_pipeline_waterfall", "mart_pipeline_movement", "mart_pipeline_slippage") == []


def check(build: Path, seed: int, deals: int) -> None:
    """Build one random company and hold every cell, every deal, every rate against the reference."""
    random = Random(seed)
    as_of = date(2024, 1, 1) + timedelta(random.randrange(0, 366))
    lives = [drawn(random, number, as_of) for number in range(deals)]
    survivor = Life("survivor", False, "CNY", as_of - timedelta(700), [(as_of - timedelta(700), State())], False)
    log, history = rows([*lives, survivor], as_of)
    users = [{"user_id": user, "name": user, "region": of[0], "team": of[1]} for user, of in ORG.items()]
    known = {"user": users, "opportunity": log, "opportunity_history": history, "fx_rate": RATES}
    for name in ("candidate.duckdb", "scratch.duckdb"):
        (build / name).unlink(missing_ok=True)
    for old in (build / "log").glob("*/*.parquet"):
        old.unlink()
    write_build(build, as_of=as_of, log=known, fiscal_year_start_month=FISCAL_START)
    # Cautious: only tests whose every table is built here.
    result = run_dbt(
        build, "build", "--select", *SELECTED, "--exclude", "test_type:unit", "--indirect-selection", "cautious"
    )
    assert failures(result) == []
    told_deals = [told(life, as_of) for life in [*lives, survivor]]
    _check_waterfall(build, told_deals, as_of)
    _check_slippage(build, told_deals, as_of)
    _check_any_window(build, random, told_deals, as_of)
    found = query(
        build,
        "select opportunity_id, push_count, push_months, push_days from scratch.intermediate.int_opportunity_pushes"
        " right join basis.int_opportunities using (okey)",
    )
    shown = {name: (count or 0, months or 0, days) for name, count, months, days in found}
    assert differing(shown, {deal.opportunity_id: pushes(deal.said) for deal in told_deals}) == {}


def differing(found: dict[Any, Any], wanted: dict[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    """Where the two differ: found, wanted."""
    keys = found.keys() | wanted.keys()
    return {key: (found.get(key), wanted.get(key)) for key in keys if found.get(key) != wanted.get(key)}


def _check_waterfall(build: Path, deals: list[Deal], as_of: date) -> None:
    rows_of: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    leaves: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for cell, name, row in expected(deals, as_of):
        rows_of[cell].append(row)
        if cell[3].startswith("rep:"):
            leaves[(*cell, name)] = (
                row.joined_by,
                row.left_by,
                row.start,
                row.joined,
                sum(row.changes),
                row.left,
                row.end,
            )
    names = [*COLUMNS, *(f"{column}_deals" for column in COLUMNS)]
    amounts = ", ".join(f"cast({column}_amount * 100 as bigint)" for column in COLUMNS)
    counts = ", ".join(f"{column}_deals" for column in COLUMNS)
    found = query(
        build,
        f"select period_kind, period_start_on, scope, node_key, {amounts}, {counts} from marts.mart_pipeline_waterfall",
    )
    shown = {row[:4]: {name: value for name, value in zip(names, row[4:], strict=True) if value} for row in found}
    assert differing(shown, {cell: cells(of_cell) for cell, of_cell in rows_of.items()}) == {}
    columns = ("start", "joined", "change", "left", "end")
    amounts = ", ".join(f"cast({column}_amount * 100 as bigint)" for column in columns)
    keys = "period_kind, period_start_on, scope, node_key, opportunity_id"
    found = query(build, f"select {keys}, joined_by, left_by, {amounts} from marts.mart_pipeline_movement")
    assert differing({row[:5]: row[5:] for row in found}, leaves) == {}


def _check_any_window(build: Path, random: Random, deals: list[Deal], as_of: date) -> None:
    ends = [deal.days(as_of) for deal in deals]
    for written in (None, "month", "quarter"):
        first = as_of - timedelta(random.randrange(0, 400))
        until = first + timedelta(random.randrange(0, (as_of - first).days + 1))
        month, node = first.replace(day=1), random.choice([*REPS])
        months, closing_in = None, None
        if written == "month":
            months, closing_in = (month, month), f"{month:%Y-%m}"
        elif written == "quarter":
            into = (month.month - FISCAL_START) % 12
            number = month.year * 12 + month.month - 1 - into % 3
            months = (date(number // 12, number % 12 + 1, 1), date((number + 2) // 12, (number + 2) % 12 + 1, 1))
            closing_in = f"{month.year + (month.month >= FISCAL_START)}Q{into // 3 + 1}"
        found = read_waterfall(build / "candidate.duckdb", first, until, closing_in, node)
        rows_seen = (seen(days, first - timedelta(1), until, months, REPS[node]) for days in ends)
        shown = {name: int(amount * 100) for name, amount in found.amounts.items() if amount}
        shown |= {f"{name}_deals": number for name, number in found.deals.items() if number}
        assert differing(shown, cells([row for row in rows_seen if row])) == {}, found


def _check_slippage(build: Path, deals: list[Deal], as_of: date) -> None:
    rated: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    ends = [deal.days(as_of) for deal in deals]
    for kind, start, end in periods(as_of, FISCAL_START):
        for days in ends:
            found = slippage(days, start, end, as_of)
            if found:
                node, cents, outcome = found
                for counted in above(node):
                    cell = rated[(kind, start, counted)]
                    cell[0] += 1
                    cell[1] += cents
                    cell[2] += cents if outcome == "slipped" else 0
                    cell[3] += cents if outcome == "undecided" else 0
    amounts = [f"cast({name}_amount * 100 as bigint)" for name in ("starting", "slipped", "undecided")]
    rows_found = query(
        build,
        f"select period_kind, period_start_on, node_key, n, {', '.join(amounts)} from marts.mart_pipeline_slippage",
    )
    kept = {(kind, start) for kind, start, _ in periods(as_of, FISCAL_START)}
    assert differing({row[:3]: list(row[3:]) for row in rows_found if row[:2] in kept}, rated) == {}

"""The pipeline marts equal a slow reference on histories by chance: to the day and cent, in every node and segment.

The company has regions, teams, a rep without a team and deals of nobody. A deal moves forward and back, skips stages,
is won, lost and opened again, changes hands, amount and month, several times a day too; is deleted, merged, restored;
is told by its CRM's history, or by our nights alone and then maybe older than the night that first saw it.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import qth_survival_time

from tests.dbt_fixture import failures, query, run_dbt, stage_rows, without_rows, write_build
from tests.reference.pipeline import (
    AGES,
    BASES,
    FIFTH,
    GONE,
    MERGED,
    Funnel,
    Life,
    State,
    above,
    dwell,
    dwell_lengths,
    entries,
    first_at_most,
    open_pipeline,
    outcomes,
    period_end,
    periods,
    product_limit,
    stays,
)

START, AS_OF = date(2022, 8, 1), date(2024, 6, 30)
FISCAL_START = 4
STAGES = {"qualification": 1, "proposal": 2, "negotiation": 3, "won": 4, "lost": 5}
NAMES = {number: name for name, number in STAGES.items()}
FUNNEL = Funnel(open_stages=(1, 2, 3), won=4, lost=5, omitted=(1,), priors={1: 0.1, 2: 0.3, 3: 0.6})
USERS = [
    {"user_id": "mia", "name": "Mia", "role": "manager", "region": "华东", "team": "一队"},
    {"user_id": "ann", "name": "Ann", "role": "rep", "region": "华东", "team": "一队", "manager_id": "mia"},
    {"user_id": "cai", "name": "蔡", "role": "rep", "region": "华东", "team": "二队", "manager_id": "mia"},
    {"user_id": "bob", "name": "Bob", "role": "rep", "region": "华北"},
]
PARENTS = {
    "rep:mia": "team:华东/一队",
    "rep:ann": "team:华东/一队",
    "rep:cai": "team:华东/二队",
    "team:华东/一队": "region:华东",
    "team:华东/二队": "region:华东",
    "rep:bob": "region:华北",
    "region:华东": "company",
    "region:华北": "company",
    "rep:(unassigned)": "company",
}
OWNERS = ("mia", "ann", "cai", "bob")
MODELS = ("mart_pipeline_daily", "mart_pipeline_state", "fct_stage_spell")
MODELS += ("mart_velocity", "mart_win_rate", "mart_stage_dwell", "mart_pipeline_stage")


def month(random: Random, day: date) -> date:
    """A month in which a deal might be expected to close."""
    number = day.year * 12 + day.month - 1 + random.randint(-1, 5)
    return date(number // 12, number % 12 + 1, 1)


def changed(random: Random, state: State, on: date) -> State:
    """The state after one change by chance."""
    kind = random.choice(["stage"] * 5 + ["amount", "month", "owner"])
    values = {"stage": state.stage, "cents": state.cents, "close_month": state.close_month, "owner": state.owner}
    if kind == "stage":
        ahead = [state.stage + 1] * 4 if state.stage < 3 else [4, 4, 5]
        values["stage"] = random.choice([*ahead, *(number for number in range(1, 6) if number != state.stage)])
    elif kind == "amount" and state.cents:
        values["cents"] = random.randint(1, 5_000_000)
    elif kind == "month" and state.close_month:
        values["close_month"] = month(random, on)
    elif kind == "owner" and state.owner != "rep:(unassigned)":
        values["owner"] = f"rep:{random.choice(OWNERS)}"
    return State(on, **values)


def moved(random: Random, states: list[State], until: date) -> None:
    """Append changes by chance after the last state, none later than ``until``."""
    for _ in range(random.choice([0, 1, 2, 3, 4, 6])):
        on = states[-1].on + timedelta(random.choice([0, 1, 3, 5, 10, 10, 20, 40, 90]))
        is_closed = states[-1].stage in (FUNNEL.won, FUNNEL.lost)
        if on > until or (is_closed and random.random() < 0.8):
            return
        states.append(changed(random, states[-1], on))


def told(random: Random, name: str) -> Life:
    """A deal whose CRM tells all of its life, by moves of which none is missed."""
    created = START + timedelta(random.randint(0, (AS_OF - START).days - 5))
    owner = f"rep:{random.choice(OWNERS)}" if random.random() < 0.9 else "rep:(unassigned)"
    cents = random.randint(1, 5_000_000) if random.random() < 0.9 else 0
    expected = month(random, created) if random.random() < 0.9 else None
    states = [State(created, random.choice([1, 1, 1, 2, 3]), cents, expected, owner)]
    moved(random, states, AS_OF)
    life = Life(name, random.choice(["A", "B", "(none)"]), created, True, states, has_amount=cents > 0)
    gone_on = states[-1].on + timedelta(random.randint(2, 60))
    if random.random() < 0.2 and states[-1].stage in FUNNEL.open_stages and gone_on < AS_OF:
        last = states[-1]
        states.append(State(gone_on, random.choice([GONE, MERGED]), last.cents, last.close_month, last.owner))
        back_on = gone_on + timedelta(random.randint(1, 40))
        if random.random() < 0.4 and back_on < AS_OF and states[-1].stage == GONE:
            states.append(State(back_on, last.stage, last.cents, last.close_month, last.owner))
            if random.random() < 0.5 and back_on + timedelta(30) < AS_OF:
                states.append(changed(random, states[-1], back_on + timedelta(random.randint(1, 30))))
    return life


def seen(random: Random, name: str) -> Life:
    """A deal that only our nights tell of: seen at one night, and maybe elsewhere at a later one."""
    first = AS_OF - timedelta(random.choice([0, 30, 60, 90, 200]))
    created = first - timedelta(random.randint(0, 80)) if random.random() < 0.8 else None
    cents = random.randint(1, 5_000_000) if random.random() < 0.9 else 0
    owner = random.choice([*(f"rep:{owner}" for owner in OWNERS), "rep:(unassigned)"])
    states = [State(created or first, random.choice([1, 2, 3]), cents, month(random, first), owner)]
    life = Life(name, random.choice(["A", "B", "(none)"]), created or first, created is not None, states)
    life.has_amount = cents > 0
    life.first_seen_on = first
    if first < AS_OF and random.random() < 0.7:
        stage = random.choice([number for number in range(1, 6) if number != states[0].stage])
        on = AS_OF if stage in FUNNEL.open_stages else first + timedelta(random.randint(1, (AS_OF - first).days))
        states.append(State(on, stage, cents, states[0].close_month, owner))
    return life


def record(life: Life, state: State, observed: date, change: str) -> dict[str, Any]:
    """A row of the change log."""
    at = datetime.combine(life.created_on, time(3)) if life.is_dated else None
    closed = state.stage in (FUNNEL.won, FUNNEL.lost)
    row = {
        "opportunity_id": life.name,
        "stage": NAMES[state.stage],
        "segment": None if life.segment == "(none)" else life.segment,
        "owner_id": None if state.owner == "rep:(unassigned)" else state.owner.removeprefix("rep:"),
        "amount": Decimal(state.cents) / 100 if life.has_amount else None,
        "expected_close_on": state.close_month.replace(day=15) if state.close_month else None,
        "created_at": at,
        "created_on": life.created_on if life.is_dated else None,
        "closed_on": life.closed_on() if closed else None,
    }
    return row | {"_change": change, "_valid_from": observed}


def log_rows(life: Life) -> list[dict[str, Any]]:
    """What our nights recorded of a deal."""
    if (first := life.first_seen_on) is not None:
        rows = [record(life, life.states[0], first, "new")]
        return [*rows, *(record(life, state, AS_OF, "changed") for state in life.states[1:])]
    rows, gone = [], next((at for at, state in enumerate(life.states) if state.stage in (GONE, MERGED)), None)
    if gone is None:
        return [record(life, life.last, AS_OF, "new")]
    before, leaving = life.states[gone - 1], life.states[gone]
    rows.append(record(life, before, leaving.on - timedelta(1), "new"))
    if leaving.stage == GONE:
        rows.append(record(life, before, leaving.on, "deleted"))
    else:
        rows.append(record(life, before, leaving.on, "changed") | {"merged_into_id": "survivor"})
    for at, state in enumerate(life.states[gone + 1 :]):
        rows.append(record(life, state, AS_OF if at else state.on, "changed"))
    return rows


def history_rows(life: Life) -> list[dict[str, Any]]:
    """What the CRM's history says of a deal, a row for each change, with what changed alone."""
    if life.first_seen_on is not None:
        return []
    rows, known, back = [], None, False
    for at, state in enumerate(life.states):
        if state.stage in (GONE, MERGED) or back:
            back = state.stage in (GONE, MERGED)
            known = known if back else state
            continue
        row: dict[str, Any] = {"opportunity_id": life.name, "history_id": str(at), "_valid_from": AS_OF}
        row |= {"changed_at": datetime.combine(state.on, time(1, at)), "changed_on": state.on}
        if known is None or known.stage != state.stage:
            row["stage"] = NAMES[state.stage]
        if life.has_amount and (known is None or known.cents != state.cents):
            row["amount"] = Decimal(state.cents) / 100
        if state.close_month and (known is None or known.close_month != state.close_month):
            row["expected_close_on"] = state.close_month.replace(day=15)
        if state.owner != "rep:(unassigned)" and (known is None or known.owner != state.owner):
            row["owner_id"] = state.owner.removeprefix("rep:")
        rows.append(row)
        known = state
    return rows


def company(seed: int, deals: int) -> list[Life]:
    """Lives by chance, and the deal that merged ones went into."""
    random = Random(seed)
    lives = [told(random, f"told-{number}") for number in range(deals)]
    lives += [seen(random, f"seen-{number}") for number in range(deals // 5)]
    survivor = State(START, 1, 100, None, "rep:ann")
    lives.append(Life("survivor", "A", START, True, [survivor]))
    nights = sorted({row["_valid_from"] for life in lives for row in log_rows(life)})
    for life in lives:
        if (first := life.first_seen_on) is None:
            continue
        earlier = max((night for night in nights if night < first), default=None)
        older = not life.is_dated if earlier is None else life.is_dated and life.created_on < earlier
        life.is_entry_assumed = older or (earlier is None and life.created_on < first)
    return lives


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the builds of this module."""
    return tmp_path_factory.mktemp("build")


def made(build: Path, lives: Sequence[Life]) -> None:
    """Build the marts of the pipeline on these lives."""
    for path in (build / "log").glob("opportunity*/*.parquet"):
        path.unlink()
    stages = [row | ({"forecast_category": "omitted"} if row["stage_no"] == 1 else {}) for row in stage_rows()]
    log = {
        "user": USERS,
        "opportunity": [row for life in lives for row in log_rows(life)],
        "opportunity_history": [row for life in lives for row in history_rows(life)],
    }
    write_build(build, as_of=AS_OF, log=log, inputs={"stage": stages}, fiscal_year_start_month=FISCAL_START)
    result = run_dbt(build, "run", "--select", *(f"+{model}" for model in MODELS))
    assert failures(result) == []


def cents(amount: Decimal | None) -> int | None:
    """Whole cents."""
    return None if amount is None else int(amount * 100)


def near(rate: float | None, exact: Fraction | None, places: int) -> bool:
    """Whether a rate is the exact one, correctly rounded."""
    if rate is None or exact is None:
        return rate is None and exact is None
    return abs(Fraction(rate) - exact) <= Fraction(5, 10 ** (places + 1)) + Fraction(1, 10**9)


def check_spells(build: Path, lives: Sequence[Life]) -> None:
    """Each stay says what came before and after it, and what it jumped over."""
    place = {1: 1, 2: 2, 3: 3, 4: 4}
    expected = {}
    for life in lives:
        for stay in stays(life, FUNNEL):
            moved_by = place[stay.after] - place[stay.stage] if stay.after in place else None
            skipped = None if moved_by is None else max(moved_by - 1, 0)
            days = (stay.entered_on, stay.left_on, stay.days(AS_OF))
            flags = (stay.is_censored, stay.is_first, stay.is_latest, stay.is_entry_assumed, life.is_gone)
            names = (NAMES.get(stay.before or 0), NAMES.get(stay.after or 0))
            expected[life.name, stay.number] = (stay.stage, stay.owner, *days, *flags, *names, moved_by, skipped)
    rows = query(
        build,
        "select opportunity_id, spell_no, stage_no, node_key, entered_on, left_on, dwell_days, is_censored,"
        " is_first_entry, is_latest, is_entry_assumed, is_deal_deleted, previous_stage, next_stage, stages_moved,"
        " stages_skipped from marts.fct_stage_spell",
    )
    assert {(name, number): tuple(row) for name, number, *row in rows} == expected


def check_dwell(build: Path, lives: Sequence[Life]) -> None:
    """Quantiles and counts in every cell, and the shares behind them to 1e-9."""
    expected, curves = dwell(lives, FUNNEL, PARENTS, AS_OF)
    rows = query(
        build,
        "select node_key, segment, stage_no, basis, entry_window, dwell_median_days, dwell_p80_days, dwell_n_event,"
        " dwell_n_censored, longest_days from marts.mart_stage_dwell",
    )
    assert {tuple(row[:5]): tuple(row[5:]) for row in rows} == expected
    for basis, window in (("latest", "all_time"), ("cumulative", "last_365_days")):
        shares = query(
            build,
            f"select node_key, segment, stage_no, dwell_days, still_there_{basis}_{window}"
            " from scratch.intermediate.int_stage_dwell_curves"
            " inner join basis.int_nodes using (node_no) inner join basis.int_segments using (segment_no)"
            f" where n_{basis}_{window} > 0",
        )
        # A length after which some left and others were censored is two rows.
        found = [((node, segment, stage, days), still) for node, segment, stage, days, still in shares]
        exact = {
            (node, segment, stage, days): still
            for (node, segment, stage, *variant), curve in curves.items()
            if variant == [basis, window]
            for days, still in curve.items()
        }
        assert {key for key, _ in found} == exact.keys()
        assert max(abs(still - float(exact[key])) for key, still in found) < 1e-9


def reached_before_censoring(lives: Sequence[Life]) -> set[bool]:
    """Whether four fifths have left before a stay is censored, of each rep, stage and quarter of entry."""
    lengths: dict[tuple[str, int, date], list[tuple[int, bool]]] = defaultdict(list)
    for basis, stay, days, is_event in dwell_lengths(lives, FUNNEL, AS_OF):
        if basis == "every_stay":
            quarter = dict(periods(stay.entered_on, FISCAL_START))["quarter"]
            lengths[stay.owner, stay.stage, quarter].append((days, is_event))
    found = set()
    for values in lengths.values():
        p80 = first_at_most(product_limit(values), FIFTH)
        censored = min((days for days, is_event in values if not is_event), default=inf)
        found.add(p80 is not None and p80 < censored)
    return found


def check_entries(build: Path, lives: Sequence[Life]) -> None:
    """Entrants and what became of them, and the dwell of a quarter's entrants."""
    rows = query(
        build,
        "select period_kind, period_start_on, node_key, segment, stage_no, entrants, advanced, won, lost, unresolved,"
        " unresolved_next, n_spells, dwell_median_days, dwell_p80_days, dwell_n_event, dwell_n_censored, conv_next,"
        " conv_win from marts.mart_pipeline_stage",
    )
    expected = entries(lives, FUNNEL, PARENTS, AS_OF, FISCAL_START)
    # The dwell of the ones is a plain quantile, that of the others is read from the curve.
    assert reached_before_censoring(lives) == {True, False}
    assert {tuple(row[:5]): tuple(row[5:16]) for row in rows} == expected
    for row in rows:
        entrants, advanced, won = row[5:8]
        assert near(row[16], Fraction(advanced, entrants) if entrants else None, 6), row
        assert near(row[17], Fraction(won, entrants) if entrants else None, 6), row


def check_outcomes(build: Path, lives: Sequence[Life]) -> None:
    """Win rates by close and by creation, and velocity with its factors."""
    expected = outcomes(lives, FUNNEL, PARENTS, AS_OF, FISCAL_START)
    counts = ["won_count", "lost_count", "created_n", "created_won_n", "created_lost_n", "created_open_n"]
    counts += ["created_undated_n", "created_deleted_n", *(f"won_within_{age}d_n" for age in AGES)]
    rates = ["win_rate_close_n", "win_rate_close_v", *(f"win_rate_created_{age}d" for age in AGES)]
    columns = ["period_kind", "period_start_on", "node_key", "segment", "period_end_on"]
    columns += ["closed_won_amount", "closed_lost_amount", "priced_n", *counts, *rates]
    rows = query(build, f"select {', '.join(columns)} from marts.mart_win_rate")
    assert {tuple(row[:4]) for row in rows} == set(expected)
    for row in rows:
        cell, found = expected[tuple(row[:4])], dict(zip(columns, row, strict=True))
        assert found["period_end_on"] == period_end(row[0], row[1])
        assert {name: found[name] for name in counts} == {name: cell[name] for name in counts}, row
        money = (cents(found["closed_won_amount"]), cents(found["closed_lost_amount"]), found["priced_n"])
        assert money == (cell["won_cents"], cell["lost_cents"], cell["won_priced_n"] + cell["lost_priced_n"]), row
        assert all(near(found[name], cell[name], 6) for name in rates), row
    rows = query(
        build,
        "select period_kind, period_start_on, node_key, segment, qualified_open_n, cycle_n, median_cycle_days,"
        " closed_n, won_priced_n, mean_won_amount, velocity from marts.mart_velocity",
    )
    assert {tuple(row[:4]) for row in rows} == {key for key, cell in expected.items() if "velocity" in cell}
    for row in rows:
        cell = expected[tuple(row[:4])]
        closed = cell["won_count"] + cell["lost_count"]
        exact = (cell["qualified_open_n"], cell["cycle_n"], cell["median"], closed, cell["won_priced_n"])
        assert tuple(row[4:9]) == exact, row
        assert near(row[9], cell["mean"], 2), row
        assert near(row[10], cell["velocity"], 2), row


def check_pipeline(build: Path, lives: Sequence[Life], random: Random) -> None:
    """The open pipeline at the end of any day, in one read; and that of published days in the series."""
    any_days = [START + timedelta(random.randint(-9, (AS_OF - START).days)) for _ in range(12)]
    published = [AS_OF, AS_OF - timedelta(99), date(2023, 12, 31), AS_OF - timedelta(random.randint(1, 98))]
    measures = (
        "sum(open_count)::bigint, sum(open_amount), sum(weighted_amount), count(*) = count(opportunity_id), count(*)"
    )
    reads = [
        (day, f"marts.mart_pipeline_state where valid_from <= '{day}' and valid_to >= '{day}'") for day in any_days
    ]
    reads += [
        (day, f"(select *, null as opportunity_id from marts.mart_pipeline_daily) where day = '{day}'")
        for day in published
    ]
    for day, source in reads:
        rows = query(build, f"select node_key, stage_no, close_month, {measures} from {source} group by all")
        found = {tuple(row[:3]): (row[3], cents(row[4]), cents(row[5])) for row in rows}
        assert found == open_pipeline(lives, FUNNEL, PARENTS, day), source
        # Of a rep's past day each deal has a row; everything else is one row a cell.
        by_deal = {(row[0], row[6], row[7] == row[3] if row[6] else row[7] == 1) for row in rows}
        assert by_deal == {
            (node, "mart_pipeline_state" in source and node.startswith("rep:"), True) for node, *_ in found
        }


def check(build: Path, seed: int, deals: int) -> None:
    """Every mart of the pipeline on one company by chance."""
    lives = company(seed, deals)
    made(build, lives)
    check_spells(build, lives)
    check_dwell(build, lives)
    check_entries(build, lives)
    check_outcomes(build, lives)
    check_pipeline(build, lives, Random(seed))


def test_dwell_equals_an_estimate_that_is_not_ours(build):
    lives = company(seed=20240630, deals=150)
    made(build, lives)
    lengths: dict[tuple[str, int, str], list[tuple[int, bool]]] = defaultdict(list)
    for basis, stay, days, is_event in dwell_lengths(lives, FUNNEL, AS_OF):
        for node in above(stay.owner, PARENTS):
            lengths[node, stay.stage, basis].append((days, is_event))
    assert len(lengths) == 10 * 3 * 3
    still_there: dict[tuple[str, int, str], dict[int, float]] = {key: {} for key in lengths}
    for basis in BASES:
        for node, stage, days, still in query(
            build,
            f"select node_key, stage_no, dwell_days, still_there_{basis}_all_time"
            " from scratch.intermediate.int_stage_dwell_curves"
            " inner join basis.int_nodes using (node_no)"
            f" where segment_no = 0 and still_there_{basis}_all_time is not null",
        ):
            still_there[node, stage, basis][days] = still
    quantiles = query(
        build,
        "select node_key, stage_no, basis, dwell_median_days, dwell_p80_days from marts.mart_stage_dwell"
        " where segment = 'all' and entry_window = 'all_time'",
    )
    assert {(node, stage, basis) for node, stage, basis, *_ in quantiles} == lengths.keys()
    for node, stage, basis, median, p80 in quantiles:
        values, found = lengths[node, stage, basis], still_there[node, stage, basis]
        fitted = KaplanMeierFitter().fit([days for days, _ in values], [is_event for _, is_event in values])
        assert {days for days, _ in values} <= found.keys()
        estimated = fitted.survival_function_at_times(list(found))
        assert max(abs(estimated.to_numpy() - list(found.values()))) < 1e-9
        shares = fitted.survival_function_.round(9)
        assert [inf if days is None else days for days in (median, p80)] == [
            qth_survival_time(share, shares) for share in (0.5, 0.2)
        ]


@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_pipeline_marts_equal_the_reference_on_random_histories(build, seed):
    check(build, seed, deals=150)
    marts = ("fct_stage_spell", "mart_stage_dwell", "mart_pipeline_stage", "mart_win_rate", "mart_velocity")
    assert without_rows(build, *marts, "mart_pipeline_state", "mart_pipeline_daily") == []

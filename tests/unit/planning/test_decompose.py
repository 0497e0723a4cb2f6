"""Any organisation, weights and hand-set cells: every level sums, what is stated holds, nothing is negative."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.model import Plan
from flows.config.plan.versions import PlanVersion, resolved
from flows.errors import ConfigError
from flows.planning.allocation.allocate import Setting, allocate
from flows.planning.allocation.capacity import WorkingDays
from flows.planning.allocation.history import History
from flows.planning.seal import fingerprint

YEAR = 2026
FISCAL = FiscalCalendar()
SETTING = Setting(FISCAL, "CNY", History(date(YEAR, 1, 1)), WorkingDays.of(date(YEAR, 1, 1), [True] * 365))
REGIONS, TEAMS = ("N", "S"), (None, "1", "2")
SPANS = {"year": (0, 11), "H1": (0, 5), "H2": (6, 11), **{f"Q{n + 1}": (3 * n, 3 * n + 2) for n in range(4)}}
SPANS |= {f"M{n + 1:02}": (n, n) for n in range(12)}
amounts = st.integers(0, 10**6).map(lambda cents: Decimal(cents).scaleb(-2))
days = st.dates(date(YEAR - 1, 9, 1), date(YEAR, 12, 31))


@st.composite
def persons(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for number in range(draw(st.integers(1, 7))):
        team = draw(st.sampled_from(TEAMS))
        person = {
            "user_id": f"u{number}",
            "region": draw(st.sampled_from((*REGIONS, None))),
            "team": team,
            "quota": draw(st.sampled_from(["1", "0.5", "0.8"])),
            "active_share": draw(st.sampled_from(["1", "0.9"])),
            "potential": draw(st.sampled_from(["1", "1.25", "0"])) if number else "1",
        }
        if number and draw(st.booleans()):
            person |= {"hired_on": draw(days), "ramp": "new"}
        if number and draw(st.integers(0, 3)) == 0:
            person["left_on"] = draw(days)
        found.append(person)
    return found


def nodes_of(people: list[dict[str, Any]]) -> list[str]:
    found = {"company"}
    for person in people:
        found.add(f"rep:{person['user_id']}")
        if person["region"]:
            found.add(f"region:{person['region']}")
        if person["team"]:
            found.add(f"team:{person['region'] or '-'}/{person['team']}")
    return sorted(found)


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    people = draw(persons())
    nodes = nodes_of(people)
    metric = draw(st.sampled_from(["bookings", "won_count"]))
    amount = amounts.map(int) if metric == "won_count" else amounts
    base = draw(amount)
    targets = [{"metric": metric, "base": base, "stretch_ratio": draw(st.sampled_from([None, "1", "1.2"]))}]
    for node in draw(st.lists(st.sampled_from(nodes), max_size=2, unique=True)):
        if node != "company":
            targets.append({"metric": metric, "node": node, "base": int(base * draw(st.integers(0, 60)) / 100)})
    pins = [
        {
            "metric": metric,
            "node": node,
            "period": period,
            "base": int(base * draw(st.integers(0, 30)) / 100),
            "reason": "by hand",
        }
        for node, period in draw(
            st.lists(st.tuples(st.sampled_from(nodes), st.sampled_from(sorted(SPANS))), max_size=4, unique=True)
        )
    ]
    weights = draw(st.lists(st.integers(0, 9), min_size=12, max_size=12).filter(any))
    first = {
        "id": "v1",
        "effective_on": date(YEAR, 1, 1),
        "decided_by": "a",
        "reason": "b",
        "people": people,
        "ramps": [{"id": "new", "shares": ["0.25", "0.5"]}],
        "seasonality": {"by": "given", "weights": [str(weight) for weight in weights]},
        "split": draw(st.sampled_from(["capacity", "equal"])),
        "targets": targets,
        "pins": pins,
    }
    second = {
        "id": "v2",
        "effective_on": date(YEAR, draw(st.integers(2, 12)), 1),
        "decided_by": "a",
        "reason": "b",
        "targets": [{"metric": metric, "base": draw(amount) + base}],
        "people": [{"user_id": people[0]["user_id"], "region": "W", "team": None}],
    }
    return {"year": YEAR, "versions": [first, second]}


def allocated(plan: dict[str, Any]) -> list[tuple[PlanVersion, pl.DataFrame]]:
    """As far as the versions can hold."""
    found: list[tuple[PlanVersion, pl.DataFrame]] = []
    for version in resolved(Plan.model_validate(plan)):
        before = found[-1][1] if found else None
        try:
            found.append((version, allocate(version, version.whole.people, SETTING, before, version.id).targets))
        except ConfigError as error:
            assert all(": expected" in fault and "found" in fault for fault in error.faults), error.faults
            assert "{" not in str(error)
            break
    return found


def months(targets: pl.DataFrame) -> pl.DataFrame:
    return targets.filter(pl.col("period_kind") == "month")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=plans())
def test_every_level_sums_and_what_is_stated_holds(plan: dict[str, Any]) -> None:
    for version, targets in allocated(plan):
        cells = months(targets)
        assert (targets["base_hundredths"] >= 0).all()
        assert (targets["base_hundredths"] <= targets["stretch_hundredths"].fill_null(2**62)).all()
        sums = cells.group_by("period_start_on", node_key="parent_node_key").agg(
            parts=pl.col("base_hundredths").sum(), stretch_parts=pl.col("stretch_hundredths").sum()
        )
        both = cells.join(sums, on=["node_key", "period_start_on"])
        assert (both["parts"] == both["base_hundredths"]).all()
        assert both.filter(pl.col("stretch_hundredths") != pl.col("stretch_parts")).is_empty()
        by_cell = {
            (node, start.month - 1): amount
            for node, start, amount in cells.select("node_key", "period_start_on", "base_hundredths").iter_rows()
        }
        for kind, length in (("quarter", 3), ("half", 6), ("year", 12)):
            for node, start, amount in (
                targets.filter(pl.col("period_kind") == kind)
                .select("node_key", "period_start_on", "base_hundredths")
                .iter_rows()
            ):
                span = range(start.month - 1, start.month - 1 + length)
                assert amount == sum(by_cell.get((node, month), 0) for month in span)
        stated = [(target.node, "year", target.base) for target in version.whole.targets]
        stated += [(pin.node, pin.period, pin.base) for pin in version.whole.pins]
        for node, period, base in stated:
            first, last = SPANS[period]
            held = sum(by_cell.get((node, month), 0) for month in range(first, last + 1))
            assert base is not None and held == base * 100, (node, period)
        if version.whole.targets[0].metric == "won_count":
            assert all(amount % 100 == 0 for amount in by_cell.values())


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=plans(), shuffled=st.randoms(use_true_random=False))
def test_a_later_version_carries_what_is_past_and_the_order_of_the_file_does_not_matter(
    plan: dict[str, Any], shuffled: Any
) -> None:
    found = allocated(plan)
    if len(found) == 2:
        (_, before), (version, after) = found
        past = pl.col("period_start_on") < version.effective_on
        key = ["node_key", "period_start_on", "parent_node_key", "base_hundredths", "stretch_hundredths"]
        assert months(before).filter(past).select(key).equals(months(after).filter(past).select(key))
        assert set(months(after).filter(past)["derivation"]) <= {"carried"}
    for version in plan["versions"]:
        for section in ("people", "targets", "pins"):
            if section in version:
                shuffled.shuffle(version[section])
    again = allocated(plan)
    assert [fingerprint(version) for version, _ in again] == [fingerprint(version) for version, _ in found]
    assert all(one.equals(other) for (_, one), (_, other) in zip(found, again, strict=True))


def plan_of(targets: list[dict[str, Any]], pins: list[dict[str, Any]] = ()) -> dict[str, Any]:  # type: ignore[assignment]
    version = {
        "id": "v1",
        "effective_on": date(YEAR, 1, 1),
        "decided_by": "a",
        "reason": "b",
        "seasonality": {"by": "flat"},
        "people": [{"user_id": "a", "region": "N"}, {"user_id": "b", "region": "N"}, {"user_id": "c", "region": "S"}],
        "targets": targets,
        "pins": [{"metric": "bookings", "reason": "x", **pin} for pin in pins],
    }
    return {"year": YEAR, "versions": [version]}


def test_what_cannot_hold_is_refused_all_at_once_each_with_its_reason() -> None:
    plan = plan_of(
        [
            {"metric": "bookings", "base": 1200},
            {"metric": "margin", "base": 100},
            {"metric": "won_count", "base": 12},
            {"metric": "won_count", "node": "region:N", "base": 9},
            {"metric": "won_count", "node": "region:S", "base": 4},
        ],
        [
            {"node": "region:N", "period": "Q1", "base": 400},
            {"metric": "cash_collected", "node": "region:N", "period": "Q1", "base": 400},
            {"metric": "margin", "node": "rep:a", "period": "Q1", "base": 90},
            {"metric": "margin", "node": "rep:b", "period": "Q1", "base": 20},
        ],
    )
    with pytest.raises(ConfigError) as refused:
        allocate(next(iter(resolved(Plan.model_validate(plan)))), _people(plan), SETTING, None, "plan.yaml: v1")
    said = "\n".join(refused.value.faults)
    assert "bookings, company" in said and "region:N Q1" in said  # 400 of the 300 that the quarter has
    assert "cash_collected, region:N Q1: expected a year's target" in said
    assert "margin, company" in said  # 110 of a year of 100
    assert "won_count, company year: expected its parts to sum to 12" in said and "found 13" in said


def _people(plan: dict[str, Any]) -> Any:
    return Plan.model_validate(plan).versions[0].people


def test_a_hand_set_quarter_is_absorbed_by_the_rest() -> None:
    """1,200 a year is 100 a month; three people count the same, 33.33 each and a cent more for one.

    rep:a is to have 120 in Q1: 40 a month. The rest of N, and S, take what is left of 100: 60 a month, 30 each.
    """
    plan = plan_of([{"metric": "bookings", "base": 1200}], [{"node": "rep:a", "period": "Q1", "base": 120}])
    [(_, targets)] = allocated(plan)
    january = targets.filter(pl.col("period_kind") == "month", pl.col("period_start_on") == date(YEAR, 1, 1))
    found = dict(january.select("node_key", "base_hundredths").iter_rows())
    assert found["rep:a"] == 4000
    assert found["region:N"] + found["region:S"] == 10000
    assert (found["region:N"], found["rep:b"]) == (6667, 2667)
    april = targets.filter(pl.col("period_kind") == "month", pl.col("period_start_on") == date(YEAR, 4, 1))
    assert dict(april.select("node_key", "base_hundredths").iter_rows()) == {
        "company": 10000,
        "region:N": 6667,
        "region:S": 3333,
        "rep:a": 3334,
        "rep:b": 3333,
        "rep:c": 3333,
    }

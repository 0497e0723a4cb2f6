"""Any pace of any node on any day is what a slow computation from the definition alone comes to.

Six random companies are built at once, one a metric: months of 4-4-5 weeks and quarters of them, two calendars with
holidays and worked weekends of their own, results on days off and results taken back, thin histories and thick ones.
Only the models of the pace are run; what they read is put there as tables.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.config.fiscal import FiscalCalendar
from tests.dbt_fixture import MONEY, calendar_rows, failures, query, run_dbt, write_build
from tests.reference.pace import Company, Pace, Result, Span, pace

AS_OF = date(2026, 5, 20)
FISCAL = FiscalCalendar(pattern="4-4-5")
ABOVE = {
    "company": ("company",),
    "region:N": ("region:N", "company"),
    "region:S": ("region:S", "company"),
    "rep:n1": ("rep:n1", "region:N", "company"),
    "rep:n2": ("rep:n2", "region:N", "company"),
    "rep:s1": ("rep:s1", "region:S", "company"),
    "rep:s2": ("rep:s2", "region:S", "company"),
}
REPS = [node for node in ABOVE if node.startswith("rep:")]
CALENDAR_OF = {node: "abroad" if "s" in node.partition(":")[2].lower() else "home" for node in ABOVE}
"""The region S and its reps work by another calendar than the company."""
RULES = {"month": (3, 8, 150), "quarter": (2, 12, 150)}
"""Periods and results that a curve needs, days that are shown."""
SEEDS = range(6)
STEADY = "steady"
A_DAY = 700


@dataclass(frozen=True, repr=False)
class Night:
    """What was built, and the companies behind it by metric and kind of period."""

    build: Path
    companies: Mapping[tuple[str, str], Company]
    targets: Mapping[tuple[str, str, date, str], int]


def _calendars() -> dict[str, list[dict[str, Any]]]:
    """Two calendars, each with some weekdays off and some weekends worked, a week off among them."""
    found = {}
    for number, name in enumerate(("home", "abroad")):
        draw = random.Random(number)
        days = [row["day"] for row in calendar_rows(AS_OF)]
        off = [
            day for day in days if day.weekday() < 5 and (draw.random() < 0.04 or day.isocalendar().week == 6 + number)
        ]
        worked = [day for day in days if day.weekday() >= 5 and draw.random() < 0.05]
        found[name] = calendar_rows(AS_OF, off, worked)
    return found


def _results(seed: int, days: list[date], calendars: Mapping[str, Mapping[date, bool]]) -> list[Result]:
    """Of a random company: each rep from a day of its own on, more or less often, now and then one taken back."""
    draw = random.Random(1_000 + seed)
    found = []
    for rep in REPS:
        often, begins = draw.choice((0.01, 0.05, 0.3)), draw.randrange(len(days) * 3 // 4)
        # The first company is new: there is nothing yet that a curve could be made of.
        begins = len(days) - 60 if seed == 0 else begins
        for day in days[begins:]:
            is_worked = calendars[CALENDAR_OF[rep]][day]
            for _ in range(3):
                if draw.random() < often * (1 if is_worked else 0.2):
                    amount = draw.randrange(1, 50_000) * (-1 if draw.random() < 0.05 else 1)
                    found.append(Result(rep, day, amount))
    return found


def _frame(rows: list[Mapping[str, Any]], **types: Any) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in types} for row in rows], schema=types)


def _periods(kind: str, first: date, last: date) -> list[Span]:
    found = [one for year in range(first.year - 1, last.year + 2) for one in FISCAL.periods(year, kind)]
    return [Span(one.start_on, one.end_on) for one in found if first <= one.start_on and one.end_on <= last]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The pace of six random companies and of a steady one."""
    written = _calendars()
    calendars = {name: {row["day"]: row["is_working_day"] for row in rows} for name, rows in written.items()}
    known = [row["day"] for row in written["home"]]
    past = [day for day in known if day <= AS_OF]
    results = {f"metric_{seed}": _results(seed, past, calendars) for seed in SEEDS}
    results[STEADY] = [Result(rep, day, A_DAY) for rep in REPS for day in past if calendars[CALENDAR_OF[rep]][day]]
    companies, targets = {}, {}
    draw = random.Random(7)
    for metric, theirs in results.items():
        known_from = FISCAL.period_of(min(one.day for one in theirs), "month").start_on
        for kind, (periods, n, _) in RULES.items():
            spans = _periods(kind, known[0], known[-1])
            companies[metric, kind] = Company(spans, calendars, CALENDAR_OF, ABOVE, theirs, known_from, periods, n)
            for span in spans:
                for node in ABOVE:
                    calendar = calendars[CALENDAR_OF[node]]
                    worked = sum(is_worked for day, is_worked in calendar.items() if span.start <= day <= span.end)
                    steady = worked * A_DAY
                    targets[metric, kind, span.start, node] = steady if metric == STEADY else draw.randrange(100, 10**7)
    build = write_build(
        tmp_path_factory.mktemp("pace") / "build",
        as_of=AS_OF,
        fiscal=FISCAL,
        inputs={
            "calendar": [
                {"calendar": name, "is_company": name == "home", **row}
                for name, rows in written.items()
                for row in rows
            ],
            "pace_rule": [
                {"period_kind": kind, "min_periods": periods, "min_events": n, "daily_days": days}
                for kind, (periods, n, days) in {**RULES, "half": (9, 9, 0), "year": (9, 9, 0)}.items()
            ],
        },
    )
    _put(build, results, targets)
    staged = ["run", "pace_rules", "calendar_days", "source_files"]
    models = ["int_previous_night", "int_calendar_periods", "int_period_days", "int_periods_progressed", "int_dates"]
    models += ["int_actuals_rolled_up", "int_actuals_since_previous", "int_pace_*", "mart_pace_daily"]
    chosen = [*(f"stg_night__{name}" for name in staged), *models, "mart_target_attainment"]
    assert failures(run_dbt(build, "run", "--select", *chosen)) == []
    return Night(build, companies, targets)


def _put(build: Path, results: Mapping[str, list[Result]], targets: Mapping[tuple[str, str, date, str], int]) -> None:
    """What the models of the pace read, as tables where dbt would have put them."""
    text, whole = pl.String, pl.Int64
    daily: dict[tuple[str, str, date], list[int]] = {}
    for metric, theirs in results.items():
        for one in theirs:
            daily.setdefault((metric, one.rep, one.day), []).append(one.hundredths)
    node_nos = {node: number for number, node in enumerate(ABOVE)}
    ancestors = [
        {
            "node_key": node,
            "ancestor_node_key": one,
            "ancestor_level": level,
            "node_no": node_nos[node],
            "ancestor_node_no": node_nos[one],
        }
        for node, above in ABOVE.items()
        for level, one in enumerate(reversed(above))
    ]
    ever = {"valid_from": date(1, 1, 1), "valid_to": date(9999, 12, 31)}
    nodes = {
        "node_key": text, "ancestor_node_key": text, "ancestor_level": pl.Int32, "node_no": pl.Int32,
        "ancestor_node_no": pl.Int32,
    }  # fmt: skip
    cell = {"metric": text, "period_kind": text, "period_start_on": pl.Date, "node_key": text}
    cells = [
        {
            "metric": metric, "period_kind": kind, "period_start_on": start, "node_key": node, "placed_node_key": node,
            "is_node_known": True, "unit": "money", "plan_version": "1", "base_hundredths": target,
            "target_derivation": "given", "target_is_complete": True, "open_hundredths": 0, "open_deals": 0,
            "actual_hundredths": _actual(results[metric], kind, start, node),
        }
        for (metric, kind, start, node), target in targets.items()
    ]  # fmt: skip
    tables = {
        "int_actuals_daily": _frame(
            [
                {
                    "metric": metric, "node_key": rep, "node_no": node_nos[rep], "happened_on": day,
                    "hundredths": sum(amounts), "n": len(amounts),
                }
                for (metric, rep, day), amounts in daily.items()
            ],
            metric=text, node_key=text, node_no=pl.Int32, happened_on=pl.Date, hundredths=whole, n=whole,
            denominator_hundredths=whole,
        ),
        "int_node_calendars": _frame(
            [{"node_key": node, "calendar": name} for node, name in CALENDAR_OF.items()], node_key=text, calendar=text
        ),
        "int_node_ancestors": _frame(ancestors, **nodes),
        "int_node_ancestors_dated": _frame(
            [one | ever for one in ancestors], **nodes, valid_from=pl.Date, valid_to=pl.Date
        ),
        "int_plan_versions_chosen": _frame(
            [dict(zip(cell, key, strict=True)) for key in targets],
            metric=text, period_kind=text, period_start_on=pl.Date,
        ).unique(),
        "int_attainment_cells": _frame(
            cells,
            **cell, placed_node_key=text, is_node_known=pl.Boolean, unit=text, plan_version=text,
            base_hundredths=whole, stretch_hundredths=whole, target_derivation=text, target_is_complete=pl.Boolean,
            actual_hundredths=whole, open_hundredths=whole, open_deals=whole,
        ),
        "int_coverage_required": _frame(
            [], metric=text, period_kind=text, node_key=text, coverage_required=pl.Float64, n_deals=whole
        ),
    }  # fmt: skip
    forecasts = _frame(
        [], **cell, method=text, is_published=pl.Boolean, forecast_expected=MONEY, forecast_p10=MONEY,
        forecast_p50=MONEY, forecast_p90=MONEY,
    )  # fmt: skip
    places = {"int_node_ancestors": "candidate.basis", "mart_forecast": "candidate.marts"}
    with duckdb.connect() as connection:
        for database in ("scratch", "candidate"):
            connection.execute(f"attach '{build / database}.duckdb' as {database}")
        for name, frame in (tables | {"mart_forecast": forecasts}).items():
            schema = places.get(name, "scratch.intermediate")
            connection.execute(f"create schema if not exists {schema}")
            connection.register("frame", frame.to_arrow())
            connection.execute(f"create table {schema}.{name} as select * from frame")


def _actual(results: list[Result], kind: str, start: date, node: str) -> int:
    end = next(one.end for one in _periods(kind, start, start + timedelta(days=120)) if one.start == start)
    return sum(one.hundredths for one in results if start <= one.day <= end and node in ABOVE[one.rep])


def _held(found: tuple[Any, ...], expected: Pace) -> None:
    """Curve, share and indices of a row, as near as millionths of a day allow."""
    curve_of, share, actual, index, by_calendar = found
    assert curve_of == expected.curve_of
    assert share == pytest.approx(float(expected.share), abs=3e-6)
    assert actual * 100 == expected.actual
    assert (index is None) == (expected.index is None)
    if expected.index is not None:
        assert index == pytest.approx(float(expected.index), rel=3e-6 / float(expected.share) + 1e-9)
    assert by_calendar == pytest.approx(float(expected.by_calendar))


COLUMNS = "pace_node_key, linear_share, actual, pace_index, pace_index_calendar"


@settings(max_examples=80)
@given(data=st.data())
def test_the_pace_of_any_node_on_any_day_is_that_of_the_definition(night: Night, data: st.DataObject) -> None:
    metric = f"metric_{data.draw(st.sampled_from(SEEDS))}"
    kind = data.draw(st.sampled_from(sorted(RULES)))
    node = data.draw(st.sampled_from(sorted(ABOVE)))
    day = AS_OF - timedelta(days=data.draw(st.integers(0, RULES[kind][2] - 1)))
    company = night.companies[metric, kind]
    start = next(span.start for span in company.periods if span.start <= day <= span.end)
    expected = pace(company, node, night.targets[metric, kind, start, node], day)
    (found,) = _rows(night)[metric, kind, node, day]
    _held(tuple(found), expected)
    if day == AS_OF:
        _held(_tonight(night)[metric, kind, node], expected)


_READ: dict[tuple[Path, str], Any] = {}


def _rows(night: Night) -> Any:
    """Rows of the pace by day, read once."""
    if (night.build, "daily") not in _READ:
        found: dict[Any, list[Any]] = {}
        for metric, kind, node, day, *rest in query(
            night.build,
            f"select metric, period_kind, node_key, day, {COLUMNS} from marts.mart_pace_daily",
        ):
            found.setdefault((metric, kind, node, day), []).append(rest)
        _READ[night.build, "daily"] = found
    return _READ[night.build, "daily"]


def _tonight(night: Night) -> Any:
    if (night.build, "tonight") not in _READ:
        rows = query(
            night.build,
            f"select metric, period_kind, node_key, {COLUMNS} from marts.mart_target_attainment where is_current",
        )
        _READ[night.build, "tonight"] = {tuple(row[:3]): tuple(row[3:]) for row in rows}
    return _READ[night.build, "tonight"]


def test_tonight_is_measured_by_both_marts_alike(night: Night) -> None:
    tonight = _tonight(night)
    for (metric, kind, node), found in tonight.items():
        if kind in RULES:
            (daily,) = _rows(night)[metric, kind, node, AS_OF]
            assert tuple(daily) == found
    assert any(found[0] == node and node != "company" for (_, _, node), found in tonight.items())
    assert any(found[0] not in (node, None) for (_, _, node), found in tonight.items())
    assert any(found[0] is None for found in tonight.values())


def test_who_works_evenly_is_on_pace_on_every_day_and_by_the_calendar_is_not(night: Night) -> None:
    """The same on every working day, a target of so many working days: 1 throughout, whatever the days off."""
    steady = {key: rows[0] for key, rows in _rows(night).items() if key[0] == STEADY and key[2] in REPS}
    worked = {key: row for key, row in steady.items() if row[3] is not None}
    assert len(worked) > 0.95 * len(steady)
    assert all(row[3] == pytest.approx(1, rel=1e-4) for row in worked.values())
    off = [row[4] for (_, kind, *_), row in worked.items() if kind == "month" and not 0.95 <= row[4] <= 1.05]
    assert len(off) > 0.3 * sum(1 for _, kind, *_ in worked if kind == "month")

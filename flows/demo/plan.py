"""The plan of the demo company: what a sensible planning round would have set, calibrated against what was simulated.

Targets of past periods come from each region's productivity, smoothed over its reps, with a season and a ramp. Those of
the current quarter are fitted so that most nodes are near plan on the last night, and the planted ones are not.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from flows.demo import vocabulary as words
from flows.demo.calendar import Floats, Ints, WorkingTime, epoch_day, month_start, quarter_start
from flows.demo.organisation import Organisation

WIN_SEASON = np.array([0.98, 0.8, 1.02, 1.0, 0.97, 1.05, 1.06, 1.03, 1.06, 0.76, 1.04, 1.15])
STEP = 100_000
"""Targets are whole thousands, in hundredths."""
STRETCH_PERCENT = 115
TOO_EARLY = 0.2
WEAK_PACE, RECOVERED_PACE, REGION_PACE = 0.6, 1.06, 1.01
PLANNED_HEADS_KEPT = 0.75
ATTAINMENT_WITH_FEWER_HEADS = 0.9
"""1.20 × 0.75: a fifth more per head, a quarter fewer heads, a tenth short of plan."""


@dataclass(frozen=True)
class Wins:
    """Deals won by the last night: person, epoch day, value in hundredths of the reporting currency."""

    person: Ints
    day: Ints
    value: Ints


@dataclass(frozen=True)
class Plan:
    """Targets by person and month.

    Attributes:
        months: First days of the planned months.
        value: Bookings by person and month, in hundredths.
        count: Won deals by person and month.
        planned: Whether the plan counts on the person in the month.
    """

    months: tuple[date, ...]
    value: Ints
    count: Ints
    planned: np.ndarray


def make_plan(rng: np.random.Generator, time: WorkingTime, organisation: Organisation, wins: Wins) -> Plan:
    """Set targets from the first January in the data to the end of the last night's year."""
    months = _months(time)
    people = organisation.people
    reps = people.filter(pl.col("role") == "rep")
    region = np.array([words.REGIONS.index(name) for name in reps["region"]])
    planned, ramp = _presence(time, organisation, reps, months)
    season = WIN_SEASON[[month.month - 1 for month in months]]
    actual = _by_month(wins, len(reps), months)
    weight = planned * ramp * season
    current = months.index(quarter_start(time.last)) if quarter_start(time.last) in months else len(months)
    target = np.zeros_like(weight)
    for year in sorted({month.year for month in months}):
        columns = np.array([month.year == year for month in months])
        elapsed = columns & (np.arange(len(months)) < current)
        measured = elapsed if elapsed.any() else np.arange(len(months)) < current
        for number in range(len(words.REGIONS)):
            rows = region == number
            target[np.ix_(rows, columns)] = _smoothed(rng, actual[rows], weight[rows], columns, measured)
    _fit_current_quarter(rng, time, organisation, wins, months, reps, target)
    _fit_month_with_fewer_heads(organisation, months, region, actual, target)
    value = np.round(target / STEP).astype(np.int64) * STEP
    value = np.where(planned & (value == 0), STEP, value)
    average = wins.value.mean() if len(wins.value) else 1.0
    cumulative = np.floor(np.cumsum(value, axis=1) / average + 0.5)
    count = np.diff(cumulative, axis=1, prepend=0).astype(np.int64)
    return Plan(months, value, count, planned)


def _months(time: WorkingTime) -> tuple[date, ...]:
    first = time.first.year + (time.first.month > 1)
    return tuple(month_start(date(first, 1, 1), number) for number in range(12 * (time.last.year - first + 1)))


def _presence(
    time: WorkingTime, organisation: Organisation, reps: pl.DataFrame, months: tuple[date, ...]
) -> tuple[np.ndarray, Floats]:
    """Whom the plan counts on in each month, and their ramp. It did not foresee those who left in the planted month."""
    starts = np.array([epoch_day(month) for month in months])
    ends = np.array([epoch_day(month_start(month, 1)) for month in months])
    hired = np.array([epoch_day(day) for day in reps["hired_on"]])
    left = np.array([epoch_day(day) if day else 10**8 for day in reps["left_on"]])
    planned = (hired[:, None] < ends) & (left[:, None] >= starts)
    if organisation.leavers_month in months:
        month = months.index(organisation.leavers_month)
        eve = starts[month]
        planned[:, month] |= (
            (left < eve) & (left >= eve - 20) & (reps["region"] == words.REGIONS[words.EAST]).to_numpy()
        )
    tenure = (starts - hired[:, None]) / 30.4
    ramp = np.where(hired[:, None] >= epoch_day(time.first), np.clip((tenure + 1.5) / 6, 0.25, 1), 1.0)
    return planned, ramp


def _by_month(wins: Wins, reps: int, months: tuple[date, ...]) -> Floats:
    edges = np.array([*(epoch_day(month) for month in months), epoch_day(month_start(months[-1], 1))])
    month = np.searchsorted(edges, wins.day, side="right") - 1
    inside = (month >= 0) & (month < len(months))
    total = np.zeros((reps, len(months)))
    np.add.at(total, (wins.person[inside], month[inside]), wins.value[inside])
    return total


def _smoothed(
    rng: np.random.Generator, actual: Floats, weight: Floats, columns: np.ndarray, measured: np.ndarray
) -> Floats:
    """Targets of one region and year: its productivity, part of each rep's difference, an attainment around 0.98."""
    done, effort = actual[:, measured].sum(), weight[:, measured].sum()
    rate = done / effort if effort and done else 1.0
    own = actual[:, measured].sum(axis=1)
    expected = rate * weight[:, measured].sum(axis=1)
    usual = rate * 5
    level = np.clip((own + usual) / (expected + usual), 0.75, 1.4)
    target = rate * level[:, None] * weight[:, columns]
    reference = (rate * level[:, None] * weight[:, measured]).sum()
    return target * (done / rng.uniform(0.94, 1.03) / reference if reference and done else 1.0)


def _fit_current_quarter(
    rng: np.random.Generator,
    time: WorkingTime,
    organisation: Organisation,
    wins: Wins,
    months: tuple[date, ...],
    reps: pl.DataFrame,
    target: Floats,
) -> None:
    """Fit the running quarter rep by rep, and its months team by team, to what was won so far."""
    quarter, month = quarter_start(time.last), month_start(time.last)
    if quarter not in months:
        return
    at, now = months.index(quarter), months.index(month)
    of_quarter = time.elapsed(quarter, month_start(quarter, 3), time.last)
    of_month = time.elapsed(month, month_start(month, 1), time.last)
    seat = reps["seat"].to_numpy()
    holder = organisation.holder(np.arange(organisation.seats), np.full(organisation.seats, time.end - 0.01))
    sold = _since(wins, len(reps), quarter)
    wished = target[:, at : at + 3].sum(axis=1)
    for region in words.REGIONS:
        rows = (reps["region"] == region).to_numpy()
        if wished[rows].sum() > 0 and sold[rows].sum() > 0:
            wished[rows] *= np.clip(sold[rows].sum() / of_quarter / wished[rows].sum(), 0.4, 2.0)
    pace = rng.uniform(0.99, 1.1, len(reps))
    if of_quarter >= TOO_EARLY:
        fitted = np.clip(sold / (of_quarter * pace), 0.45 * wished, 2.2 * wished)
        recovering = holder[organisation.recovering_seat]
        fitted[recovering] = np.maximum(sold[recovering] / (of_quarter * RECOVERED_PACE), 0.2 * wished[recovering])
        piling = holder[organisation.piling_seat]
        fitted[piling] = wished[piling]
        _balance_regions(reps, sold, of_quarter, fitted, np.array([recovering, piling]))
        before = target[:, at : at + 3].sum(axis=1)
        scale = np.divide(fitted, before, out=np.ones_like(before), where=before > 0)
        target[:, at : at + 3] *= scale[:, None]
    if of_month < TOO_EARLY:
        return
    sold_now = _since(wins, len(reps), month)
    for team in range(len(organisation.team_names)):
        rows = organisation.seat_team[seat] == team
        block = target[np.ix_(rows, range(at, at + 3))]
        share = block.sum(axis=0) / block.sum()
        pace_wanted = WEAK_PACE if team == organisation.weak_team else rng.uniform(0.98, 1.08)
        wanted = sold_now[rows].sum() / (of_month * pace_wanted) / block.sum()
        wanted = float(np.clip(wanted, 0.12, 0.7))
        others = (1 - wanted) / (1 - share[now - at])
        factor = np.where(np.arange(3) == now - at, wanted / share[now - at], others)
        target[np.ix_(rows, range(at, at + 3))] = block * factor


def _balance_regions(reps: pl.DataFrame, sold: Floats, passed: float, fitted: Floats, fixed: Ints) -> None:
    """Let each region as a whole be near plan; the targets of ``fixed`` people stay as they are."""
    for region in words.REGIONS:
        rows = np.flatnonzero((reps["region"] == region).to_numpy())
        free = np.setdiff1d(rows, fixed)
        left = sold[rows].sum() / (passed * REGION_PACE) - fitted[np.intersect1d(rows, fixed)].sum()
        if fitted[free].sum() > 0:
            fitted[free] *= np.clip(left / fitted[free].sum(), 0.6, 1.6)


def _since(wins: Wins, reps: int, start: date) -> Floats:
    late = wins.day >= epoch_day(start)
    return np.bincount(wins.person[late], weights=wins.value[late], minlength=reps)[:reps].astype(np.float64)


def _fit_month_with_fewer_heads(
    organisation: Organisation, months: tuple[date, ...], region: Ints, actual: Floats, target: Floats
) -> None:
    """Scale the region's target of the planted month so that it was missed by exactly a tenth."""
    if organisation.leavers_month not in months:
        return
    month = months.index(organisation.leavers_month)
    rows = region == words.EAST
    done, wished = actual[rows, month].sum(), target[rows, month].sum()
    if done > 0 and wished > 0:
        target[rows, month] *= done / ATTAINMENT_WITH_FEWER_HEADS / wished


def nodes(plan: Plan, organisation: Organisation, company: str) -> list[tuple[str, str, Ints, Ints]]:
    """Kind, name, bookings and counts by month of every node: company, regions, teams, reps. Children add up."""
    reps = organisation.people.filter(pl.col("role") == "rep")
    rows: list[tuple[str, str, Ints, Ints]] = [("company", company, plan.value.sum(axis=0), plan.count.sum(axis=0))]
    for kind in ("region", "team"):
        for (name,) in reps.select(kind).unique(maintain_order=True).iter_rows():
            chosen = (reps[kind] == name).to_numpy()
            rows.append((kind, name, plan.value[chosen].sum(axis=0), plan.count[chosen].sum(axis=0)))
    for person, name in enumerate(reps["user_id"]):
        if plan.planned[person].any():
            rows.append(("rep", name, plan.value[person], plan.count[person]))
    return rows

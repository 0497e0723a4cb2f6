"""The worked year, worked out with fractions and loops from its plan and deals, and from nothing of planloop.

``python -m tests.reference.worked_year`` writes the sheets beside the plan; each line says how its figure comes about,
so that it can be followed with a pocket calculator. Amounts are whole hundredths until they are written.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[1] / "fixtures" / "worked_year"
AS_OF = (date(2026, 5, 29), date(2026, 8, 14), date(2026, 10, 30))
"""Before the revision; between the revision and the reorganisation; after both."""
SEASON = (6, 5, 9, 7, 8, 10, 7, 7, 10, 8, 9, 14)
STRETCH = Fraction(11, 10)
RAMP = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
HOLD = 60
"""Every deal is open for so many days before it closes."""
NORTH, SOUTH = ("region:North", "team:North/A"), ("region:South", "team:South/B")

Cells = dict[tuple[int, str], int]
"""Hundredths by month and node."""


class Person(NamedTuple):
    """Who sells where, from when to when."""

    home: tuple[str, str]
    potential: Fraction = Fraction(1)
    first: date = date(2020, 1, 1)
    last: date = date(2099, 12, 31)
    ramp: tuple[Fraction, ...] = ()


class Version(NamedTuple):
    """What is known with a version; ``from_month`` is the first it holds for."""

    name: str
    from_month: int
    decided_on: date
    totals: Mapping[str, int]
    people: Mapping[str, Person]


class Cell(NamedTuple):
    """A target of one version: base and stretch (None where there is none) in hundredths, and how it came about."""

    base: int
    stretch: int | None
    how: str


_ANNUAL = {
    "r1": Person(NORTH),
    "r2": Person(NORTH, potential=Fraction(12, 10)),
    "r3": Person(SOUTH, potential=Fraction(8, 10)),
    "r4": Person(SOUTH),
    "r5": Person(NORTH, first=date(2026, 4, 1), ramp=RAMP),
}
_REVISED = _ANNUAL | {
    "r4": Person(SOUTH, last=date(2026, 5, 31)),
    "r6": Person(SOUTH, first=date(2026, 7, 15)),
}
_REORGANISED = _REVISED | {"r2": Person(SOUTH, potential=Fraction(12, 10))}
VERSIONS = (
    Version("annual", 1, date(2025, 12, 15), {"bookings": 1_200_000_000, "new_customers": 4_700}, _ANNUAL),
    Version("revised", 7, date(2026, 6, 20), {"bookings": 1_260_000_000, "new_customers": 4_700}, _REVISED),
    Version("reorganised", 9, date(2026, 8, 25), {"bookings": 1_260_000_000, "new_customers": 4_700}, _REORGANISED),
)
UNIT = {"bookings": 1, "new_customers": 100}
"""Money is split in hundredths, counts in whole units."""


def month_days(month: int) -> tuple[date, date]:
    """First and last day of a month of 2026."""
    following = date(2026 + month // 12, month % 12 + 1, 1)
    return date(2026, month, 1), following - timedelta(days=1)


def working_days(first: date, last: date) -> int:
    """Mondays to Fridays, both ends included; the worked year knows no holidays."""
    return sum((first + timedelta(days=n)).weekday() < 5 for n in range((last - first).days + 1))


def capacity(person: Person, month: int) -> Fraction:
    """Ramp × share of the month's working days on which the plan counts on the person."""
    first, last = month_days(month)
    present = working_days(max(first, person.first), min(last, person.last))
    tenure = (first.year - person.first.year) * 12 + month - person.first.month
    ramp = person.ramp[tenure] if 0 <= tenure < len(person.ramp) else Fraction(1)
    return ramp * Fraction(max(present, 0), working_days(first, last))


def shared(total: int, weights: Mapping[Any, Fraction | int], unit: int = 1) -> dict[Any, int]:
    """Largest remainder: each the whole part, what is left a unit each to the largest fractions, the first at ties."""
    whole = sum(weights.values())
    exact = {key: Fraction(total // unit) * weight / whole for key, weight in weights.items()}
    parts = {key: int(value) for key, value in exact.items()}
    left = total // unit - sum(parts.values())
    for key in sorted(weights, key=lambda key: (parts[key] - exact[key], key))[:left]:
        parts[key] += 1
    return {key: part * unit for key, part in parts.items()}


def shared_with_carry(
    total: int, weights: Mapping[str, Fraction | int], owed: dict[str, Fraction], unit: int
) -> dict[str, int]:
    """The same for counts: what rounding kept from someone in a month is added to what comes to them in the next."""
    units, whole = total // unit, sum(weights.values())
    exact = {key: Fraction(units) * weight / whole for key, weight in weights.items()}
    wanted = {key: max(exact[key] + owed.get(key, Fraction(0)), Fraction(0)) for key in weights}
    parts = _rounded(units, wanted)
    for key in weights:
        owed[key] = owed.get(key, Fraction(0)) + exact[key] - parts[key]
    return {key: part * unit for key, part in parts.items()}


def _rounded(units: int, exact: Mapping[Any, Fraction]) -> dict[Any, int]:
    """Unit by unit to who lacks most, the first at ties; of proportional parts that is the largest remainder."""
    parts = dict.fromkeys(sorted(exact), 0)
    for _ in range(units):
        parts[max(parts, key=lambda key: exact[key] - parts[key])] += 1
    return parts


def weights_of(people: Mapping[str, Person], month: int) -> dict[str, Fraction]:
    """Capacity × potential of each person whom the plan counts on in the month."""
    found = {name: capacity(person, month) * person.potential for name, person in people.items()}
    return {name: weight for name, weight in found.items() if weight}


def down_the_tree(
    total: int, people: Mapping[str, Person], month: int, unit: int, owed: dict[str, Fraction]
) -> dict[str, int]:
    """A month of the company, split to regions, to their teams (one each), to their reps."""

    def split(part: int, among: Mapping[str, Fraction]) -> dict[str, int]:
        return shared(part, among) if unit == 1 else shared_with_carry(part, among, owed, unit)

    weights = weights_of(people, month)
    nodes = {"company": total}
    regions = {home[0] for home in (people[name].home for name in weights)}
    of_region = {
        region: sum(weight for name, weight in weights.items() if people[name].home[0] == region) for region in regions
    }
    for region, part in split(total, of_region).items():
        mine = {f"rep:{name}": weight for name, weight in weights.items() if people[name].home[0] == region}
        (team,) = {people[name.removeprefix("rep:")].home[1] for name in mine}
        nodes |= {region: part, team: part} | split(part, mine)
    return nodes


def monthly(metric: str, version: Version, before: Mapping[tuple[int, str], int], total: int) -> Cells:
    """The months of a version: those before it takes effect as they were, the rest of the year over the others."""
    unit = UNIT[metric]
    cells = {key: value for key, value in before.items() if key[0] < version.from_month}
    carried = sum(value for (_, node), value in cells.items() if node == "company")
    rest = {month: SEASON[month - 1] for month in range(version.from_month, 13)}
    owed: dict[str, Fraction] = {}
    for month, part in shared(total - carried, rest, unit).items():
        for node, value in down_the_tree(part, version.people, month, unit, owed).items():
            cells[month, node] = value
    return cells


def plan(metric: str) -> dict[str, dict[tuple[int, str], Cell]]:
    """Month × node by version."""
    found: dict[str, dict[tuple[int, str], Cell]] = {}
    base: Cells = {}
    excess: Cells = {}
    for version in VERSIONS:
        total = version.totals[metric]
        base = monthly(metric, version, base, total)
        if metric == "bookings":
            excess = monthly(metric, version, excess, int(total * (STRETCH - 1)))
        found[version.name] = {
            key: Cell(value, value + excess[key] if metric == "bookings" else None, how(version, *key, base))
            for key, value in base.items()
        }
    return found


def how(version: Version, month: int, node: str, cells: Cells) -> str:
    """The derivation of a month's cell, in words and numbers."""
    if month < version.from_month:
        return "carried from the version before"
    whole = written(cells[month, "company"])
    if node == "company":
        carried = sum(value for (m, n), value in cells.items() if n == "company" and m < version.from_month)
        total = sum(value for (_, n), value in cells.items() if n == "company")
        rest = sum(SEASON[version.from_month - 1 :])
        return f"({written(total)} - {written(carried)}) x {SEASON[month - 1]}/{rest}"
    weights = weights_of(version.people, month)
    mine = {name: weight for name, weight in weights.items() if node in (f"rep:{name}", *version.people[name].home)}
    if node.startswith("rep:"):
        region = version.people[node.removeprefix("rep:")].home[0]
        team = sum(weight for name, weight in weights.items() if version.people[name].home[0] == region)
        return f"{written(cells[month, region])} x {sum(mine.values())} / {team}"
    return f"{whole} x {sum(mine.values())} / {sum(weights.values())}"


def written(hundredths: int) -> str:
    """Hundredths as a decimal."""
    return str(Decimal(hundredths).scaleb(-2).quantize(Decimal("0.01")))


PERIODS = {
    **{("month", month): (month, month) for month in range(1, 13)},
    **{("quarter", number): (number * 3 - 2, number * 3) for number in range(1, 5)},
    **{("half", number): (number * 6 - 5, number * 6) for number in (1, 2)},
    ("year", 1): (1, 12),
}


def targets(metric: str) -> Iterator[dict[str, Any]]:
    """Every cell of every version: the months, and their sums."""
    for version, cells in plan(metric).items():
        for (kind, _), (first, last) in PERIODS.items():
            for node in sorted({node for _, node in cells}):
                parts = [cells[month, node] for month in range(first, last + 1) if (month, node) in cells]
                if not parts:
                    continue
                stretch = None if parts[0].stretch is None else sum(part.stretch or 0 for part in parts)
                yield {
                    "plan_version": version,
                    "metric": metric,
                    "period_kind": kind,
                    "period_start_on": date(2026, first, 1),
                    "node_key": node,
                    "base": sum(part.base for part in parts),
                    "stretch": stretch,
                    "how": parts[0].how if kind == "month" else f"sum of {len(parts)} months",
                }


class Deal(NamedTuple):
    """A deal of the worked year."""

    name: str
    owner: str
    customer: str
    closed_on: date
    hundredths: int

    @property
    def created_on(self) -> date:
        """The day it was made."""
        return self.closed_on - timedelta(days=HOLD)


def deals() -> list[Deal]:
    """The deals of the fixture."""
    with (FOLDER / "deals.csv").open(encoding="utf-8") as lines:
        return [
            Deal(
                row["deal"],
                row["owner"],
                row["customer"],
                date.fromisoformat(row["closed_on"]),
                int(Decimal(row["amount"]) * 100),
            )
            for row in csv.DictReader(lines)
        ]


def nodes_of(owner: str, day: date) -> tuple[str, ...]:
    """Where a person's result counts on a day: r2 moves to the South on 1 September."""
    home = _REORGANISED[owner].home if day >= date(2026, 9, 1) else _REVISED[owner].home
    return ("company", *home, f"rep:{owner}")


def in_force(as_of: date, last_day: date) -> str:
    """The newest version that was decided by the night and by the end of the period, and took effect by its end."""
    return [
        version.name
        for version in VERSIONS
        if version.decided_on <= min(as_of, last_day) and date(2026, version.from_month, 1) <= last_day
    ][-1]


def attainment(metric: str, as_of: date) -> Iterator[dict[str, Any]]:
    """Every cell that has a target in the version in force."""
    stated = {
        (row["plan_version"], row["period_kind"], row["period_start_on"], row["node_key"]): row
        for row in targets(metric)
    }
    first_deal = {deal.customer: deal.name for deal in reversed(sorted(deals(), key=lambda deal: deal.closed_on))}
    done = [deal for deal in deals() if deal.closed_on <= as_of]
    if metric == "new_customers":
        done = [deal for deal in done if first_deal[deal.customer] == deal.name]
    standing = [deal for deal in deals() if deal.created_on <= as_of < deal.closed_on]
    for (kind, _), (first_month, last_month) in PERIODS.items():
        first, last = month_days(first_month)[0], month_days(last_month)[1]
        version = in_force(as_of, last)
        days, passed = working_days(first, last), working_days(first, min(last, as_of))
        for (name, of_kind, start, node), row in stated.items():
            if (name, of_kind, start) != (version, kind, first):
                continue
            worth = {deal: deal.hundredths if metric == "bookings" else 100 for deal in deals()}
            actual = sum(
                worth[d] for d in done if first <= d.closed_on <= last and node in nodes_of(d.owner, d.closed_on)
            )
            is_open = [d for d in standing if first <= d.closed_on <= last and node in nodes_of(d.owner, as_of)]
            base, gap = row["base"], row["base"] - actual
            open_amount = sum(deal.hundredths for deal in is_open) if metric == "bookings" else 0
            yield {
                "as_of_date": as_of,
                "metric": metric,
                "period_kind": kind,
                "period_start_on": first,
                "node_key": node,
                "plan_version": version,
                "target_base": base,
                "target_stretch": row["stretch"],
                "actual": actual,
                "gap": gap,
                "attainment": Fraction(actual, base) if base else None,
                "working_days": days,
                "working_days_passed": passed,
                "pace_index": Fraction(actual * days, base * passed) if base and passed > 0 else None,
                "required_run_rate": Fraction(max(gap, 0), days - passed) if days > passed else None,
                "open_amount": open_amount,
                "coverage_remaining": Fraction(open_amount, gap) if gap > 0 and metric == "bookings" else None,
                "how": f"{len(is_open)} open; {written(base)} - {written(actual)}; {passed} of {days} working days",
            }


TIERS = ((Fraction(0), Fraction(2, 100)), (Fraction(8, 10), Fraction(3, 100)), (Fraction(1), Fraction(5, 100)))
CAP = 2_000_000
PER_CUSTOMER = 50_000
DRAW = {("r5", 4): 300_000}
"""Advanced to a person in each month of the quarter that begins with a month."""
SHARED = ("d23", "r2", "r1", Fraction(4, 10))


def pay(as_of: date) -> Iterator[dict[str, Any]]:
    """What each rep earns in each quarter that has begun, as if it ended tonight, and what an advance leaves owing."""
    cells = {
        (row["metric"], row["period_start_on"], row["node_key"]): row
        for metric in ("bookings", "new_customers")
        for row in attainment(metric, as_of)
        if row["period_kind"] == "quarter"
    }
    done = [deal for deal in deals() if deal.closed_on <= as_of]
    for first_month in (1, 4, 7, 10):
        first, last = month_days(first_month)[0], month_days(first_month + 2)[1]
        for person in sorted(_REVISED):
            cell = cells.get(("bookings", first, f"rep:{person}"))
            if first > as_of or cell is None:
                continue
            name, giver, taker, share = SHARED
            moved = sum(int(d.hundredths * share) for d in done if d.name == name and first <= d.closed_on <= last)
            credited = cell["actual"] + (moved if person == taker else -moved if person == giver else 0)
            slices = list(_slices(credited, cell["target_base"]))
            tiers = sum(half_up(part * rate) for part, rate in slices)
            commission = min(tiers, CAP)
            met = Fraction(cell["actual"], cell["target_base"]) >= Fraction(8, 10) if cell["target_base"] else False
            customers = cells.get(("new_customers", first, f"rep:{person}"))
            bonus = customers["actual"] // 100 * PER_CUSTOMER if met and customers else 0
            begun = sum(month_days(first_month + number)[0] <= as_of for number in range(3))
            advanced = DRAW.get((person, first_month), 0) * begun
            yield {
                "as_of_date": as_of,
                "user_id": person,
                "period_start_on": first,
                "commission": commission,
                "new_customer": bonus,
                "advanced": advanced,
                "owed": max(advanced - commission - bonus, 0) if advanced else None,
                "how": " + ".join(f"{written(part)} x {float(rate):.2f}" for part, rate in slices)
                + (f", at most {written(CAP)}" if tiers > CAP else "")
                + f"; {'' if met else 'not '}at 80 % of {written(cell['target_base'])}",
            }


def _slices(credited: int, target: int) -> Iterator[tuple[int, Fraction]]:
    """The part of the value that each tier takes, from the least hundredth that reaches it."""
    bounds = [-int(-target * at_least // 1) for at_least, _ in TIERS]
    for (_, rate), low, high in zip(TIERS, bounds, [*bounds[1:], None], strict=True):
        part = (credited if high is None else min(credited, high)) - low
        if part > 0:
            yield part, rate


def half_up(amount: Fraction) -> int:
    """To the hundredth, halves up."""
    return int(amount + Fraction(1, 2))


MONEY = (
    "commission",
    "new_customer",
    "advanced",
    "owed",
    "base",
    "stretch",
    "target_base",
    "target_stretch",
    "actual",
    "gap",
    "open_amount",
)


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    for row in rows:
        line = {}
        for name, value in row.items():
            if value is None:
                line[name] = ""
            elif name in MONEY:
                line[name] = written(value)
            elif name == "required_run_rate":
                line[name] = f"{float(value / 100):.4f}"
            else:
                line[name] = f"{float(value):.10f}" if isinstance(value, Fraction) else str(value)
        yield line


def sheets() -> dict[str, list[dict[str, str]]]:
    """The sheets by name, as they are written."""
    metrics = ("bookings", "new_customers")
    return {
        "targets": list(_lines(row for metric in metrics for row in targets(metric))),
        "attainment": list(_lines(row for as_of in AS_OF for metric in metrics for row in attainment(metric, as_of))),
        "pay": list(_lines(row for as_of in AS_OF for row in pay(as_of))),
    }


def write() -> None:
    """Write the sheets beside the plan."""
    for name, rows in sheets().items():
        with (FOLDER / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    write()

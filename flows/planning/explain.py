"""How one amount of a plan came about, in words that can be checked with a pocket calculator."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from flows.config.fiscal import PERIOD_KINDS, Period, PeriodKind
from flows.config.plan.model import Person
from flows.errors import ConfigError
from flows.planning.allocation.capacity import days_of, person_month
from flows.planning.allocation.people import ramps_of
from flows.planning.explain_words import WORDS
from flows.planning.night import PlannedVersion
from flows.planning.show import amount, cells
from flows.planning.trial import Trial, before

Row = dict[str, Any]
SHOWN = 12
"""So many parts of a node are listed; the others are summed up in one line."""


def explain(trial: Trial, one: PlannedVersion, metric: str, node: str, period: Period, language: str) -> list[str]:
    """Line by line how a cell came about: what it is a part of, by which weight, with which rounding.

    Args:
        trial: all versions of the year.
        one: the version asked about.
        metric: the cell's.
        node: the cell's.
        period: the cell's.
        language: zh or en.

    Raises:
        ConfigError: the version has no such cell.
    """
    return list(_Explanation(trial, one, metric, language).cell(node, period))


@dataclass
class _Explanation:
    trial: Trial
    one: PlannedVersion
    metric: str
    language: str

    def cell(self, node: str, period: Period) -> Iterator[str]:
        row = self._row(self.one.targets, node, period.kind, period.start_on)
        if row is None:
            of_metric = cells(self.one, metric=self.metric)
            known = of_metric["node_key"].unique().sort().to_list()
            raise ConfigError(
                [
                    f"{self.one.version.id}: expected a cell of {self.metric}, of one of {len(known)} nodes "
                    f"({', '.join(known[:12])}, …); found no {node} in {self._label(period)}"
                ]
            )
        yield self._say(
            "cell",
            version=self.one.version.id,
            metric=self.metric,
            node=node,
            period=self._label(period),
            start=period.start_on,
            end=period.end_on,
            base=self._amount(row, "base_hundredths"),
        ) + (self._say("stretch", stretch=self._amount(row, "stretch_hundredths")) if row["stretch_hundredths"] else "")
        yield from self._why(row, period)
        if row["stretch_hundredths"] and row["derivation"] in ("season", "split"):
            above = row["stretch_hundredths"] - row["base_hundredths"]
            yield self._say("stretch_above", above=self._money(above, row))

    def _why(self, row: Row, period: Period) -> Iterator[str]:
        how = row["derivation"]
        if how == "carried":
            earlier = before(self.trial, self.one.version)
            yield self._say("carried", effective=self.one.version.effective_on, before=earlier and earlier.version.id)
            if earlier is not None:
                yield from _Explanation(self.trial, earlier, self.metric, self.language).cell(row["node_key"], period)
            return
        if how in ("given", "pinned", "same rate"):
            yield from self._stated(how, row["node_key"], period)
        if period.kind != "month" and row["unit"] != "percent":
            yield from self._sum_of_months(row, period)
        elif how == "season":
            yield from self._season(row, period)
        elif how == "split":
            yield from self._split(row, period)
        elif how == "sum of nodes":
            yield self._say("sum_of_nodes")
            yield from self._parts(row["node_key"], period)
        elif how == "funnel":
            yield self._say("funnel")

    def _stated(self, how: str, node: str, period: Period) -> Iterator[str]:
        yield self._say(how.replace(" ", "_"))
        for pin in self.one.version.whole.pins:
            if how == "pinned" and (pin.metric, pin.node) == (self.metric, node):
                named = self.trial.setting.fiscal.named(self.one.version.year, pin.period)
                if named == period:
                    yield self._say("reason", reason=pin.reason)

    def _sum_of_months(self, row: Row, period: Period) -> Iterator[str]:
        months = [
            month
            for month in self.trial.setting.fiscal.periods(self.one.version.year, "month")
            if period.start_on <= month.start_on <= period.end_on
        ]
        found = [(month, self._row(self.one.targets, row["node_key"], "month", month.start_on)) for month in months]
        listed = " + ".join(
            f"{self._label(month)} {self._amount(one, 'base_hundredths')}" for month, one in found if one
        )
        yield self._say("sum_of_months", months=listed, total=self._amount(row, "base_hundredths"))

    def _season(self, row: Row, period: Period) -> Iterator[str]:
        node, effective_on = row["node_key"], self.one.version.effective_on
        stated = self._stated_periods(node)
        whole = next(one for one in reversed(stated) if _covers(one, period))
        inner = [one for one in stated if one != whole and _covers(whole, one)]
        months = {month: self._month(node, month) for month in self._months() if _covers(whole, month)}
        past = [one for month, one in months.items() if month.end_on < effective_on]
        ahead = {month: one for month, one in months.items() if month.end_on >= effective_on}
        free = {month: one for month, one in ahead.items() if not any(_covers(other, month) for other in inner)}
        by_hand = [one for month, one in ahead.items() if month not in free]
        around = self._row(self.one.targets, node, whole.kind, whole.start_on) or row
        carried, held = (sum(one["base_hundredths"] for one in some) for some in (past, by_hand))
        left = self._money(around["base_hundredths"] - carried - held, row)
        yield self._say(
            "season",
            whole=self._label(whole),
            amount=self._amount(around, "base_hundredths"),
            carried=self._money(carried, row),
            held=self._money(held, row),
            left=left,
        )
        season = self.one.allocation.seasons.get((self.metric, node)) if self.one.allocation else None
        if season is not None:
            years = ", ".join(map(str, season.years))
            yield self._say(f"by_{season.by}", years=years) + (self._say("fell_back") if season.fell_back else "")
        total = sum(one["weight"] or 0.0 for one in free.values())
        if row["weight"] is not None and total:
            yield self._product(left, row, row["weight"] / total)
        yield self._say("season_cells", months=", ".join(self._label(month) for month in free))

    def _stated_periods(self, node: str) -> list[Period]:
        """Periods of which the node's amount is written down, the longest first; the year, if no other is."""
        periods = self.trial.setting.fiscal.periods
        found = list(periods(self.one.version.year, "year"))
        for kind in reversed(PERIOD_KINDS[:-1]):
            for period in periods(self.one.version.year, kind):
                row = self._row(self.one.targets, node, kind, period.start_on)
                if row is not None and row["derivation"] in ("given", "pinned"):
                    found.append(period)
        return found

    def _month(self, node: str, month: Period) -> Row:
        return self._row(self.one.targets, node, "month", month.start_on) or {"base_hundredths": 0, "weight": None}

    def _split(self, row: Row, period: Period) -> Iterator[str]:
        parent = self._row(self.one.targets, row["parent_node_key"], "month", period.start_on)
        yield self._say("split", parent=row["parent_node_key"], amount=self._amount(parent, "base_hundredths"))
        yield self._say(f"split_{self.one.version.whole.split or 'capacity'}")
        yield from self._parts(row["parent_node_key"], period)
        yield from self._person(row, period)
        yield self._product(self._amount(parent, "base_hundredths"), row, row["weight"])
        if row["unit"] == "count":
            yield self._say("in_turn")
        if parent is not None:
            yield self._say("above", node=parent["node_key"])
            yield from self._why(parent, period)

    def _product(self, of: str, row: Row, weight: float) -> str:
        rounding = row["rounding_hundredths"] or 0
        return self._say(
            "product",
            of=of,
            weight=f"{weight:.8f}",
            result=self._amount(row, "base_hundredths"),
            rounding=f"{Decimal(rounding).scaleb(-2):+}",
        )

    def _parts(self, parent: str, period: Period) -> Iterator[str]:
        rows = self.one.targets.filter(
            pl.col("metric") == self.metric,
            pl.col("period_kind") == "month",
            pl.col("period_start_on") == period.start_on,
            pl.col("parent_node_key") == parent,
        ).sort("node_key")
        for row in rows.head(SHOWN).to_dicts():
            yield self._say(
                "part",
                node=row["node_key"],
                base=self._amount(row, "base_hundredths"),
                capacity="–" if row["capacity"] is None else f"{row['capacity']:.4f}",
                weight="–" if row["weight"] is None else f"{row['weight']:.6f}",
                how=WORDS["how"][self.language].get(row["derivation"], row["derivation"]),
            )
        if rows.height > SHOWN:
            rest = int(rows.slice(SHOWN)["base_hundredths"].sum())
            yield self._say("more_parts", n=rows.height - SHOWN, base=self._money(rest, rows.row(0, named=True)))

    def _person(self, row: Row, period: Period) -> Iterator[str]:
        people = self.one.allocation.capacity.people if self.one.allocation else self.one.version.whole.people
        person = next((one for one in people if f"rep:{one.user_id}" == row["node_key"]), None)
        if person is not None:
            yield self._capacity(person, people, period)

    def _capacity(self, person: Person, people: tuple[Person, ...], period: Period) -> str:
        setting = self.trial.setting
        ramps = ramps_of(self.one.version, people)
        days = days_of(person, setting.node_days, setting.days)
        parts = person_month(person, ramps.get(person.ramp or ""), period, setting.fiscal, days)
        return self._say(
            "capacity",
            quota=parts.quota,
            ramp=parts.ramp,
            tenure="" if parts.tenure_month is None else self._say("tenure", month=parts.tenure_month),
            active=parts.active_share,
            counted=parts.days_counted,
            days=parts.working_days,
            capacity=f"{parts.capacity:.4f}",
            potential=parts.potential,
            weight=f"{parts.capacity * float(parts.potential):.4f}",
        )

    def _label(self, period: Period) -> str:
        return self.trial.setting.fiscal.label(period)

    def _months(self) -> tuple[Period, ...]:
        return self.trial.setting.fiscal.periods(self.one.version.year, "month")

    def _start(self) -> int:
        return sum(month.end_on < self.one.version.effective_on for month in self._months())

    def _row(self, targets: pl.DataFrame, node: str, kind: PeriodKind, start: date) -> Row | None:
        found = targets.filter(
            pl.col("metric") == self.metric,
            pl.col("node_key") == node,
            pl.col("period_kind") == kind,
            pl.col("period_start_on") == start,
        )
        return found.row(0, named=True) if found.height else None

    def _amount(self, row: Row | None, column: str) -> str:
        return amount(row[column], row["unit"]) if row else "–"

    def _money(self, hundredths: int, like: Row) -> str:
        return amount(hundredths, like["unit"])

    def _say(self, key: str, **values: object) -> str:
        return str(WORDS[key][self.language]).format(**values)


def _covers(period: Period, part: Period) -> bool:
    return period.start_on <= part.start_on and part.end_on <= period.end_on

"""Health of open deals and rhythm of reps, worked out deal by deal and day by day, without any query."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

WON, LOST, GONE = 4, 5, 6
WEEK = timedelta(7)


@dataclass(frozen=True)
class Said:
    """From this day on the deal was in this stage with this rep; stages 1 to 3 are open, and gone is no stage."""

    day: date
    stage: int
    rep: str


@dataclass
class Deal:
    """One deal: what its history says, in order, and what its record says tonight.

    ``into``: the deal that it was merged into, of one that is gone; a deleted one has none.
    """

    key: str
    segment: str
    cents: int
    said: list[Said]
    touches: list[date] = field(default_factory=list)
    next_step: str | None = None
    expected_on: date | None = None
    into: str | None = None

    @property
    def now(self) -> Said:
        """How it stands tonight."""
        return self.said[-1]

    @property
    def told(self) -> list[Said]:
        """What it was while it was there."""
        return [said for said in self.said if said.stage != GONE]

    @property
    def gone_on(self) -> date | None:
        """Day on which its record was deleted or merged; it may have come back since."""
        return next((said.day for said in self.said if said.stage == GONE), None)

    @property
    def recorded(self) -> list[Said]:
        """What its own history says: nothing of its record going, or coming back."""
        return [said for said in self.said if self.gone_on is None or said.day < self.gone_on]

    @property
    def is_gone(self) -> bool:
        """Whether its record was deleted, or merged into another one."""
        return self.now.stage == GONE

    @property
    def is_open(self) -> bool:
        """Whether it is neither won nor lost, nor gone."""
        return self.now.stage < WON

    def at_end_of(self, day: date) -> Said | None:
        """How it stood when a day was over."""
        known = [said for said in self.said if said.day <= day]
        return known[-1] if known else None


@dataclass(frozen=True)
class Stay:
    """One stay in an open stage; `won_on` of a deal that is won tonight.

    ``is_end_seen``: whether somebody saw the deal leave the stage, and not just its record go, or the deal stay.
    """

    stage: int
    segment: str
    entered: date
    left: date | None
    won_on: date | None
    is_end_seen: bool = True


def stays(deal: Deal) -> Iterator[Stay]:
    """The stays of a deal in open stages, one after the other."""
    won_on = _closed_on(deal) if deal.now.stage == WON else None
    runs: list[tuple[int, date]] = []
    for said in deal.said:
        if not runs or runs[-1][0] != said.stage:
            runs.append((said.stage, said.day))
    for number, (stage, entered) in enumerate(runs):
        if stage < WON:
            next_stage, left = runs[number + 1] if number + 1 < len(runs) else (None, None)
            yield Stay(stage, deal.segment, entered, left, won_on, next_stage not in (None, GONE))


def _closed_on(deal: Deal) -> date:
    """First day of the closing that holds tonight; a record that goes and comes back closes no deal anew."""
    last = deal.now.stage
    day = deal.now.day
    for said in reversed(deal.told):
        if said.stage != last:
            break
        day = said.day
    return day


def p80(lengths: Sequence[tuple[int, bool]]) -> int | None:
    """Kaplan and Meier: the first length after which at most a fifth is still there; `True` for one that has ended."""
    there = Fraction(1)
    for length in sorted({length for length, _ in lengths}):
        at_risk = sum(other >= length for other, _ in lengths)
        there *= 1 - Fraction(sum(other == length and ended for other, ended in lengths), at_risk)
        if there <= Fraction(1, 5):
            return length
    return None


def counts(past: Iterable[Stay], age: int, days_left: int, as_of: date) -> tuple[int, int]:
    """How many were still there at the end of `age` days and have had `days_left` more; of them, those won in these."""
    n = won = 0
    for stay in past:
        there_until = stay.left - timedelta(1) if stay.left else as_of
        ripe_on = stay.entered + timedelta(age)
        if there_until >= ripe_on and ripe_on + timedelta(days_left) <= as_of:
            n += 1
            won += stay.won_on is not None and stay.won_on <= ripe_on + timedelta(days_left)
    return n, won


@dataclass(frozen=True)
class Chance:
    """What past deals say of one that is open."""

    age: int
    n: int
    won: int
    chance: Fraction


class Past:
    """All past stays in one stage, or all lives (given as stays), and the chances that they tell for one horizon."""

    def __init__(self, past: Sequence[Stay], days_left: int, as_of: date) -> None:
        self.past, self.days_left, self.as_of = past, days_left, as_of
        longest = max(((as_of - stay.entered).days for stay in past), default=-1)
        self.all = [counts(past, age, days_left, as_of) for age in range(longest + 1)]
        enough = [age for age, (n, _) in enumerate(self.all) if n >= 20]
        some = [age for age, (n, _) in enumerate(self.all) if n]
        self.known_until = max(enough or some, default=None)

    def chance(self, age: int, segment: str) -> Chance | None:
        """Pulled towards all segments, and these towards any age up to the oldest that is seen, by 20 deals each."""
        if self.known_until is None:
            return None
        age = min(age, self.known_until)
        n, won = self.all[age]
        at_any_age = Fraction(sum(won for _, won in self.all), sum(n for n, _ in self.all))
        of_all = (won + 20 * at_any_age) / (n + 20)
        own_n, own_won = counts((s for s in self.past if s.segment == segment), age, self.days_left, self.as_of)
        return Chance(age, n, won, (own_won + 20 * of_all) / (own_n + 20))


@dataclass
class RepWeek:
    """One rep's week, counted."""

    moved: Counter[str] = field(default_factory=Counter)
    open: int = 0
    cents: int = 0
    piled: int = 0
    activities: int = 0


def rep_weeks(
    deals: Sequence[Deal], touched: Iterable[tuple[str, date]], as_of: date
) -> dict[tuple[str, date], RepWeek]:
    """Every rep's weeks of the last 39, by rep and Monday."""
    monday = as_of - timedelta(as_of.weekday())
    mondays = [monday - number * WEEK for number in range(39)]
    reps = {said.rep for deal in deals for said in deal.said} | {rep for rep, _ in touched}
    found = {(rep, start): RepWeek() for rep in reps for start in mondays}
    for rep, day in touched:
        if (week := (rep, day - timedelta(day.weekday()))) in found and day <= as_of:
            found[week].activities += 1
    for deal in deals:
        waits: dict[int, date] = {}
        before: Said | None = None
        for number, said in enumerate(deal.said):
            waits[number] = waits.get(number - 1, said.day)
            for what, rep in _moves(before, said):
                if what in ("taken_in", "advanced"):
                    waits[number] = said.day
                if (week := (rep, said.day - timedelta(said.day.weekday()))) in found:
                    found[week].moved[what] += 1
            before = said
        for start in mondays:
            end = min(start + timedelta(6), as_of)
            said = deal.at_end_of(end)
            if said and said.stage < WON:
                row = found[said.rep, start]
                row.open += 1
                row.cents += deal.cents
                number = max(n for n, other in enumerate(deal.said) if other.day <= end)
                row.piled += (end - waits[number]).days >= 28
    return found


def _moves(before: Said | None, said: Said) -> Iterator[tuple[str, str]]:
    """What a statement changes, and whose figure that is."""
    was_open, is_open = before is not None and before.stage < WON, said.stage < WON
    if before is not None and was_open and before.rep != said.rep:
        yield "handed_over", before.rep
        yield "taken_in", said.rep
    elif is_open and not was_open:
        yield "taken_in", said.rep
    if before is not None and was_open and is_open and said.stage > before.stage:
        yield "advanced", said.rep
    if was_open and not is_open:
        yield {WON: "won", LOST: "lost", GONE: "removed"}[said.stage], said.rep

"""Pipeline metrics told from the lives of deals, one deal after the other: slow, exact, sharing nothing with the SQL.

A life is what truly happened to a deal. Money is whole cents, shares are fractions; nothing is a float but the weights
of stages, which are what the warehouse weighs with. Each function is the definition of its metric, said in Python.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import Any

GONE, MERGED = -1, -2
BASES = ("every_stay", "latest", "cumulative")
WINDOWS = ("all_time", "last_365_days")
AGES = (30, 60, 90, 180, 365)
HALF, FIFTH = Fraction(1, 2), Fraction(1, 5)


@dataclass(frozen=True)
class Funnel:
    """Numbers of the open stages, of won and of lost, and which of the open ones a forecast leaves out."""

    open_stages: tuple[int, ...]
    won: int
    lost: int
    omitted: tuple[int, ...] = ()
    priors: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """What was true of a deal from a day on."""

    on: date
    stage: int
    cents: int
    close_month: date | None
    owner: str


@dataclass
class Life:
    """One deal; ``first_seen_on`` where only our nights know it.

    ``cents`` is null where nobody ever stated an amount, ``segment`` is what the marts call it.
    """

    name: str
    segment: str
    created_on: date
    is_dated: bool
    states: list[State]
    is_entry_assumed: bool = False
    has_amount: bool = True
    first_seen_on: date | None = None

    @property
    def last(self) -> State:
        """How it stands tonight."""
        return self.states[-1]

    @property
    def is_gone(self) -> bool:
        """Whether it is deleted or merged tonight."""
        return self.last.stage in (GONE, MERGED)

    def closed_on(self) -> date:
        """The day on which it got into the stage it stands in."""
        on = self.last.on
        for state in reversed(self.states):
            if state.stage != self.last.stage:
                break
            on = state.on
        return on


@dataclass(frozen=True)
class Stay:
    """One stay in one open stage."""

    life: Life
    number: int
    stage: int
    entered_on: date
    left_on: date | None
    owner: str
    before: int | None
    after: int | None
    is_first: bool
    is_latest: bool
    is_entry_assumed: bool
    stages_after: tuple[int, ...]

    def days(self, as_of: date) -> int:
        """Days in the stage until it was left, or until tonight."""
        return ((self.left_on or as_of) - self.entered_on).days

    @property
    def is_censored(self) -> bool:
        """Whether nobody saw it leave."""
        return self.left_on is None or self.after in (GONE, MERGED)


def stays(life: Life, funnel: Funnel) -> list[Stay]:
    """The stays of a deal in open stages, in order."""
    moves: list[State] = []
    for state in life.states:
        if not moves or moves[-1].stage != state.stage:
            moves.append(state)
    found = []
    for at, move in enumerate(moves):
        if move.stage not in funnel.open_stages:
            continue
        following = moves[at + 1 :]
        found.append(
            Stay(
                life=life,
                number=len(found) + 1,
                stage=move.stage,
                entered_on=move.on,
                left_on=following[0].on if following else None,
                owner=move.owner,
                before=moves[at - 1].stage if at else None,
                after=following[0].stage if following else None,
                is_first=all(earlier.stage != move.stage for earlier in moves[:at]),
                is_latest=all(later.stage != move.stage for later in following),
                is_entry_assumed=life.is_entry_assumed and at == 0,
                stages_after=tuple(later.stage for later in following),
            )
        )
    return found


def product_limit(lengths: Iterable[tuple[int, bool]]) -> dict[int, Fraction]:
    """Kaplan and Meier's share still there after each length, from (length, whether it ended then)."""
    lengths = list(lengths)
    share, curve = Fraction(1), {}
    for length in sorted({length for length, _ in lengths}):
        at_risk = sum(1 for other, _ in lengths if other >= length)
        ended = sum(1 for other, is_event in lengths if other == length and is_event)
        share *= 1 - Fraction(ended, at_risk)
        curve[length] = share
    return curve


def first_at_most(curve: Mapping[int, Fraction], share: Fraction) -> int | None:
    """The first length after which no more than ``share`` is still there."""
    return next((length for length in sorted(curve) if curve[length] <= share), None)


def above(owner: str, parents: Mapping[str, str]) -> Iterator[str]:
    """A node and every node it counts towards."""
    yield owner
    while owner in parents:
        owner = parents[owner]
        yield owner


def cells(owner: str, segment: str, parents: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Nodes and segments in which something of ``owner`` counts."""
    for node in above(owner, parents):
        yield node, segment
        yield node, "all"


def periods(day: date, fiscal_start: int) -> Iterator[tuple[str, date]]:
    """The month, quarter and fiscal year of a day, each by its first day."""
    month = day.replace(day=1)
    into = (month.month - fiscal_start) % 12
    for kind, back in (("month", 0), ("quarter", into % 3), ("year", into)):
        number = month.year * 12 + month.month - 1 - back
        yield kind, date(number // 12, number % 12 + 1, 1)


def period_end(kind: str, start: date) -> date:
    """The last day of a period."""
    number = start.year * 12 + start.month - 1 + {"month": 1, "quarter": 3, "year": 12}[kind]
    return date(number // 12, number % 12 + 1, 1) - timedelta(days=1)


def dwell_lengths(lives: Sequence[Life], funnel: Funnel, as_of: date) -> Iterator[tuple[str, Stay, int, bool]]:
    """Each basis's stays: the basis, the stay that gives owner and day of entry, its days, whether it ended."""
    for life in lives:
        by_stage: dict[int, list[Stay]] = defaultdict(list)
        for stay in stays(life, funnel):
            by_stage[stay.stage].append(stay)
        for several in by_stage.values():
            for stay in several:
                if not stay.is_entry_assumed:
                    yield "every_stay", stay, stay.days(as_of), not stay.is_censored
            if not several[-1].is_entry_assumed:
                yield "latest", several[-1], several[-1].days(as_of), not several[-1].is_censored
            if not several[0].is_entry_assumed:
                total = sum(stay.days(as_of) for stay in several)
                yield "cumulative", several[0], total, not several[-1].is_censored


def dwell(
    lives: Sequence[Life], funnel: Funnel, parents: Mapping[str, str], as_of: date
) -> tuple[dict[tuple[Any, ...], tuple[Any, ...]], dict[tuple[Any, ...], dict[int, Fraction]]]:
    """(median, p80, ended, censored, longest), and the curve, by node, segment, stage, basis and window."""
    lengths: dict[tuple[Any, ...], list[tuple[int, bool]]] = defaultdict(list)
    for basis, stay, days, is_event in dwell_lengths(lives, funnel, as_of):
        windows = WINDOWS if (as_of - stay.entered_on).days < 365 else WINDOWS[:1]
        for node, segment in cells(stay.owner, stay.life.segment, parents):
            for window in windows:
                lengths[node, segment, stay.stage, basis, window].append((days, is_event))
    curves = {key: product_limit(values) for key, values in lengths.items()}
    measured = {}
    for key, values in lengths.items():
        ended = sum(1 for _, is_event in values if is_event)
        median, p80 = (first_at_most(curves[key], share) for share in (HALF, FIFTH))
        measured[key] = (median, p80, ended, len(values) - ended, max(days for days, _ in values))
    return measured, curves


def entries(
    lives: Sequence[Life], funnel: Funnel, parents: Mapping[str, str], as_of: date, fiscal_start: int
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Entrants and what became of them, and the dwell of a quarter's entrants, by period and cell."""
    counts: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * 7)
    lengths: dict[tuple[Any, ...], list[tuple[int, bool]]] = defaultdict(list)
    for life in lives:
        for stay in stays(life, funnel):
            won, lost = life.last.stage == funnel.won, life.last.stage == funnel.lost
            further = [stage for stage in stay.stages_after if stage in funnel.open_stages and stage > stay.stage]
            advanced = bool(further) or funnel.won in stay.stages_after
            entrant = stay.is_first and not stay.is_entry_assumed
            is_open = not won and not lost
            measures = [entrant, entrant and advanced, entrant and won, entrant and lost, entrant and is_open]
            measures += [entrant and is_open and not advanced, True]
            for kind, start in periods(stay.entered_on, fiscal_start):
                for node, segment in cells(stay.owner, life.segment, parents):
                    key = (kind, start, node, segment, stay.stage)
                    if not life.is_gone:
                        counts[key] = [a + b for a, b in zip(counts[key], measures, strict=True)]
                    speaks = segment == "all" or not node.startswith("rep:")
                    if kind == "quarter" and not stay.is_entry_assumed and speaks:
                        lengths[key].append((stay.days(as_of), not stay.is_censored))
    rows = {}
    for key, measured in counts.items():
        values = lengths.get(key, [])
        curve = product_limit(values)
        ended = sum(1 for _, is_event in values if is_event)
        n = (ended, len(values) - ended) if values else (None, None)
        rows[key] = (*measured, first_at_most(curve, HALF), first_at_most(curve, FIFTH), *n)
    return rows


def outcomes(
    lives: Sequence[Life], funnel: Funnel, parents: Mapping[str, str], as_of: date, fiscal_start: int
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Deals closed and deals created, by period, node and segment; rates are fractions or null."""
    sums: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    days: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for life in lives:
        for node, segment in cells(life.last.owner, life.segment, parents):
            for period in periods(life.created_on, fiscal_start):
                count_creation(sums[*period, node, segment], life, funnel)
            if life.last.stage not in (funnel.won, funnel.lost):
                continue
            for period in periods(life.closed_on(), fiscal_start):
                count_closing(sums[*period, node, segment], life, funnel)
                if life.last.stage == funnel.won and life.is_dated:
                    days[*period, node, segment].append((life.closed_on() - life.created_on).days)
    for key, cell in sums.items():
        kind, start, node, segment = key
        end = period_end(kind, start)
        cell["win_rate_close_n"] = share(cell["won_count"], cell["won_count"] + cell["lost_count"])
        cell["win_rate_close_v"] = share(cell["won_cents"], cell["won_cents"] + cell["lost_cents"])
        for age in AGES:
            young = end + timedelta(days=age) > as_of
            rate = None if young else share(cell[f"won_within_{age}d_n"], cell["created_n"])
            cell[f"won_within_{age}d_n"] = None if young else cell[f"won_within_{age}d_n"]
            cell[f"win_rate_created_{age}d"] = rate
        if cell["won_count"] + cell["lost_count"]:
            qualified = qualified_on(min(end, as_of), node, segment, lives, funnel, parents)
            cell |= velocity(cell, days[key], qualified)
    return sums


def count_creation(cell: dict[str, Any], life: Life, funnel: Funnel) -> None:
    """Count a deal where it was created."""
    if life.is_gone:
        cell["created_deleted_n"] += 1
    elif not life.is_dated:
        cell["created_undated_n"] += 1
    else:
        fate = {funnel.won: "won", funnel.lost: "lost"}.get(life.last.stage, "open")
        cell["created_n"] += 1
        cell[f"created_{fate}_n"] += 1
        for age in AGES:
            in_time = fate == "won" and (life.closed_on() - life.created_on).days <= age
            cell[f"won_within_{age}d_n"] += in_time


def count_closing(cell: dict[str, Any], life: Life, funnel: Funnel) -> None:
    """Count a deal where it closed."""
    fate = "won" if life.last.stage == funnel.won else "lost"
    cell[f"{fate}_count"] += 1
    cell[f"{fate}_cents"] += life.last.cents if life.has_amount else 0
    cell[f"{fate}_priced_n"] += life.has_amount


def qualified_on(
    day: date, node: str, segment: str, lives: Sequence[Life], funnel: Funnel, parents: Mapping[str, str]
) -> int:
    """Deals of a node and segment that stood open at the end of a day in a stage that a forecast does not leave out."""
    return sum(
        1
        for life in lives
        if segment in ("all", life.segment)
        and (state := state_on(life, day))
        and state.stage in funnel.open_stages
        and state.stage not in funnel.omitted
        and node in above(state.owner, parents)
    )


def velocity(cell: Mapping[str, Any], days: list[int], qualified: int) -> dict[str, Any]:
    """Qualified open deals × win rate × mean won amount ÷ median cycle days, with its factors."""
    ordered = sorted(days)
    half = len(ordered) // 2
    median = Fraction(ordered[half] + ordered[-half - 1], 2) if ordered else None
    mean = share(cell["won_cents"], 100 * cell["won_priced_n"])
    speed = qualified * cell["win_rate_close_n"] * mean / median if mean is not None and median and median > 0 else None
    return {"qualified_open_n": qualified, "mean": mean, "median": median, "cycle_n": len(days), "velocity": speed}


def state_on(life: Life, day: date) -> State | None:
    """The state in which a deal stood at the end of a day."""
    known = [state for state in life.states if state.on <= day]
    return known[-1] if known else None


def weights(lives: Sequence[Life], funnel: Funnel) -> dict[int, float]:
    """Each open stage's share won of the closed deals that were in it, as if 20 more had behaved like its prior."""
    found = {}
    for stage in funnel.open_stages:
        closed = [
            life.last.stage
            for life in lives
            if life.last.stage in (funnel.won, funnel.lost) and any(state.stage == stage for state in life.states)
        ]
        found[stage] = round((closed.count(funnel.won) + 20 * funnel.priors[stage]) / (len(closed) + 20), 6)
    return found


def open_pipeline(
    lives: Sequence[Life], funnel: Funnel, parents: Mapping[str, str], day: date
) -> dict[tuple[Any, ...], tuple[int, int, int]]:
    """Deals, cents and weighted cents open at the end of a day, by node, stage and month of the expected closing."""
    weight = weights(lives, funnel)
    found: dict[tuple[Any, ...], tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for life in lives:
        state = state_on(life, day)
        if state is None or state.stage not in funnel.open_stages:
            continue
        weighted = floor(state.cents * weight[state.stage] + 0.5)
        for node in above(state.owner, parents):
            key = (node, state.stage, state.close_month)
            n, cents, so_far = found[key]
            found[key] = (n + 1, cents + state.cents, so_far + weighted)
    return dict(found)


def share(part: Any, whole: Any) -> Fraction | None:
    """A rate, null without a denominator."""
    return Fraction(part) / Fraction(whole) if whole else None

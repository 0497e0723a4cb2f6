"""The waterfall, slippage and pushes of single deals, told day by day and node by node: slow, and apart from the SQL.

A deal is what was stated of it, in order. Every day's end is written out; every node of the organisation is looked
at by itself, asking only which deals were its own on the two days, so that transfers cancel because nobody looks at
them, and not because they are subtracted.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)
CLOSED = ("won", "lost")
Months = tuple[date, date] | None
"""First days of the first and last month in which a deal is to close; None for every deal."""


@dataclass(frozen=True)
class Said:
    """What was stated of a deal on a day: status (open, won, lost, gone), cents, expected close, owner's node."""

    on: date
    status: str
    cents: int
    close_on: date | None
    node: str


@dataclass
class Deal:
    """One deal, and all that was stated of it in order."""

    opportunity_id: str
    said: list[Said] = field(default_factory=list)

    def days(self, until: date) -> dict[date, Said]:
        """How it stood at the end of each day, a closing with its last known amount and the owner who closed."""
        ends: dict[date, Said] = {}
        day = self.said[0].on
        while day <= until:
            ends[day] = [one for one in self.said if one.on <= day][-1]
            day += ONE_DAY
        return self._settled(ends)

    def _settled(self, ends: dict[date, Said]) -> dict[date, Said]:
        run: list[date] = []
        for day in [*ends, None]:
            if run and (day is None or ends[day].status != ends[run[0]].status):
                first, last = ends[run[0]], ends[run[-1]]
                if first.status != "open":
                    for settled in run:
                        ends[settled] = Said(run[0], first.status, last.cents, first.close_on, first.node)
                run = []
            if day is not None:
                run.append(day)
        return ends


@dataclass
class Row:
    """What one node saw of one deal in a window; amounts in cents, ``change`` the rises and falls it saw."""

    joined_by: str | None = None
    left_by: str | None = None
    start: int = 0
    joined: int = 0
    changes: tuple[int, ...] = ()
    left: int = 0
    end: int = 0
    is_start: bool = False
    is_end: bool = False


def month(day: date | None) -> date | None:
    """First day of its month."""
    return day and day.replace(day=1)


def _within(day: date | None, months: Months) -> bool:
    if months is None:
        return True
    return day is not None and months[0] <= day.replace(day=1) <= months[1]


def seen(ends: Mapping[date, Said], opening: date, closing: date, months: Months, reps: frozenset[str]) -> Row | None:
    """What a node that holds ``reps`` saw of a deal between the ends of two days; None for nothing."""
    before, after = ends.get(opening), ends.get(closing)
    if after is None:
        return None
    was = before is not None and before.status == "open"
    was_in = before is not None and was and _within(before.close_on, months)
    is_in = after.status == "open" and _within(after.close_on, months)
    if not was_in and not is_in and not _closed_meanwhile(ends, before, after, opening, closing, months):
        return None
    mine_before = was_in and before is not None and before.node in reps
    mine_after = after.node in reps
    if not mine_before and not mine_after:
        return None
    moved = was_in and before is not None and before.node != after.node
    row = Row()
    if was_in and before is not None:
        handed = _handed(ends, after.node, opening, closing) if moved else after.cents
        first, second = handed - before.cents, after.cents - handed
        row.changes = ((first,) if mine_before else ()) + ((second,) if moved and mine_after else ())
        row.start, row.is_start = (before.cents, True) if mine_before else (0, False)
        if not mine_before:
            row.joined_by, row.joined = "transferred_in", handed
        if not mine_after:
            row.left_by, row.left = "transferred_out", handed
            return row
    else:
        row.joined = after.cents
        row.joined_by = "pulled_in" if was else "created" if before is None else "reopened"
    if is_in:
        row.end, row.is_end = after.cents, True
    else:
        row.left = after.cents
        row.left_by = {"gone": "deleted", "open": "pushed_out"}.get(after.status, after.status)
    return row


def _closed_meanwhile(
    ends: Mapping[date, Said], before: Said | None, after: Said, opening: date, closing: date, months: Months
) -> bool:
    """Whether it was closed within the window, and in scope by its last expectation or, won, by its day."""
    if after.status not in CLOSED or after.on <= opening:
        return False
    if before is not None and before.status in (after.status, "gone"):
        return False
    open_ends = [day for day in ends if day <= closing and ends[day].status == "open"]
    expected = ends[open_ends[-1]].close_on if open_ends else after.close_on
    return _within(expected, months) or (after.status == "won" and _within(after.on, months))


def _handed(ends: Mapping[date, Said], node: str, opening: date, closing: date) -> int:
    """What it was worth on the day from which the last owner had it, among days on which its owner counts."""
    day, value = closing, ends[closing].cents
    while day > opening and ends[day].node == node:
        value = ends[day].cents
        day -= ONE_DAY
    return value


def periods(as_of: date, fiscal_start: int) -> Iterator[tuple[str, date, date]]:
    """Kind, first and last day of the months, quarters and fiscal years that ended no longer than a year ago."""
    first_kept = date(as_of.year - 1, as_of.month, 1)
    for kind, length in (("month", 1), ("quarter", 3), ("year", 12)):
        for back in range(40):
            number = as_of.year * 12 + as_of.month - 1 - back
            start = date(number // 12, number % 12 + 1, 1)
            if (start.month - fiscal_start) % length:
                continue
            past = number + length
            end = date(past // 12, past % 12 + 1, 1) - ONE_DAY
            if end >= first_kept:
                yield kind, start, end


def cells(rows: Sequence[Row]) -> dict[str, int]:
    """The waterfall of one node: amounts by column, and numbers of deals as ``<column>_deals``."""
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found["start"] += row.start
        found["start_deals"] += row.is_start
        found["end"] += row.end
        found["end_deals"] += row.is_end
        if row.joined_by:
            found[row.joined_by] += row.joined
            found[f"{row.joined_by}_deals"] += 1
        if row.left_by:
            found[row.left_by] += row.left
            found[f"{row.left_by}_deals"] += 1
        for change in row.changes:
            name = "increase" if change > 0 else "decrease"
            found[name] += abs(change)
            found[f"{name}_deals"] += change != 0
    return {name: value for name, value in found.items() if value}


def pushes(said: Sequence[Said]) -> tuple[int, int, int | None]:
    """How often the expected close of an open deal moved to a later month, in how many months, and how far in all."""
    dated = [(one.on, one.close_on) for one in said if one.status == "open" and one.close_on]
    moves = zip(dated, dated[1:], strict=False)
    on = [day for (_, old), (day, new) in moves if (new.year, new.month) > (old.year, old.month)]
    months = {(day.year, day.month) for day in on}
    return len(on), len(months), (dated[-1][1] - dated[0][1]).days if dated else None


def slippage(ends: Mapping[date, Said], start: date, end: date, as_of: date) -> tuple[str, int, str] | None:
    """Owner and amount of a deal expected in the period on its fifth day, and slipped, undecided or decided since."""
    then = ends.get(start + 4 * ONE_DAY)
    if start + 4 * ONE_DAY > as_of or then is None or then.status != "open" or then.close_on is None:
        return None
    if not start <= then.close_on <= end:
        return None
    now = ends[min(end, as_of)]
    if now.status != "open":
        return then.node, then.cents, "decided"
    return then.node, then.cents, "slipped" if now.close_on and now.close_on > end else "undecided"

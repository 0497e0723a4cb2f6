"""Working time of the demo company: working days of China with adjusted weekends (调休), and moments within them."""

from dataclasses import dataclass
from datetime import date, timedelta

import holidays
import numpy as np
from numpy.typing import NDArray

DAY = 86_400
OPENS, OPEN_SECONDS = 9 * 3600, int(9.5 * 3600)
EPOCH = date(1970, 1, 1)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def epoch_day(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def month_start(day: date, months: int = 0) -> date:
    """First day of the month that lies ``months`` after that of ``day``."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def quarter_start(day: date) -> date:
    """First day of the calendar quarter of ``day``."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


@dataclass(frozen=True)
class WorkingTime:
    """The time axis of the simulation.

    A moment is a float ``w``: the number of working days passed since ``first``, its fraction the part of the working
    day from 09:00 to 18:30. Days off take no time, so that activity dips around Chinese New Year by itself.

    Attributes:
        first: First day of the data.
        last: Last night; nothing happens after it.
        working: Epoch days of all working days from ``first`` to the end of the year of ``last``.
    """

    first: date
    last: date
    working: Ints

    @classmethod
    def of_china(cls, first: date, last: date) -> "WorkingTime":
        """Working days of China from ``first`` on; weekends worked to make up for a bridge day are working days."""
        years = range(first.year, last.year + 1)
        closed = holidays.country_holidays("CN", years=years)
        days = [first + timedelta(days=n) for n in range((date(last.year, 12, 31) - first).days + 1)]
        adjusted = closed.weekend_workdays
        open_days = [day for day in days if day in adjusted or (day.weekday() < 5 and day not in closed)]
        return cls(first, last, np.array([epoch_day(day) for day in open_days], dtype=np.int64))

    def index(self, day: date) -> int:
        """Number of working days before ``day``."""
        return int(np.searchsorted(self.working, epoch_day(day), side="left"))

    @property
    def end(self) -> float:
        """The moment after which nothing is known: the end of the last night's day."""
        return float(self.index(self.last + timedelta(days=1)))

    def seconds(self, moment: Floats) -> Ints:
        """Local wall-clock seconds since 1970 of working moments."""
        whole = np.floor(moment).astype(np.int64)
        clock = OPENS + ((moment - whole) * OPEN_SECONDS).astype(np.int64)
        return self.working[np.clip(whole, 0, len(self.working) - 1)] * DAY + clock

    def day(self, moment: Floats) -> Ints:
        """Epoch day of working moments."""
        return self.working[np.clip(np.floor(moment).astype(np.int64), 0, len(self.working) - 1)]

    def elapsed(self, start: date, end: date, as_of: date) -> float:
        """Working days from ``start`` up to and including ``as_of`` over those up to ``end`` (exclusive)."""
        whole = self.index(end) - self.index(start)
        return (self.index(min(as_of + timedelta(days=1), end)) - self.index(start)) / whole

"""The fiscal calendar: which fiscal month, quarter, half and year a day is in.

Years are named by the calendar year in which they end. Months are calendar months, or spans of four and five weeks
(4-4-5 and its kin), whose years end on the last or the nearest given weekday of a month, as retail and manufacturing
count; such a year has 52 weeks or 53, and the extra week belongs to its last month.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

PeriodKind = Literal["month", "quarter", "half", "year"]
PERIOD_KINDS: tuple[PeriodKind, ...] = ("month", "quarter", "half", "year")
MONTHS_OF: dict[PeriodKind, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}
Pattern = Literal["months", "4-4-5", "4-5-4", "5-4-4"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Period:
    """A fiscal month, quarter, half or year; ``number`` counts from 1 within the year, both days are included."""

    start_on: date
    end_on: date
    kind: PeriodKind
    fiscal_year: int
    number: int

    @property
    def name(self) -> str:
        """As plans write it: year, H1, Q3, M07."""
        return {"month": f"M{self.number:02}", "quarter": f"Q{self.number}", "half": f"H{self.number}", "year": "year"}[
            self.kind
        ]

    @property
    def title(self) -> str:
        """As people call it where months are weeks: FY26, FY26 H1, FY26 Q3, FY26 P7."""
        year = f"FY{self.fiscal_year % 100:02}"
        return {
            "month": f"{year} P{self.number}",
            "quarter": f"{year} Q{self.number}",
            "half": f"{year} H{self.number}",
            "year": year,
        }[self.kind]


@dataclass(frozen=True)
class FiscalCalendar:
    """How a company counts its year.

    Attributes:
        start_month: month in which the year begins; with weeks, the month after the one around whose end it ends.
        pattern: ``months``, or the weeks of a quarter's three months.
        week_ends_on: weekday on which weeks, and with them the year, end.
        year_end: ``last``: on that weekday's last occurrence in the year's last month; ``nearest``: on the one nearest
            to that month's end.
    """

    start_month: int = 1
    pattern: Pattern = "months"
    week_ends_on: str = "saturday"
    year_end: Literal["last", "nearest"] = "nearest"

    def periods(self, fiscal_year: int, kind: PeriodKind) -> tuple[Period, ...]:
        """The periods of one kind of a fiscal year, in order."""
        months = self._months(fiscal_year)
        length = MONTHS_OF[kind]
        return tuple(
            Period(months[first][0], months[first + length - 1][1], kind, fiscal_year, first // length + 1)
            for first in range(0, 12, length)
        )

    def year_of(self, day: date) -> int:
        """The fiscal year that the day is in."""
        guess = day.year + (self.start_month > 1 and day.month >= self.start_month)
        return next(year for year in (guess, guess - 1, guess + 1) if self._holds(year, day))

    def period_of(self, day: date, kind: PeriodKind) -> Period:
        """The period of one kind that the day is in."""
        return next(period for period in self.periods(self.year_of(day), kind) if day <= period.end_on)

    def month_number(self, month: Period) -> int:
        """A number that counts months on over the years, of the calendar month that it is or stands for.

        It is twelve times the year, plus the month less one.
        """
        year = month.fiscal_year - (self.start_month > 1)
        return year * 12 + self.start_month - 1 + month.number - 1

    def named(self, fiscal_year: int, name: str) -> Period | None:
        """The period that a plan calls ``name`` (year, H1, Q3, M07 or P7, or the calendar month 2026-07)."""
        for kind in PERIOD_KINDS:
            for period in self.periods(fiscal_year, kind):
                is_month = kind == "month" and self.pattern == "months" and f"{period.start_on:%Y-%m}" == name
                is_numbered = kind == "month" and name in (f"P{period.number}", f"P{period.number:02}")
                if period.name == name or is_month or is_numbered:
                    return period
        return None

    def label(self, period: Period) -> str:
        """What a column of the period is headed by: M07 as plans write it, FY26 P7 where months are weeks."""
        return period.name if self.pattern == "months" else period.title

    def _holds(self, fiscal_year: int, day: date) -> bool:
        months = self._months(fiscal_year)
        return months[0][0] <= day <= months[-1][1]

    def _months(self, fiscal_year: int) -> list[tuple[date, date]]:
        if self.pattern == "months":
            first_year = fiscal_year - (self.start_month > 1)
            starts = [_month(first_year, self.start_month + number) for number in range(13)]
            return [(start, following - _DAY) for start, following in zip(starts, starts[1:], strict=False)]
        start, end = self._year_end(fiscal_year - 1) + _DAY, self._year_end(fiscal_year)
        starts = [start]
        for weeks in self._weeks * 4:
            starts.append(starts[-1] + weeks * _WEEK)
        # Of a year of 53 weeks the last month takes the extra one.
        starts[-1] = end + _DAY
        return [(first, following - _DAY) for first, following in zip(starts, starts[1:], strict=False)]

    @cached_property
    def _weeks(self) -> tuple[int, ...]:
        return tuple(int(weeks) for weeks in self.pattern.split("-"))

    def _year_end(self, fiscal_year: int) -> date:
        """Last day of a year of weeks: by the end of the month before ``start_month``."""
        month = _month(fiscal_year, self.start_month - 1 if self.start_month > 1 else 12)
        last = month.replace(day=monthrange(month.year, month.month)[1])
        back = (last.weekday() - WEEKDAYS.index(self.week_ends_on)) % 7
        if self.year_end == "nearest" and back > 7 // 2:
            back -= 7
        return last - timedelta(days=back)


def _month(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)

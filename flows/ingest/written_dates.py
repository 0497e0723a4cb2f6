"""Dates as people write them in sheets, where each row may be written in another way.

Only what has one meaning is read:

* year first, in any of the usual marks: 2024-5-20, 2024/5/20, 2024.5.20, 20240520, 2024年5月20日, also with a time;
* the month as a word: 20-May-2024, May 20, 2024;
* a year and a month, 2024年5月 or 2024-05. **A month stands for its last day where the column is a deadline, and for
  its first day everywhere else**: who expects to close in May has until the end of May, who began in May began on the
  1st. These are counted, file by file;
* the serial number of a spreadsheet (45432), in a column of dates, between 1990 and 2100. They are counted too.

Never guessed are the order of day and month (03/04/2024) and the century of a year of two digits (24年5月20日).
"""

from dataclasses import dataclass

import polars as pl

from schemas.base import DATE_MAX, DATE_MIN

MOMENT = pl.Datetime("us")
MONTH_ONLY, SERIAL = "month_only", "serial_number"
AMBIGUOUS, TWO_DIGIT_YEAR = "ambiguous_date", "two_digit_year"

_SECOND = r"(?:[:分](?<second>[0-9]{1,2})(?:\.[0-9]+)?)?[秒分]?"
_TIME = rf"(?:(?:T|\s+)(?<hour>[0-9]{{1,2}})[:时點点](?<minute>[0-9]{{1,2}}){_SECOND})?"
_YEAR_FIRST = (
    rf"^(?<year>[0-9]{{4}})\s*[-/.年]\s*(?<month>[0-9]{{1,2}})\s*[-/.月]\s*(?<day>[0-9]{{1,2}})\s*[日号號]?\s*{_TIME}$"
)
_COMPACT = rf"^(?<year>[0-9]{{4}})(?<month>[0-9]{{2}})(?<day>[0-9]{{2}})\s*{_TIME}$"
_MONTH = r"^(?<year>[0-9]{4})\s*[-/年]\s*(?<month>[0-9]{1,2})\s*月?份?$"
_WORDED = ("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")
_SERIAL = r"^[0-9]{5}(?:\.[0-9]+)?$"
_LAST_SERIAL = 2_958_465
_EPOCH = {False: pl.datetime(1899, 12, 30), True: pl.datetime(1904, 1, 1)}
_MICROSECONDS = 86_400_000_000

_AMBIGUOUS = r"^[0-9]{1,2}\s*[-/.]\s*[0-9]{1,2}\s*[-/.]\s*[0-9]{4}(?:\s.*)?$"
_TWO_DIGITS = (
    r"^(?:[0-9]{2}\s*年\s*[0-9]{1,2}\s*月(?:.*)|[0-9]{1,2}\s*[-/.]\s*[0-9]{1,2}\s*[-/.]\s*[0-9]{1,2}(?:\s.*)?)$"
)


@dataclass(frozen=True)
class Sheet:
    """What has to be known of a column to read its dates.

    Attributes:
        deadline: whether a mere month means its last day.
        date_1904: whether the workbook counts its days from 1904.
    """

    deadline: bool = False
    date_1904: bool = False


def read_written(text: pl.Series, sheet: Sheet) -> tuple[pl.Series, dict[str, pl.Series]]:
    """Moments without zone, null where nothing was read; and by notice the rows it is about."""
    folded = folded_text(text)
    values = _moments(folded, _YEAR_FIRST)
    values = _fill(values, _moments(folded, _COMPACT))
    for format_ in _WORDED:
        if values.null_count() == text.null_count():
            break
        values = _fill(values, folded.str.strptime(pl.Date, format_, strict=False).cast(MOMENT))
    months = _months(folded, sheet)
    serials = _serials(folded, sheet)
    notices = {
        MONTH_ONLY: values.is_null() & months.is_not_null(),
        SERIAL: values.is_null() & serials.is_not_null(),
    }
    return _fill(_fill(values, months), serials), notices


def unclear(text: pl.Series) -> dict[str, pl.Series]:
    """By reason, the rows whose date would have to be guessed."""
    folded = folded_text(text)
    ambiguous = folded.str.contains(_AMBIGUOUS).fill_null(value=False)
    return {
        AMBIGUOUS: ambiguous,
        TWO_DIGIT_YEAR: folded.str.contains(_TWO_DIGITS).fill_null(value=False) & ~ambiguous,
    }


def folded_text(text: pl.Series) -> pl.Series:
    """Full-width characters as their common forms, without space at either end."""
    return text.str.normalize("NFKC").str.strip_chars()


def _moments(text: pl.Series, pattern: str) -> pl.Series:
    """Moments by the groups of a pattern; those that no calendar has (31 February) are null."""
    parts = text.str.extract_groups(pattern).struct.unnest().with_columns(pl.all().fill_null("0"))
    iso = parts.select(
        pl.when(pl.col("year") != "0").then(
            pl.format("{}-{}-{} {}:{}:{}", "year", "month", "day", "hour", "minute", "second")
        )
    ).to_series()
    return iso.str.strptime(MOMENT, "%Y-%m-%d %H:%M:%S", strict=False)


def _months(text: pl.Series, sheet: Sheet) -> pl.Series:
    parts = text.str.extract_groups(_MONTH).struct.unnest()
    first = parts.select(pl.format("{}-{}-1", "year", "month")).to_series()
    days = first.str.strptime(pl.Date, "%Y-%m-%d", strict=False)
    return (days.dt.month_end() if sheet.deadline else days).cast(MOMENT)


def _serials(text: pl.Series, sheet: Sheet) -> pl.Series:
    """Serial numbers that stand for a day between 1990 and 2100; others are slips or no dates at all."""
    days = text.set(~text.str.contains(_SERIAL).fill_null(value=False), None).cast(pl.Float64)
    days = days.set((days > _LAST_SERIAL).fill_null(value=False), None)
    microseconds = (days * _MICROSECONDS).round(0).cast(pl.Int64)
    moments = pl.select(_EPOCH[sheet.date_1904] + pl.lit(microseconds).cast(pl.Duration("us"))).to_series().cast(MOMENT)
    possible = moments.dt.date().is_between(DATE_MIN, DATE_MAX).fill_null(value=False)
    return moments.set(~possible, None)


def _fill(values: pl.Series, others: pl.Series) -> pl.Series:
    return values.zip_with(values.is_not_null(), others)

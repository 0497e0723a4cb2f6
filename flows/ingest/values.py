"""Reading one column of raw values as text, a boolean, a date or a moment: vectorised, and without guessing.

Every function takes a raw series, text or already typed, and gives the values and the faults: what could not be read is
null and marked with a reason code. Numbers have a module of their own, ``amounts``, and so have dates as people write
them in sheets, ``written_dates``.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from flows.ingest.headers import simplified
from flows.ingest.written_dates import Sheet, read_written, unclear

UTC = "UTC"
YEAR_ONE_THOUSAND = 1000
_ROUNDED_NUMBER = r"^-?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2,}$"
_DAY_OR_MONTH_FIRST = ("%d", "%m", "%b", "%B", "%e", "%-d", "%-m")


@dataclass(frozen=True)
class Parsed:
    """A column that was read.

    Attributes:
        values: what was read; null where there is nothing or it could not be read.
        faults: by reason code the rows (a mask) that could not be read.
        notices: by code the rows that were read by a rule that people should know of.
    """

    values: pl.Series
    faults: dict[str, pl.Series] = field(default_factory=dict)
    notices: dict[str, pl.Series] = field(default_factory=dict)


def as_text(raw: pl.Series, nulls: Sequence[str] = ()) -> pl.Series:
    """Trimmed text; empty text and the null tokens become null. Whole floats are written without a decimal point."""
    if raw.dtype.is_float():
        whole = raw.is_finite() & (raw == raw.round(0)) & (raw.abs() < 2**53)
        text = raw.cast(pl.String)
        if whole.any():
            integers = raw.set(~whole.fill_null(value=False), None).cast(pl.Int64).cast(pl.String)
            text = _where(whole, integers, text)
    elif raw.dtype == pl.Datetime:
        text = raw.dt.strftime("%Y-%m-%d %H:%M:%S")
    elif raw.dtype == pl.Boolean:
        text = raw.cast(pl.String)
    elif raw.dtype.is_nested():
        text = raw.to_frame("nested").select(pl.struct("nested").struct.json_encode()).to_series()
    elif raw.dtype in (pl.String, pl.Null, pl.Categorical) or raw.dtype.is_numeric() or raw.dtype.is_temporal():
        text = raw.cast(pl.String)
    else:
        text = raw.cast(pl.String, strict=False)
    text = text.str.strip_chars()
    empty = text.is_in(["", *nulls])
    return text.set(empty, None) if empty.any() else text


def mapped(text: pl.Series, mapping: Mapping[str, str], *, keep_unmapped: bool = False) -> Parsed:
    """Values looked up as written, then without regard to case, width, spaces and traditional characters.

    Fault ``unknown_value`` where neither matches.
    """
    found = text.replace_strict(list(mapping), list(mapping.values()), default=None, return_dtype=pl.String)
    missing = _unread(text, found)
    if missing.any():
        meant = _folded_lookup(mapping)
        rest = text.filter(missing)
        distinct = rest.unique()
        second = [meant.get(folded(word)) for word in distinct]
        found = found.scatter(
            missing.arg_true(), rest.replace_strict(distinct, pl.Series(second, dtype=pl.String), default=None)
        )
        missing = _unread(text, found)
    if keep_unmapped:
        return Parsed(_where(missing, text, found))
    empty = found == ""
    return Parsed(found.set(empty, None) if empty.any() else found, {"unknown_value": missing})


def _folded_lookup(mapping: Mapping[str, str]) -> dict[str, str]:
    """The mapping by folded spelling, without spellings that would then mean two things."""
    meant: dict[str, set[str]] = {}
    for key, value in mapping.items():
        meant.setdefault(folded(key), set()).add(value)
    return {key: values.pop() for key, values in meant.items() if len(values) == 1}


def folded(key: str) -> str:
    """A word as words of lists are compared: without regard to width, case, spaces and traditional characters."""
    return "".join(simplified(unicodedata.normalize("NFKC", key)).split()).casefold()


def identifiers(text: pl.Series) -> Parsed:
    """Ids as written. ``lost_digits`` where a spreadsheet has rounded one: 1.23457E+17 stands for many ids."""
    lost = text.str.contains(_ROUNDED_NUMBER).fill_null(value=False)
    return Parsed(text.set(lost, None) if lost.any() else text, {"lost_digits": lost})


def booleans(raw: pl.Series, true: Sequence[str], false: Sequence[str], nulls: Sequence[str]) -> Parsed:
    """True or false by the configured spellings."""
    if raw.dtype == pl.Boolean:
        return Parsed(raw)
    spelling = dict.fromkeys(true, "true") | dict.fromkeys(false, "false")
    text = as_text(raw, nulls)
    words = mapped(text, spelling)
    return Parsed(words.values == "true", {"not_a_boolean": words.faults["unknown_value"]})


def dates(
    raw: pl.Series, formats: Sequence[str], zone: str, nulls: Sequence[str], sheet: Sheet | None = None
) -> Parsed:
    """Business dates. A moment with a zone gives its date in ``zone``; one without is taken as it stands.

    ``sheet`` says that people write here: what no format reads is then read by the rules of ``written_dates``.
    Faults: ``not_a_date``, ``ambiguous_date``, ``two_digit_year``.
    """
    if raw.dtype == pl.Date:
        return Parsed(raw)
    if raw.dtype == pl.Datetime:
        local = raw.dt.convert_time_zone(zone) if raw.dtype.time_zone else raw  # type: ignore[attr-defined]
        return Parsed(local.dt.date())
    text = as_text(raw, nulls)
    zoned = _zoned(formats)
    values = _by_formats(text, [format_ for format_ in formats if format_ not in zoned], pl.Date())
    missing = _unread(text, values)
    if zoned and missing.any():
        absolute = _by_formats(text.filter(missing), zoned, pl.Datetime("us", UTC))
        values = values.scatter(missing.arg_true(), absolute.dt.convert_time_zone(zone).dt.date())
    values, notices = _as_written(text, values, sheet)
    return Parsed(values, _date_faults(text, values, formats, "not_a_date"), notices)


def moments(
    raw: pl.Series, formats: Sequence[str], zone: str, nulls: Sequence[str], sheet: Sheet | None = None
) -> Parsed:
    """Moments as naive UTC. What has no zone of its own is local time of ``zone``; a mere date is its midnight.

    ``sheet`` and the faults are as for ``dates``, with ``not_a_moment``.
    """
    if raw.dtype == pl.Date:
        return Parsed(local_to_utc(raw.cast(pl.Datetime("us")), zone))
    if raw.dtype == pl.Datetime:
        micro = raw.dt.cast_time_unit("us")
        if raw.dtype.time_zone:  # type: ignore[attr-defined]
            return Parsed(micro.dt.convert_time_zone(UTC).dt.replace_time_zone(None))
        return Parsed(local_to_utc(micro, zone))
    text = as_text(raw, nulls)
    zoned = _zoned(formats)
    local = _by_formats(text, [format_ for format_ in formats if format_ not in zoned], pl.Datetime("us"))
    values = local_to_utc(local, zone)
    missing = _unread(text, values)
    if zoned and missing.any():
        absolute = _by_formats(text.filter(missing), zoned, pl.Datetime("us", UTC)).dt.replace_time_zone(None)
        values = values.scatter(missing.arg_true(), absolute)
    values, notices = _as_written(text, values, sheet, zone)
    return Parsed(values, _date_faults(text, values, formats, "not_a_moment"), notices)


def _zoned(formats: Sequence[str]) -> list[str]:
    """Those formats that tell a zone."""
    return [format_ for format_ in formats if "%z" in format_ or "%#z" in format_ or "%:z" in format_]


def _as_written(
    text: pl.Series, values: pl.Series, sheet: Sheet | None, zone: str = UTC
) -> tuple[pl.Series, dict[str, pl.Series]]:
    """What no format could read, read as people write it in sheets."""
    missing = _unread(text, values)
    if sheet is None or not missing.any():
        return values, {}
    at = missing.arg_true()
    read, notices = read_written(text.filter(missing), sheet)
    read = read.dt.date() if values.dtype == pl.Date else local_to_utc(read, zone)
    none = pl.repeat(value=False, n=len(text), eager=True)
    marked = {code: none.clone().scatter(at, rows) for code, rows in notices.items() if rows.any()}
    return values.scatter(at, read), marked


def _date_faults(text: pl.Series, values: pl.Series, formats: Sequence[str], reason: str) -> dict[str, pl.Series]:
    """What was not read by reason; where a format tells the order of day and month, no date is ambiguous."""
    missing = _unread(text, values)
    if not missing.any() or any(format_.startswith(_DAY_OR_MONTH_FIRST) for format_ in formats):
        return {reason: missing}
    none = pl.repeat(value=False, n=len(text), eager=True)
    faults = {
        code: none.clone().scatter(missing.arg_true(), rows) for code, rows in unclear(text.filter(missing)).items()
    }
    for rows in faults.values():
        missing = missing & ~rows
    return {reason: missing, **faults}


def local_to_utc(local: pl.Series, zone: str) -> pl.Series:
    """Naive local moments as naive UTC; an hour that occurs twice is its first, a skipped one counts from its end."""
    if zone == UTC:
        return local
    there = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    skipped = _unread(local, there)
    if skipped.any():
        later = local.filter(skipped).dt.offset_by("1h")
        later = later.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        there = there.scatter(skipped.arg_true(), later)
    return there.dt.convert_time_zone(UTC).dt.replace_time_zone(None)


def utc_to_business_date(moment: pl.Series, zone: str) -> pl.Series:
    """The date that naive UTC moments have in ``zone``."""
    return moment.dt.replace_time_zone(UTC).dt.convert_time_zone(zone).dt.date()


def strptime_format(format_: str) -> str:
    """A Python date format in the dialect of polars: ``.%f`` takes the point along, ``%z`` takes ``Z`` too."""
    return format_.replace(".%f", "%.f").replace("%z", "%#z")


def _by_formats(text: pl.Series, formats: Sequence[str], dtype: pl.Date | pl.Datetime) -> pl.Series:
    """Each value by the first format that reads it; then the rest once more with full-width characters folded."""
    values = pl.repeat(None, len(text), dtype=dtype, eager=True).alias(text.name)
    for fold_width in (False, True):
        for format_ in formats:
            missing = _unread(text, values)
            if not missing.any():
                return values
            whole = bool(missing.all())
            rest = text if whole else text.filter(missing)
            rest = rest.str.normalize("NFKC").str.strip_chars() if fold_width else rest
            read = rest.str.strptime(dtype, strptime_format(format_), strict=False)
            # "%Y" also reads a year of two digits, as one of the first century; another format may mean it.
            read = read.set((read.dt.year() < YEAR_ONE_THOUSAND).fill_null(value=False), None)
            values = read if whole else values.scatter(missing.arg_true(), read)
    return values


def _unread(text: pl.Series, values: pl.Series) -> pl.Series:
    return text.is_not_null() & values.is_null()


def _where(mask: pl.Series, yes: pl.Series, no: pl.Series) -> pl.Series:
    return yes.zip_with(mask.fill_null(value=False), no)

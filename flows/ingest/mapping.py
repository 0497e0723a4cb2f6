"""From the columns of an export to the columns of a canonical entity, by configuration.

A mapping is compiled once a source and applied to each batch: every canonical column is computed whole, from text or
from columns that are typed already, and what could not be read is reported by row, column, value and reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl

from flows.config.sources import Column, Source
from flows.errors import ConfigError
from flows.ingest.amounts import NumberFormat, decimals, floats, integers
from flows.ingest.buying_elements import buying_element_words, read_buying_elements
from flows.ingest.payment_terms import shares_not_whole
from flows.ingest.readers.batch import ROW, header_name
from flows.ingest.sheet_rules import (
    SheetRules,
    digests,
    is_deadline,
    names_other_currency,
    no_date_words,
    typed_ids,
    with_unit,
)
from flows.ingest.values import (
    Parsed,
    as_text,
    booleans,
    dates,
    identifiers,
    local_to_utc,
    mapped,
    moments,
    strptime_format,
    utc_to_business_date,
)
from flows.ingest.written_dates import Sheet
from schemas.base import Entity

# A spreadsheet column that mixes dates and words arrives as text with its dates in ISO form.
_ISO_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
DELETED = "_deleted"
"""Column of accepted rows of a delta: whether the record is gone. Of such a row only the key has to be readable."""
WORKBOOKS = ("xlsx", "xls")
FAILURES = {ROW: pl.Int64, "column": pl.String, "value": pl.String, "reason_code": pl.String, "expected": pl.String}
_MONEY = ("amount", "cost", "paid_amount", "list_price", "unit_price", "budget")
_LOST_AS_NUMBERS = ("contact_details", "phone")
_EXAMPLE = datetime(2024, 5, 20, 9, 30, tzinfo=UTC)
_EXAMPLES_SHOWN, _WORDS_SHOWN = 3, 8
_DATE_REASONS = ("not_a_date", "not_a_moment")


@dataclass(frozen=True)
class Mapped:
    """A batch after mapping.

    Attributes:
        frame: the entity's columns in order, then ``ROW``; a cell that could not be read is null.
        failures: ``ROW``, ``column`` (of the source), ``value`` (as written), ``reason_code``, ``expected`` (examples
            of what can be read, or null).
        deleted: which rows say that their record is gone; None where the source has no such column.
        notices: by source column and code, the rows that were read by a rule that people should know of.
    """

    frame: pl.DataFrame
    failures: pl.DataFrame
    deleted: pl.Series | None = None
    notices: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnMapping:
    """How the columns of ``source`` fill those of ``entity``.

    Args:
        source: the configured source.
        entity: the canonical entity.
        stages: stage key by every spelling of it.
        time_zone: the company's zone, in which business dates are told.
        file_format: format of the files it is applied to.
        rules: what holds beside the mapping, for a sheet that was recognised by its header.
    """

    source: Source
    entity: type[Entity]
    stages: Mapping[str, str]
    time_zone: str
    file_format: str = "csv"
    rules: SheetRules | None = None

    def __post_init__(self) -> None:
        """Check the configuration against the entity; a template that was not recognised maps nothing."""
        if self.source.template and not self.rules:
            return
        faults = list(self._faults())
        if faults:
            raise ConfigError(faults)

    @cached_property
    def source_columns(self) -> tuple[str, ...]:
        """Names of the source columns that are read, as headers are compared."""
        return tuple(dict.fromkeys(name for column in self._columns.values() for name in _origins(column)))

    @cached_property
    def dtypes(self) -> dict[str, pl.DataType]:
        """Types of the entity's columns."""
        return self.entity.dtypes()

    def unknown(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Those columns of a file that are neither mapped nor ignored."""
        known = {*self.source_columns, *(header_name(name) for name in self.source.ignore)}
        return tuple(name for name in columns if name not in known)

    def missing(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Mapped columns that a file lacks."""
        return tuple(name for name in self.source_columns if name not in columns)

    def origin(self, canonical: str) -> str | None:
        """The source's name for what fills a canonical column; None for constants and columns nothing fills."""
        column = self.origin_column(canonical)
        return " + ".join(_origins(column)) or None if column else None

    def origin_column(self, canonical: str) -> Column | None:
        """The configured column that fills a canonical one, itself or through the moment or date it belongs to."""
        if canonical == DELETED:
            return self.source.deleted
        return self.source.columns.get(canonical) or self.source.columns.get(self._moment_or_date(canonical))

    def apply(self, raw: pl.DataFrame, *, date_1904: bool = False) -> Mapped:
        """Map one batch of raw columns (with ``ROW``); ``date_1904`` says how its workbook counts days."""
        filled: dict[str, pl.Series] = {}
        failures: list[pl.DataFrame] = []
        notices: dict[tuple[str, str], int] = {}
        for name, column in self._columns.items():
            parsed = self._parse(raw, name, column, date_1904)
            filled[name] = parsed.values
            failures.extend(self._report(raw, name, column, parsed))
            for code, rows in parsed.notices.items():
                notices[self.origin(name) or name, code] = int(rows.sum())
        for name, reason, rows in self._across(raw, filled):
            failures.extend(self._report(raw, name, self._columns[name], Parsed(filled[name], {reason: rows})))
        deleted = filled.pop(DELETED).fill_null(False) if DELETED in filled else None
        self._derive(filled)
        series = [
            filled[name].alias(name)
            if name in filled
            else pl.repeat(None, raw.height, dtype=dtype, eager=True).alias(name)
            for name, dtype in self.dtypes.items()
        ]
        frame = pl.DataFrame([*series, raw[ROW]]).with_columns(pl.col(name).fill_null("") for name in self._text_keys)
        found = pl.concat(failures) if failures else pl.DataFrame(schema=FAILURES)
        return Mapped(frame, found, deleted, notices)

    @cached_property
    def _columns(self) -> dict[str, Column]:
        """What is filled, and how: canonical columns, and whether a record is gone."""
        deleted = {DELETED: self.source.deleted} if self.source.deleted else {}
        return {**self.source.columns, **deleted}

    def _across(self, raw: pl.DataFrame, filled: Mapping[str, pl.Series]) -> Iterator[tuple[str, str, pl.Series]]:
        """Faults that only show beside another column, or because this sheet has to fill one: column, reason, rows."""
        for name in self.rules.required if self.rules else ():
            if name in filled:
                yield name, "required", filled[name].is_null()
        currency = self.source.columns.get("currency")
        amount = self.source.columns.get("amount")
        if amount and currency and currency.value is not None and amount.from_ is not None:
            cells = raw[header_name(amount.from_)]
            if cells.dtype == pl.String:
                yield "amount", "other_currency", names_other_currency(cells, filled["currency"])

    @cached_property
    def _text_keys(self) -> tuple[str, ...]:
        """Key columns that may be left open; they are stored as empty text, since a key is never null."""
        columns = self.entity.columns()
        return tuple(name for name in self.entity.key() if columns[name].nullable and self.dtypes[name] == pl.String)

    def _parse(self, raw: pl.DataFrame, name: str, column: Column, date_1904: bool) -> Parsed:
        if column.value is not None:
            constant = self._typed(pl.Series([column.value]), name, column).values
            return Parsed(constant.new_from_index(0, raw.height))
        nulls = self.source.nulls
        origins = _origins(column)
        series = raw[origins[0]]
        if column.concat is not None:
            parts = pl.DataFrame([as_text(raw[origin], nulls).alias(str(at)) for at, origin in enumerate(origins)])
            if column.digest:
                return Parsed(digests(parts))
            series = parts.select(pl.concat_str(pl.all(), separator=column.separator)).to_series()
        if column.map is None:
            return self._typed(series, name, column, date_1904)
        words = mapped(as_text(series, nulls), self._lookup(column), keep_unmapped=column.unmapped == "keep")
        typed = self._typed(words.values, name, column)
        return Parsed(typed.values, {**typed.faults, **words.faults})

    def _lookup(self, column: Column) -> Mapping[str, str]:
        return self.stages if column.map == "stages" else column.map or {}

    def _typed(self, series: pl.Series, name: str, column: Column, date_1904: bool = False) -> Parsed:
        """The series as the type of canonical column ``name``."""
        source, dtype = self.source, pl.Boolean() if name == DELETED else self.dtypes[name]
        written = NumberFormat(source.decimal, source.thousands, column.unit)
        sheet = Sheet(is_deadline(name), date_1904) if self._is_sheet else None
        if dtype == pl.Date:
            nulls = (*source.nulls, *(no_date_words(series) if self.rules else ()))
            return dates(series, self._formats(column, source.dates), self.time_zone, nulls, sheet)
        if dtype == pl.Datetime:
            zone = column.time_zone or source.time_zone or self.time_zone
            return moments(series, self._formats(column, source.moments), zone, source.nulls, sheet)
        if isinstance(dtype, pl.Decimal):
            return self._amount(series, decimals(series, written, source.nulls, scale=dtype.scale), name)
        if dtype == pl.Int64:
            return integers(series, written, source.nulls)
        if dtype == pl.Float64:
            return floats(series, written, source.nulls)
        if dtype == pl.Boolean:
            return booleans(series, source.booleans.true, source.booleans.false, source.nulls)
        return self._text(as_text(series, source.nulls), name)

    def _text(self, text: pl.Series, name: str) -> Parsed:
        if self.rules and name.endswith("_id"):
            text = typed_ids(text)
        if name.endswith("_id") or name in _LOST_AS_NUMBERS:
            return identifiers(text)
        if name == "buying_elements":
            return read_buying_elements(text)
        if name == "payment_terms":
            return Parsed(text, {"shares_not_100": shares_not_whole(text)})
        return Parsed(with_unit(text, self.rules.units.get(name)) if self.rules else text)

    def _amount(self, series: pl.Series, parsed: Parsed, name: str) -> Parsed:
        if series.dtype == pl.String and name in _MONEY:
            # 85% of what? Only of a target may a share be what is meant.
            shares = series.str.contains("[%％]").fill_null(value=False)  # noqa: RUF001 (full-width)
            parsed = Parsed(
                parsed.values.set(shares, None),
                {**parsed.faults, "not_a_number": parsed.faults["not_a_number"] | shares},
                parsed.notices,
            )
        if self.rules is None or self.rules.unit_not_stated != name:
            return parsed
        return Parsed(parsed.values, parsed.faults, {"unit_not_stated": parsed.values.is_not_null()})

    @property
    def _is_sheet(self) -> bool:
        """Whether people write here, and a date may be written in any way."""
        return self.rules is not None or self.file_format in WORKBOOKS

    def _formats(self, column: Column, defaults: Sequence[str]) -> tuple[str, ...]:
        formats = column.formats or tuple(defaults)
        return tuple(dict.fromkeys((*formats, *_ISO_DATES))) if self.file_format in WORKBOOKS else formats

    def _expected(self, name: str, column: Column, reason: str) -> str | None:
        """Examples of what can be read in a column, where that helps to mend what cannot."""
        if reason in _DATE_REASONS:
            formats = self._formats(column, self.source.dates if reason == "not_a_date" else self.source.moments)
            return ", ".join(_EXAMPLE.strftime(format_) for format_ in formats[:_EXAMPLES_SHOWN])
        if reason == "unknown_value":
            words = list(self._lookup(column) or (buying_element_words() if name == "buying_elements" else ()))
            return ", ".join(words[:_WORDS_SHOWN]) + (", …" if len(words) > _WORDS_SHOWN else "")
        return None

    def _derive(self, filled: dict[str, pl.Series]) -> None:
        """Business dates from their moments; a moment of which only the date is kept is local midnight."""
        for on, at in self.entity.derived().items():
            if at in filled:
                filled[on] = utc_to_business_date(filled[at], self.time_zone)
            elif on in filled:
                filled[at] = local_to_utc(filled[on].cast(pl.Datetime("us")), self.time_zone)

    def _report(self, raw: pl.DataFrame, name: str, column: Column, parsed: Parsed) -> Iterator[pl.DataFrame]:
        for reason, rows in parsed.faults.items():
            if rows.any():
                faulty = raw.filter(rows)
                yield faulty.select(
                    pl.col(ROW),
                    pl.lit(" + ".join(_origins(column)) or None, dtype=pl.String).alias("column"),
                    written(faulty, column).alias("value"),
                    pl.lit(reason).alias("reason_code"),
                    pl.lit(self._expected(name, column, reason), dtype=pl.String).alias("expected"),
                )

    def _moment_or_date(self, canonical: str) -> str:
        """The other half of a moment and its business date."""
        derived = self.entity.derived()
        return derived.get(canonical) or next((on for on, at in derived.items() if at == canonical), canonical)

    def _faults(self) -> Iterator[str]:
        """What in the configuration cannot work, told before a file is read."""
        where = f"sources.yaml, source {self.source.name}"
        columns, derived = self.entity.columns(), self.entity.derived()
        given = self.source.columns
        for name, column in given.items():
            if name not in columns:
                yield f"{where}: {self.source.entity} has no column {name}; it has {', '.join(columns)}."
            elif name in derived and derived[name] in given:
                yield f"{where}: {name} follows from {derived[name]}; map only one of them."
            else:
                yield from (f"{where}, column {name}: {fault}" for fault in self._column_faults(name, column))
        for name, declared in columns.items():
            if not declared.nullable and name not in given and self._moment_or_date(name) not in given:
                yield f"{where}: {self.source.entity} needs {name}; say which column fills it."

    def _column_faults(self, name: str, column: Column) -> Iterator[str]:
        if column.time_zone is not None:
            try:
                ZoneInfo(column.time_zone)
            except (KeyError, ValueError):
                yield f"{column.time_zone!r} is no time zone; write one such as Asia/Shanghai."
                return
        for format_ in self._formats(column, ()):
            if not _is_format(format_):
                yield f"{format_!r} is no date format; write one such as %d/%m/%Y."
                return
        if column.value is not None:
            parsed = self._typed(pl.Series([column.value]), name, column)
            if any(rows.any() for rows in parsed.faults.values()):
                yield f"the constant {column.value!r} is no {self.dtypes[name]}."


def _is_format(format_: str) -> bool:
    try:
        pl.Series(["2024"]).str.strptime(pl.Datetime("us"), strptime_format(format_), strict=False)
    except pl.exceptions.PolarsError:
        return False
    return "%" in format_


def written(raw: pl.DataFrame, column: Column) -> pl.Series:
    """The cells that a column is made from, as a person would read them; null where all of them are empty."""
    origins = _origins(column)
    if not origins:
        return pl.repeat(column.value, raw.height, dtype=pl.String, eager=True)
    parts = [as_text(raw[origin]).alias(str(at)) for at, origin in enumerate(origins)]
    joined = pl.concat_str(pl.all().fill_null(""), separator=column.separator)
    stated = pl.any_horizontal(pl.all().is_not_null())
    return pl.DataFrame(parts).select(pl.when(stated).then(joined).alias("written")).to_series()


def _origins(column: Column) -> tuple[str, ...]:
    return tuple(header_name(name) for name in column.source_columns)

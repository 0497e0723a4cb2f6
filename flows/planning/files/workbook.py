"""A plan as a workbook that a company can hold, fill in and give back: one sheet a section, in its language."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from flows.config.plan.model import Goal, Plan, Seasonality, Target, Version
from flows.config.settings import Language
from flows.errors import PermanentError
from flows.history.durable import replace_file
from flows.planning.files.sheets import (
    CHECK,
    FLAGS,
    GOALS,
    NAMED,
    NONE,
    PINS_BY_MONTH,
    PLAN,
    SEASONALITY,
    SECTIONS,
    VERSIONS,
    Sheet,
    entry_model,
)
from flows.planning.files.sheets import SHEETS as ALL_SHEETS
from flows.planning.files.words import said, words_of

if TYPE_CHECKING:
    import xlsxwriter

_LONGEST = 32_767
_DIGITS = 15
"""Significant digits of a number in a cell; one with more is written as text."""
_STATED_NONE = object()
Row = Mapping[str, Any]


def write_workbook(plan: Plan, path: Path, language: Language) -> Path:
    """Write a plan; :func:`flows.planning.files.workbook_reading.read_workbook` reads the same plan back.

    Raises:
        PermanentError: a text is longer than a cell can hold.
    """
    return replace_file(path, lambda temporary: _write(plan, temporary, language))


def _write(plan: Plan, path: Path, language: Language) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        book = _Book(workbook, language)
        rows = _rows(plan, language)
        for sheet in ALL_SHEETS:
            book.add(sheet, list(rows[sheet.section]))


def _rows(plan: Plan, language: Language) -> dict[str, Iterator[Row]]:
    rows: dict[str, Iterator[Row]] = {
        PLAN.section: iter([{"item": "year", "value": Decimal(plan.year)}, {"item": "flavour", "value": plan.flavour}]),
        VERSIONS.section: (_of(VERSIONS, version) for version in plan.versions),
        GOALS.section: _goals(plan.goals),
        SEASONALITY.section: _seasons(plan),
        CHECK.section: (
            {"version": version.id, **version.check.model_dump()} for version in plan.versions if version.check
        ),
    }
    rows[PINS_BY_MONTH.section] = iter(())
    for sheet in SECTIONS:
        rows[sheet.section] = _entries(plan, sheet)
    for sheet in NAMED:
        rows[sheet.section] = _named(plan, sheet)
    return rows


def _of(sheet: Sheet, entry: BaseModel) -> Row:
    """Cells of the fields that are stated in so many words; that one is stated to be nothing is told once."""
    cells: dict[str, Any] = {}
    empty: set[str] = set()
    for column in sheet.columns:
        name, _, rest = column.field.partition(".")
        if name not in entry.model_fields_set or name in empty:
            continue
        value = getattr(entry, name)
        if value is None:
            empty.add(name)
            cells[column.field] = _STATED_NONE
        else:
            cells[column.field] = _within(value, rest) if rest and isinstance(value, BaseModel) else value
    return cells


def _within(value: BaseModel, path: str) -> Any:
    name, _, rest = path.partition(".")
    inner = getattr(value, name)
    return inner.get(rest) if rest else inner


def _entries(plan: Plan, sheet: Sheet) -> Iterator[Row]:
    for version in plan.versions:
        entries = getattr(version, sheet.section)
        if entries == () and sheet.section == "funnel":
            yield {"version": version.id, sheet.columns[1].field: _STATED_NONE}
        for entry in entries or ():
            yield from _down(sheet, {"version": version.id, **_of(sheet, entry)})


def _down(sheet: Sheet, cells: Row) -> Iterator[Row]:
    """Rows of one entry: as many as its longest list has values."""
    lists = {
        column.field: cells[column.field] for column in sheet.columns if column.runs_down and column.field in cells
    }
    first = {field: value for field, value in cells.items() if field not in lists}
    for field, values in lists.items():
        group = field.partition(".")[0]
        if not values and not any(other.partition(".")[0] == group for other in first):
            first[field] = _STATED_NONE
    keys = {field: value for field, value in first.items() if field in ("version", *sheet.key)}
    for number in range(max((len(values) for values in lists.values()), default=0) or 1):
        row = dict(keys if number else first)
        for field, values in lists.items():
            if number < len(values):
                inner = field.partition(".")[2]
                row[field] = getattr(values[number], inner) if inner else values[number]
        yield row


def _seasons(plan: Plan) -> Iterator[Row]:
    for version in plan.versions:
        if version.seasonality is not None:
            yield from _season({"version": version.id}, version.seasonality)
        for target in version.targets:
            if "seasonality" in target.model_fields_set:
                yield from _season(_about(version, target), target.seasonality)


def _about(version: Version, target: Target) -> Row:
    return {"version": version.id, "metric": target.metric, "node": target.node, "segment": target.segment}


def _season(about: Row, seasonality: Seasonality | None) -> Iterator[Row]:
    if seasonality is None:
        yield {**about, "by": _STATED_NONE}
        return
    stated = {name: value for name, value in seasonality.model_dump().items() if value is not None}
    yield from _down(SEASONALITY, {**about, **stated})


def _named(plan: Plan, sheet: Sheet) -> Iterator[Row]:
    name, value = (column.field for column in sheet.columns[1:])
    for version in plan.versions:
        values = getattr(version, sheet.section)
        if values == {}:
            yield {"version": version.id, name: _STATED_NONE}
        for key, number in (values or {}).items():
            yield {"version": version.id, name: key, value: number}


def _goals(goals: Sequence[Goal]) -> Iterator[Row]:
    """A goal, then each of its initiatives with its actions."""
    for goal in goals:
        yield {"level": "goal", **_plain(goal)}
        for initiative in goal.initiatives:
            yield {"level": "initiative", "parent": goal.id, **_plain(initiative)}
            for action in initiative.actions:
                yield {"level": "action", "parent": initiative.id, **_plain(action)}


def _plain(one: BaseModel) -> Row:
    return one.model_dump(exclude={"initiatives", "actions"}, exclude_none=True)


class _Book:
    """A workbook being written. Every text is a string cell marked as text: nothing in a plan becomes a formula."""

    def __init__(self, book: "xlsxwriter.Workbook", language: Language) -> None:
        self._book, self._language = book, language
        self._head = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "num_format": "@"})
        self._text = book.add_format({"num_format": "@", "quote_prefix": True})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})

    def add(self, sheet: Sheet, rows: Sequence[Row]) -> None:
        page = self._book.add_worksheet(sheet.title(self._language))
        page.freeze_panes(1, 0)
        for number, column in enumerate(sheet.columns):
            heading = column.heading(self._language)
            # What people fill in below keeps its type: an id or a month stays the text that was typed.
            wanted = {"day": self._day, "number": None, "flag": None}.get(column.kind, self._text)
            page.set_column(
                number, number, max(12, 2 * len(heading) if self._language == "zh" else len(heading) + 2), wanted
            )
            page.write_string(0, number, heading, self._head)
            choices = _choices(sheet, column.field, self._language)
            if choices:
                page.data_validation(1, number, len(rows) + 500, number, {"validate": "list", "source": choices})
            for line, row in enumerate(rows, start=1):
                value = row.get(column.field)
                if isinstance(value, str):
                    value = said(sheet.section, column.field, value, self._language)
                self._cell(page, line, number, value)

    def _cell(self, page: Any, line: int, number: int, value: Any) -> None:
        if value is None:
            return
        if value is _STATED_NONE:
            page.write_string(line, number, NONE[self._language], self._text)
        elif isinstance(value, bool):
            page.write_string(line, number, FLAGS[self._language][value], self._text)
        elif isinstance(value, date):
            page.write_datetime(line, number, value, self._day)
        elif isinstance(value, int | Decimal) and _fits(value):
            page.write_number(line, number, float(value))
        else:
            text = f"{value:f}" if isinstance(value, Decimal) else str(value)
            if len(text) > _LONGEST:
                raise PermanentError(
                    f"Expected texts of at most {_LONGEST:,} characters, as a cell of a workbook holds, found one of "
                    f"{len(text):,} that begins with {text[:40]!r}. Shorten it in the plan file."
                )
            page.write_string(line, number, shown(text), self._text)


def shown(text: str) -> str:
    """A text as a cell has it: one that would read as "there is nothing" gets an apostrophe before it."""
    return f"'{text}" if text.lstrip("'") in (*NONE.values(), "") else text


def _fits(number: int | Decimal) -> bool:
    """Whether a cell's number is read back as the same."""
    return Decimal(f"{float(number):.{_DIGITS}g}") == number


def _choices(sheet: Sheet, field: str, language: Language) -> list[str]:
    """What a cell may hold, where the plan names all of it."""
    models: dict[str, type[BaseModel]] = {
        "versions": Version,
        "seasonality": Seasonality,
        **{section.section: entry_model(section.section) for section in SECTIONS},
    }
    if sheet is GOALS and field == "level":
        return [said(sheet.section, field, level, language) for level in words_of(sheet.section, field)]
    if sheet is PLAN or sheet.section not in models or field not in models[sheet.section].model_fields:
        return []
    annotation = models[sheet.section].model_fields[field].annotation
    if annotation is bool:
        return list(FLAGS[language])
    return [said(sheet.section, field, option, language) for option in _options(annotation)]


def _options(annotation: Any) -> list[str]:
    """The texts that an annotation allows; none where it allows anything else, such as a number, beside them."""
    if get_origin(annotation) is Literal:
        return [option for option in get_args(annotation) if isinstance(option, str)]
    if get_origin(annotation) is tuple:
        return _options(get_args(annotation)[0])
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return _options(parts[0]) if len(parts) == 1 else []

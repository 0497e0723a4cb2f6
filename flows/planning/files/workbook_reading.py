"""Reading a planning workbook back into a plan; every fault names its sheet, row and column."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.config.plan.faults import Company
from flows.config.plan.model import Plan
from flows.config.plan.reading import read_plan
from flows.config.yaml_file import Place, Where
from flows.errors import ConfigError
from flows.ingest.readers.names import FileRefused
from flows.ingest.readers.pages import read_pages
from flows.planning.files.sheets import (
    CHECK,
    GOALS,
    MONTHS,
    NAMED,
    PINS_BY_MONTH,
    PLAN,
    SEASONALITY,
    SECTIONS,
    VERSIONS,
    Sheet,
)
from flows.planning.files.words import name_key
from flows.planning.files.workbook_cells import NOTHING, Reading, Row, tables_of


def read_workbook(path: Path, company: Company) -> tuple[Plan, Place]:
    """The plan that a workbook holds, and what tells where in it something stands.

    Raises:
        ConfigError: it is no workbook; or every fault of it, with sheet, row and column.
    """
    reading = Reading(path)
    try:
        pages = read_pages(path)
    except FileRefused as refused:
        raise ConfigError([f"{path}: {refused}"]) from refused
    tables = tables_of(reading, pages)
    if not reading.is_whole:  # whatever names what stands in those rows would be told to name nothing
        raise ConfigError(reading.faults)
    versions = _versions(reading, tables)
    _plan(reading, tables[PLAN.section])
    _goals(reading, tables[GOALS.section])
    for sheet in SECTIONS:
        _entries(reading, sheet, tables[sheet.section], versions)
    _by_month(reading, tables[PINS_BY_MONTH.section], versions)
    _seasons(reading, tables[SEASONALITY.section], versions)
    for sheet in NAMED:
        _named(reading, sheet, tables[sheet.section], versions)
    for row, version in _of_versions(reading, tables[CHECK.section], versions):
        _set(reading, row, (*version, "check"), "check", _nested(row.values))
    found: list[str] = []
    plan = read_plan(reading.data, company, reading.place, found)
    # A cell that could not be read is not held to be missing as well.
    unread = {_row_of(fault) for fault in reading.faults}
    reading.faults += [fault for fault in found if _row_of(fault) not in unread]
    if plan is None or reading.faults:
        raise ConfigError(reading.faults)
    return plan, reading.place


def _row_of(fault: str) -> str:
    return re.split(r"(?<=, row )(\d+)", fault, maxsplit=1)[0] + "".join(re.findall(r", row (\d+)", fault)[:1])


def _plan(reading: Reading, rows: list[Row]) -> None:
    names = {name_key(name): key for key, said in _ITEMS.items() for name in (key, *said)}
    for row in rows:
        item = names.get(name_key(str(row.values.get("item", ""))))
        if item is None:
            reading.fault(row.at("item"), f"expected one of {', '.join(_ITEMS)}; found {row.values.get('item')!r}")
            continue
        value = row.values.get("value")
        reading.data[item] = value.rstrip("年 ") if item == "year" and isinstance(value, str) else value
        reading.cells[item,] = row.at("value")


_ITEMS = {"year": ("财年", "Fiscal year"), "flavour": ("类型", "Flavour")}


def _versions(reading: Reading, tables: Mapping[str, list[Row]]) -> dict[str, Where]:
    """The place of each version by its id."""
    versions: dict[str, Where] = {}
    reading.data["versions"] = []
    for number, row in enumerate(tables[VERSIONS.section]):
        where: Where = ("versions", number)
        reading.put(where, row, row.values)
        reading.data["versions"].append(_nested(row.values))
        versions.setdefault(str(row.values.get("id")), where)
    return versions


def _of_versions(reading: Reading, rows: list[Row], versions: Mapping[str, Where]) -> Iterator[tuple[Row, Where]]:
    """Rows with the version that they belong to, which is then no field of theirs any more."""
    for row in rows:
        version = row.values.pop("version", None)
        if version not in versions:
            reading.fault(row.at("version"), f"expected the id of a version ({', '.join(versions)}); found {version!r}")
            continue
        yield row, versions[version]


def _version(reading: Reading, where: Where) -> dict[str, Any]:
    found: dict[str, Any] = reading.data["versions"][where[1]]
    return found


def _set(reading: Reading, row: Row, where: Where, section: str, value: Any) -> None:
    version = _version(reading, where)
    if section in version:
        reading.fault(row.at(), f"expected {section} once a version, found it a second time")
    version[section] = value
    reading.put(where, row, row.values)


def _entries(reading: Reading, sheet: Sheet, rows: list[Row], versions: Mapping[str, Where]) -> None:
    for where, entry_rows in _gathered(reading, sheet, rows, versions):
        entries = _version(reading, where).setdefault(sheet.section, [])
        first = entry_rows[0]
        if sheet.section == "funnel" and list(first.values.values()) == [NOTHING]:
            continue
        here = (*where, sheet.section, len(entries))
        reading.put(here, first, first.values)
        entries.append(_entry(reading, sheet, here, entry_rows))


def _gathered(
    reading: Reading, sheet: Sheet, rows: list[Row], versions: Mapping[str, Where]
) -> Iterator[tuple[Where, list[Row]]]:
    """Rows of one entry together: those that follow one another with the same key, where lists run down."""
    last: tuple[Any, ...] | None = None
    together: list[Row] = []
    where: Where = ()
    for row, version in _of_versions(reading, rows, versions):
        key = (version, *(row.values.get(name) for name in sheet.key)) if sheet.key else None
        if key is not None and key == last:
            together.append(row)
            continue
        if together:
            yield where, together
        together, where, last = [row], version, key
    if together:
        yield where, together


def _entry(reading: Reading, sheet: Sheet, where: Where, rows: list[Row]) -> dict[str, Any]:
    """One entry from its rows: what runs down becomes lists, the rest stands in the first row."""
    lists = {column.field for column in sheet.columns if column.runs_down}
    first = rows[0].values
    for row in rows[1:]:
        for name, value in row.values.items():
            if name not in lists and name not in sheet.key and first.get(name) != value:
                reading.fault(
                    row.at(name), f"expected it in the first row of the entry, found {value!r} in a later one"
                )
    entry = _nested({name: value for name, value in first.items() if name not in lists})
    for group in dict.fromkeys(name.partition(".")[0] for name in lists):
        listed = _listed(reading, where, group, rows)
        if listed is not None:
            entry[group] = listed
    return entry


def _listed(reading: Reading, where: Where, group: str, rows: list[Row]) -> list[Any] | None:
    """The values of one list, None where no row states any."""
    found: list[Any] = []
    is_stated = False
    for row in rows:
        cells = {name: value for name, value in row.values.items() if name.partition(".")[0] == group}
        is_stated |= bool(cells)
        stated = {name.partition(".")[2]: value for name, value in cells.items() if value is not NOTHING}
        if not stated:
            continue
        reading.cells[*where, group, len(found)] = row.at(next(iter(cells)))
        for name in cells:
            reading.cells[*where, group, len(found), *name.split(".")[1:]] = row.at(name)
        found.append(stated[""] if "" in stated else stated)
    return found if is_stated else None


def _by_month(reading: Reading, rows: list[Row], versions: Mapping[str, Where]) -> None:
    """Each filled cell of a month is a pin of its own."""
    for row, where in _of_versions(reading, rows, versions):
        about = {name: value for name, value in row.values.items() if name not in MONTHS}
        months = [month for month in MONTHS if month in row.values]
        if not months:
            reading.fault(row.at(), f"expected an amount in one of {MONTHS[0]} to {MONTHS[-1]}, found none")
        pins = _version(reading, where).setdefault("pins", [])
        for month in months:
            here = (*where, "pins", len(pins))
            pins.append({**about, "period": month, "base": row.values[month]})
            reading.put(here, row, about)
            reading.cells |= {(*here, name): row.at(month) for name in ("period", "base")}


def _seasons(reading: Reading, rows: list[Row], versions: Mapping[str, Where]) -> None:
    for where, together in _gathered(reading, SEASONALITY, rows, versions):
        first = together[0]
        key = tuple(first.values.get(name) for name in SEASONALITY.key)
        owner, place = _version(reading, where), where
        if any(key):
            targets = owner.get("targets", [])
            wanted = (key[0], key[1] or "company", key[2])
            matching = [n for n, one in enumerate(targets) if _target_key(one) == wanted]
            if not matching:
                reading.fault(first.at("metric"), "expected a target of this metric, node and segment in the version")
                continue
            owner, place = targets[matching[0]], (*where, "targets", matching[0])
        here: Where = (*place, "seasonality")
        entry = _entry(reading, SEASONALITY, here, together)
        value = {name: one for name, one in entry.items() if name not in SEASONALITY.key}
        if "seasonality" in owner:
            reading.fault(first.at(), "expected one seasonality, found a second one")
        owner["seasonality"] = None if value.get("by", "") is None else value
        reading.put(here, first, {name: one for name, one in first.values.items() if name not in SEASONALITY.key})


def _target_key(target: Mapping[str, Any]) -> tuple[Any, ...]:
    return target.get("metric"), target.get("node") or "company", target.get("segment")


def _named(reading: Reading, sheet: Sheet, rows: list[Row], versions: Mapping[str, Where]) -> None:
    name, value = (column.field for column in sheet.columns[1:])
    for row, where in _of_versions(reading, rows, versions):
        numbers = _version(reading, where).setdefault(sheet.section, {})
        key = row.values.get(name)
        if key is NOTHING:
            continue
        if key is None or key in numbers:
            reading.fault(row.at(name), f"expected each {name} once a version, found {key!r}")
            continue
        numbers[key] = row.values.get(value)
        reading.cells[*where, sheet.section, key] = row.at(value)


def _goals(reading: Reading, rows: list[Row]) -> None:
    """Goals, initiatives under their goal, actions under their initiative; in whatever order the rows stand."""
    above: dict[str, str | None] = {"goal": None, "initiative": "goal", "action": "initiative"}
    below = {"goal": "initiatives", "initiative": "actions"}
    known: dict[str, dict[Any, tuple[Where, dict[str, Any]]]] = {level: {} for level in above}
    reading.data["goals"] = []
    for level, parent in above.items():
        for row in rows:
            if row.values.get("level") != level:
                continue
            values = {name: value for name, value in row.values.items() if name != "level"}
            where: Where = ()
            siblings = reading.data["goals"]
            if parent is not None:
                owner = known[parent].get(values.pop("parent", None))
                if owner is None:
                    ids = ", ".join(known[parent])
                    reading.fault(row.at("parent"), f"expected the id of a goal above it, of level {parent} ({ids})")
                    continue
                where, siblings = owner[0], owner[1].setdefault(below[parent], [])
            here: Where = (*where, below[parent] if parent else "goals", len(siblings))
            reading.put(here, row, values)
            siblings.append(_nested(values))
            known[level].setdefault(values.get("id"), (here, siblings[-1]))
    for row in rows:
        if row.values.get("level") not in above:
            reading.fault(row.at("level"), f"expected one of {', '.join(above)}; found {row.values.get('level')!r}")


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted fields as the mappings that they stand for; what is stated to be nothing is None."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        if value is NOTHING:
            found[path[0] if path else last] = None
            continue
        inner = found
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return found

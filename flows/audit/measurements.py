"""Measurements of a night: one row per rule and subject, computed in SQL on the closed candidate and tonight's inputs.

The data stays in DuckDB; what Great Expectations judges is a frame of some hundred rows:

| column | |
|---|---|
| ``number`` | position of the row |
| ``rule`` | id of the rule it belongs to |
| ``table_name`` | mart |
| ``subject`` | file, currency, period … that was measured |
| ``expected``, ``found`` | whole numbers in the rule's unit (amounts in hundredths), never null |
| ``change`` | (found − expected) ÷ expected |
| ``detail`` | an example or the reason, for a person |
| ``error`` | why it could not be measured, else null |
"""
# ruff: noqa: S608 (statements are composed of this module's own names and of quoted paths)

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from flows.audit import roll_up_statements, source_statements, statements, waterfall_statements
from flows.errors import PermanentError

if TYPE_CHECKING:
    import pandas as pd

    from flows.publish.manifest import Manifest

SMALLEST_TABLE = 100
"""Tables with fewer rows are not held to a share: three deviations more may double them."""
FREE_TABLES = frozenset({"dim_date", "mart_deviation", "mart_alert", "mart_action", "mart_forecast"})
"""Tables whose size the calendar or the night's events decide: a forecast looks ahead to the end of the fiscal year."""
HELD_FROM_ABOVE = ("fct_", "dim_")
"""Only what the inputs alone decide may not swell: a mart by period gains a year of rows on the first day of a year."""

COLUMNS = ("number", "rule", "table_name", "subject", "expected", "found", "change", "detail", "error")
Row = tuple[str, str, str, int, int, str | None, str | None]


@dataclass(frozen=True)
class Measurements:
    """What was measured.

    Attributes:
        as_of_date: the night.
        run_id: the run.
        frame: one row a measurement, ``COLUMNS``.
        rules: ids of the rules that apply tonight.
        measures: totals by name, for the manifest, so that the next night can be compared.
    """

    as_of_date: date
    run_id: str
    frame: "pd.DataFrame"
    rules: frozenset[str]
    measures: dict[str, float]


@dataclass(frozen=True)
class Night:
    """What is measured: the candidate, tonight's inputs, and the last published night.

    Attributes:
        candidate: closed DuckDB file.
        inputs: build folder with ``inputs/run.parquet``, ``inputs/source_file.parquet`` and ``log/<entity>/*.parquet``.
        previous: manifest of the last published night, or None.
        tolerated: source and status (refused or missing) that the night may go on with.
        accept_shrink: sources that a person has declared to be much changed tonight.
        engine: DuckDB settings.
    """

    candidate: Path
    inputs: Path
    previous: "Manifest | None"
    tolerated: Collection[tuple[str, str]]
    accept_shrink: Collection[str]
    engine: Mapping[str, str | int]


def measure(night: Night) -> Measurements:
    """Measure everything that applies tonight.

    A statement that fails is itself a measurement, with its ``error``: it cannot pass.

    Raises:
        PermanentError: the candidate or tonight's run table is absent or cannot be opened.
    """
    import pandas as pd

    with _open(night) as connection:
        tonight = connection.execute("select as_of_date, run_id, bookings_from from run").fetchall()
        ((as_of, run_id, bookings_from),) = tonight
        queries = _queries(connection, night, bookings_from, as_of, run_id)
        rows: list[Row] = []
        for rule, query in queries.items():
            rows += _measured(connection, rule, query)
        measures = _measures(connection)
    if night.previous is not None and night.previous.as_of_date <= as_of and not night.accept_shrink:
        rows += _changes(night.previous, rows, measures)
    frame = pd.DataFrame(
        [(number, *row[:5], _change(row[3], row[4]), *row[5:]) for number, row in enumerate(rows)],
        columns=list(COLUMNS),
    ).astype({"expected": "int64", "found": "int64", "change": "float64"})
    return Measurements(as_of, run_id, frame, frozenset(queries), measures)


@contextmanager
def _open(night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session with the candidate attached read-only as ``candidate`` and tonight's inputs as views."""
    needed = [night.candidate, *(night.inputs / "inputs" / f"{name}.parquet" for name in ("run", "source_file"))]
    for path in needed:
        if not path.is_file():
            message = f"Expected {path} to audit the night, found none. Build the night first."
            raise PermanentError(message)
    with duckdb.connect(config=dict(night.engine)) as connection:
        try:
            connection.execute(f"attach {_literal(night.candidate)} as candidate (read_only)")
        except duckdb.Error as error:
            message = f"Expected a closed DuckDB file at {night.candidate}, found one that cannot be read: {error}"
            raise PermanentError(message) from error
        for name in ("run", "source_file"):
            file = _literal(night.inputs / "inputs" / f"{name}.parquet")
            connection.execute(f"create temp view {name} as select * from read_parquet({file})")
        connection.execute(statements.TONIGHT)
        yield connection


def _queries(
    connection: duckdb.DuckDBPyConnection, night: Night, bookings_from: str, as_of: date, run_id: str
) -> dict[str, str]:
    """The statement of every rule that applies tonight; each gives table_name, subject, expected, found, detail."""
    log = night.inputs / "log"
    tolerated = _list([f"{status} {source}" for source, status in night.tolerated])
    queries = {
        "files_accepted": source_statements.FILES_ACCEPTED.format(tolerated=tolerated),
        "files_accounted": source_statements.FILES_ACCOUNTED,
        "changes_recorded": statements.CHANGES_RECORDED.format(changes=_changes_tonight(log, as_of)),
        "opportunities_complete": statements.opportunities(_log(log, "opportunity"), "n"),
        "opportunity_amounts_kept": statements.opportunities(_log(log, "opportunity"), "hundredths"),
        "attainment_equals_bookings": roll_up_statements.ATTAINMENT_EQUALS_BOOKINGS,
        "attainment_equals_won_deals": roll_up_statements.ATTAINMENT_EQUALS_WON_DEALS,
        "attainment_rolls_up": roll_up_statements.rolls_up(
            "mart_target_attainment", ("actual", "open_amount", "open_deals"), dated=("actual",)
        ),
        "forecast_rolls_up": roll_up_statements.rolls_up(
            "mart_forecast",
            ("closed_amount", "open_amount", "open_weighted_amount", "forecast_expected"),
            "method",
            dated=("closed_amount", "forecast_expected"),
        ),
        "waterfall_balances": waterfall_statements.BALANCES,
        "waterfall_follows_on": waterfall_statements.FOLLOWS_ON,
        "waterfall_ends_tonight": waterfall_statements.ENDS_TONIGHT,
        "one_night": statements.one_night(_tables(connection), as_of, run_id),
        "deviations_are_measured": statements.DEVIATIONS_MEASURED,
        "deviations_are_plausible": statements.DEVIATIONS_PLAUSIBLE,
    }
    if bookings_from in statements.DOCUMENTS:
        key, booked_on = statements.DOCUMENTS[bookings_from]
        documents = _log(log, bookings_from), key, booked_on
        queries["documents_complete"] = statements.booked_documents(*documents, "n")
        queries["document_amounts_kept"] = statements.booked_documents(*documents, "hundredths")
    dated = connection.execute(source_statements.DATED_EXPORTS).fetchone()
    if dated and dated[0]:
        queries["exports_do_not_go_back"] = source_statements.EXPORTS_GO_BACK.format(
            accepted=_list(night.accept_shrink)
        )
    conditional = {
        "sources_left_out": source_statements.SOURCES_LEFT_OUT.format(tolerated=tolerated),
        "sources_are_fresh": source_statements.SOURCES_ARE_FRESH,
        "stages_are_configured": statements.STAGES_ARE_CONFIGURED,
    }
    return queries | {rule: query for rule, query in conditional.items() if _applies(connection, query)}


def _applies(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Whether a rule has anything to measure tonight; a statement that fails has to be seen."""
    try:
        return connection.execute(f"select 1 from ({query}) limit 1").fetchone() is not None
    except duckdb.Error:
        return True


def _measured(connection: duckdb.DuckDBPyConnection, rule: str, query: str) -> list[Row]:
    try:
        return [(rule, *row, None) for row in connection.execute(query).fetchall()]
    except duckdb.Error as error:
        return [(rule, "", "", 0, 0, None, f"cannot be measured: {str(error).splitlines()[0]}")]


def _measures(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Row counts and total amounts (in hundredths) that nights are compared by; empty when the marts are not there."""
    try:
        return {name: float(value) for name, value in connection.execute(statements.MEASURES).fetchall()}
    except duckdb.Error:
        return {}


def _changes(previous: "Manifest", rows: list[Row], measures: Mapping[str, float]) -> list[Row]:
    """Rows of each table, and totals, against the last published night."""
    night = f"against the night of {previous.as_of_date}, run {previous.run_id}"
    now = {table: expected for rule, table, _, expected, *_ in rows if rule == "one_night"}
    changes: list[Row] = []
    for table, before in sorted(previous.rows.items()):
        if table not in now or before < SMALLEST_TABLE or table in FREE_TABLES:
            continue
        rules = ["tables_keep_their_rows"] + (["tables_do_not_swell"] if table.startswith(HELD_FROM_ABOVE) else [])
        changes += [(rule, table, "rows", before, now[table], night, None) for rule in rules]
    for name, total in sorted(measures.items()):
        table, _, amount = name.partition(".")
        if name in previous.measures and previous.rows.get(table, 0) >= SMALLEST_TABLE:
            numbers = (int(previous.measures[name]), int(total))
            changes += [
                (rule, table, f"total {amount}", *numbers, night, None)
                for rule in ("amounts_do_not_fall", "amounts_do_not_jump")
            ]
    return changes


def _change(expected: int, found: int) -> float:
    return (found - expected) / expected if expected else float(found != 0)


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "select table_name from information_schema.tables"
        " where table_catalog = 'candidate' and table_schema = 'marts' order by 1"
    ).fetchall()
    return [name for (name,) in found]


def _log(log: Path, entity: str) -> str:
    """The change log of an entity as the build read it; what older nights recorded shows the day of its night."""
    rows = f"read_parquet({_literal(log / entity / '*.parquet')}, union_by_name = true)"
    return f"(select * replace (coalesce(_observed_on, _valid_from) as _observed_on) from {rows})"


def _changes_tonight(log: Path, as_of: date) -> str:
    """``entity`` and ``_change`` of tonight's change rows, as recorded; what they made of later days is not counted."""
    recorded = [*log.glob(f"*/{as_of.isoformat()}.parquet"), *log.glob(f"*/recorded/{as_of.isoformat()}.parquet")]
    parts = [
        f"select '{path.relative_to(log).parts[0]}' as entity, _change from read_parquet({_literal(path)}) "
        "where _change in ('new', 'changed', 'deleted')"
        for path in sorted(recorded)
    ]
    return " union all ".join(parts) or "select '' as entity, '' as _change limit 0"


def _list(names: Collection[str]) -> str:
    return "[" + ", ".join(_literal(name) for name in sorted(names)) + "]::varchar[]"


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"

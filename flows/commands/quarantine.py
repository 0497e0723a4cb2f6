"""``planloop quarantine``: what was set aside and why, what has healed, and files for the people who mend the rest."""

from dataclasses import asdict
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.context import AsOf, Command, Json, console, is_chinese
from flows.errors import PermanentError
from flows.operate.display import print_rows

if TYPE_CHECKING:
    import polars as pl

app = typer.Typer(no_args_is_help=True, help="Rows that were not accepted, why, and how they healed.")
Entity = Annotated[str | None, typer.Option(help="Only this canonical entity.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason code.")]
_CELLS = ("source", "file", "sheet", "row", "column", "value")
_ROWS = ("source", "file", "sheet", "row", "key", "reason_code", "first_seen_on", "last_seen_on")
_HEALING = ("healed_on", "healed_by", "relapses")


class Language(StrEnum):
    """Language of the files."""

    zh = "zh"
    en = "en"


class Format(StrEnum):
    """Format of the files."""

    xlsx = "xlsx"
    csv = "csv"


@app.command("list")
def quarantine_list(
    context: typer.Context,
    as_of: AsOf = None,
    entity: Entity = None,
    reason: Reason = None,
    is_healed: Annotated[
        bool | None,
        typer.Option("--healed/--open", help="Rows of all nights that have healed, or that are still open."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the quarantined cells of a night, by default the newest one; or rows of all nights, healed or open.

    Example: planloop quarantine list --entity opportunity
    """
    command: Command = context.obj
    if is_healed is not None:
        rows = _ledger(command, as_of, entity, reason, is_healed=is_healed).to_dicts()
        shown: tuple[str, ...] = (*_ROWS, *(_HEALING if is_healed else ("relapses",)))
    else:
        from flows.history.quarantine import read_quarantine

        found = read_quarantine(command.workspace, _night(command, as_of), entity=entity, reason=reason)
        rows = found.to_dicts()
        shown = (*_CELLS, "reason_zh" if is_chinese(command) else "reason_en")
    if not as_json:
        rows = [{name: row[name] for name in shown} for row in rows]
    print_rows(console, "Quarantine", rows, as_json=as_json)


@app.command("export")
def quarantine_export(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="One file with the rows of all owners: .xlsx or .csv.", show_default=False)
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Folder for one file an owner.", show_default=False)] = None,
    owner: Annotated[
        str | None, typer.Option(help="Only this owner: id, name or mail; 'operator' for rows of nobody known.")
    ] = None,
    language: Annotated[Language | None, typer.Option(help="Default: each owner's own, else the company's.")] = None,
    file_format: Annotated[Format, typer.Option("--format", help="Of the files in the folder.")] = Format.xlsx,
    as_of: AsOf = None,
    entity: Entity = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Write what is to be mended, with reason and suggestion: the night's rows and older ones that have not healed.

    Example: planloop quarantine export --to to-mend/ --language zh
    """
    from flows.history import quarantine_export as export

    if (file is None) == (to is None):
        raise typer.BadParameter("Expected either a file for all rows or --to with a folder for one file an owner.")
    command: Command = context.obj
    config, night = command.config(), _night(command, as_of)
    sources, stages = config.sources.sources, config.stages
    readers = _readers(command, night)
    cells = _filtered(export.open_cells(command.workspace, night), entity, reason)
    cells = export.with_owners(cells, sources, readers.people)
    if owner is not None:
        cells = export.chosen_owner(cells, owner)
    if to is None:
        assert file is not None  # noqa: S101 (one of the two was given)
        told = export.Readers(readers.people, language.value if language else readers.language, readers.operator_email)
        written = [export.export_one(cells, file, sources, stages, told, night)]
    else:
        written = export.export_by_owner(
            cells,
            to,
            sources,
            stages,
            readers,
            night,
            ending=f".{file_format.value}",
            language=language.value if language else None,
        )
    rows: list[dict[str, Any]] = [{**asdict(one), "path": str(one.path)} for one in written]
    print_rows(console, "Written", rows, as_json=as_json)


def _night(command: Command, as_of: datetime | None) -> date:
    """The night asked for, by default the newest one."""
    from flows.history.change_log import nights

    known = nights(command.workspace)
    if as_of is None and not known:
        raise PermanentError("Expected at least one recorded night, found none. Run: planloop refresh")
    return as_of.date() if as_of else known[-1]


def _ledger(
    command: Command, as_of: datetime | None, entity: str | None, reason: str | None, *, is_healed: bool
) -> "pl.DataFrame":
    """Rows of all nights (up to one), each once."""
    import polars as pl

    from flows.history.quarantine_ledger import read_ledger

    lines = read_ledger(command.workspace, until=as_of.date() if as_of else None)
    return _filtered(lines, entity, reason).filter(pl.col("healed_on").is_not_null() == is_healed)


def _filtered(frame: "pl.DataFrame", entity: str | None, reason: str | None) -> "pl.DataFrame":
    import polars as pl

    for name, value in (("entity", entity), ("reason_code", reason)):
        if value is not None:
            frame = frame.filter(pl.col(name) == value)
    return frame


def _readers(command: Command, night: date) -> Any:
    """The people that the change log knows, and the operator."""
    from datetime import timedelta

    from flows.history.known import last_known
    from flows.history.quarantine_export import Readers
    from flows.history.quarantine_owners import PEOPLE

    settings = command.config().settings
    people = last_known(command.workspace, night + timedelta(days=1), engine=settings.engine)("user", list(PEOPLE))
    return Readers(people.drop("_source"), settings.language, settings.operator.email)

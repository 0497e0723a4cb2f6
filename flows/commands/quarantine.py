"""``planloop quarantine``: what was set aside, and why."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.context import AsOf, Command, Json, console, is_chinese
from flows.errors import PermanentError
from flows.operate.display import print_rows

if TYPE_CHECKING:
    import polars as pl

app = typer.Typer(no_args_is_help=True, help="Rows that were not accepted, and why.")
Entity = Annotated[str | None, typer.Option(help="Only this canonical entity.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason code.")]


@app.command("list")
def quarantine_list(
    context: typer.Context, as_of: AsOf = None, entity: Entity = None, reason: Reason = None, as_json: Json = False
) -> None:
    """List the quarantined cells of a night, by default the newest one.

    Example: planloop quarantine list --entity opportunity
    """
    rows = _quarantine(context.obj, as_of, entity, reason).to_dicts()
    if not as_json:
        shown = (
            "source",
            "file",
            "sheet",
            "row",
            "column",
            "value",
            "reason_zh" if is_chinese(context.obj) else "reason_en",
        )
        rows = [{name: row[name] for name in shown} for row in rows]
    print_rows(console, "Quarantine", rows, as_json=as_json)


@app.command("export")
def quarantine_export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write: .xlsx or .csv.")],
    as_of: AsOf = None,
    entity: Entity = None,
    reason: Reason = None,
) -> None:
    """Write the quarantined cells of a night to a workbook for the people who mend them.

    Example: planloop quarantine export to-mend.xlsx
    """
    from flows.history.quarantine import export_quarantine

    frame = _quarantine(context.obj, as_of, entity, reason)
    console.print(f"{frame.height:,} cells written to {export_quarantine(frame, file)}", markup=False)


def _quarantine(command: Command, as_of: datetime | None, entity: str | None, reason: str | None) -> "pl.DataFrame":
    from flows.history.change_log import nights
    from flows.history.quarantine import read_quarantine

    known = nights(command.workspace)
    if as_of is None and not known:
        raise PermanentError("Expected at least one recorded night, found none. Run: planloop refresh")
    return read_quarantine(command.workspace, as_of.date() if as_of else known[-1], entity=entity, reason=reason)

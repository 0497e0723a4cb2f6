"""``planloop plan``: the plan of a fiscal year as files, versions and cells."""

from pathlib import Path
from typing import Annotated, cast

import typer
from rich.markup import escape

from flows.commands import plan_cells, plan_files
from flows.commands.context import Command, Json, console, today
from flows.config import load
from flows.config.settings import Language
from flows.operate.display import print_json, print_rows

app = typer.Typer(no_args_is_help=True, help="The sales plan: its versions, what differs between them, its workbook.")
app.command()(plan_files.diff)
app.command("export")(plan_files.export_workbook)
app.command("import")(plan_files.import_workbook)
for _command in (plan_cells.allocate, plan_cells.show, plan_cells.explain, plan_cells.restate):
    app.command()(_command)


@app.command()
def check(
    context: typer.Context,
    year: Annotated[
        int | None,
        typer.Argument(help="Fiscal year; by default the running one and those to come.", show_default=False),
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="zh or en; by default the company's language.", show_default=False)
    ] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Write the verdicts and all reasons into this workbook.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print what passes, too.")] = False,
    as_json: Json = False,
) -> None:
    """Check targets, goals, initiatives, actions: specific, measurable, achievable, relevant, time-bound, and whose.

    Ends with 0 where nothing fails, with 1 where something does; warnings change nothing. Works before the first night.

    Example: planloop plan check 2026 --xlsx check.xlsx
    """
    from flows.planning.smart_company import check_plans
    from flows.planning.smart_wording import records, rows, title
    from flows.planning.smart_workbook import write_check

    if lang not in (None, "zh", "en"):
        raise typer.BadParameter(f"expected zh or en, found {lang}", param_hint="--lang")
    command: Command = context.obj
    faults: list[str] = []
    config = load(command.config_folder, command.env, faults_of_plans=faults)
    language = config.settings.language if lang is None else cast("Language", lang)
    marts, log = command.workspace.published / "marts.duckdb", command.workspace.history
    reports = check_plans(config, faults, marts, log, today(config.settings.zone), year)
    if xlsx is not None:
        write_check(reports, xlsx, language)
    if as_json:
        print_json(console, [record for report in reports for record in records(report)])
    else:
        for report in reports:
            found = rows(report, language, everything=everything)
            shown = [{name: escape(cell) for name, cell in row.items()} for row in found]
            print_rows(console, title(report, language), shown, as_json=False)
    if any(report.count("fail") for report in reports):
        raise typer.Exit(1)

"""The ``planloop`` command: reads options, calls one function, prints the result, ends with an exit code.

0 ok · 1 failed · 2 bad usage or configuration · 3 published, more rows quarantined than allowed · 4 refused by the audit.
"""

import json
import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from flows.config import Config, load
from flows.errors import PlanloopError
from flows.operate.environment import prepare
from flows.workspace import Workspace

PROJECT = Path(__file__).parents[1]
NIGHT_ENDS_AT_HOUR = 6
"""A run before this hour belongs to the business date that has just ended."""

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", help=__doc__)
publish_app = typer.Typer(no_args_is_help=True, help="Published versions: list, roll back, verify.")
quarantine_app = typer.Typer(no_args_is_help=True, help="Rows that were not accepted, and why.")
alerts_app = typer.Typer(no_args_is_help=True, help="Alerts and their state.")
report_app = typer.Typer(no_args_is_help=True, help="The report page.")
app.add_typer(publish_app, name="publish")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(alerts_app, name="alerts")
app.add_typer(report_app, name="report")

console = Console()
errors = Console(stderr=True)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Business date of the night; by default the one that has just ended."),
]


@dataclass(frozen=True)
class Command:
    """What the options of ``planloop`` itself settle for every command."""

    config_folder: Path
    workspace: Workspace
    env: dict[str, str]

    def config(self) -> Config:
        """The company's configuration."""
        return load(self.config_folder, self.env)


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", envvar="PLANLOOP_CONFIG", help="Folder with the company's configuration.")
    ] = PROJECT / "config",
    workspace: Annotated[
        Path, typer.Option("--workspace", envvar="PLANLOOP_WORKSPACE", help="Folder with the company's runtime state.")
    ] = Path("var"),
) -> None:
    """Close the loop of a sales plan: CRM and spreadsheets in; checked marts, forecast and deviation mails out.

    Example: planloop --config config --workspace var refresh
    """
    space = Workspace(workspace.resolve())
    context.obj = Command(config.resolve(), space, dict(prepare(os.environ, space)))


@app.command()
def refresh(
    context: typer.Context,
    as_of: AsOf = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build from the change log alone; a date before the newest night implies it.")
    ] = False,
    accept_shrink: Annotated[
        list[str] | None, typer.Option(help="Name of a source whose export is meant to be much smaller tonight.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the night: land, validate, build, forecast, audit, publish, notify.

    Example: planloop refresh --as-of 2026-11-20
    """
    command: Command = context.obj
    summary = _run_night(command, as_of.date() if as_of else None, rebuild, accept_shrink or [], quiet=as_json)
    _print_summary(summary, as_json)
    raise typer.Exit(summary["exit_code"])


@app.command()
def demo(
    context: typer.Context,
    scale: Annotated[float, typer.Option(help="Size of the company; 1 is about 2,000 opportunities.", min=0.05)] = 1,
    nights: Annotated[int, typer.Option(help="Successive nights to write and run.", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="Another seed is another company.")] = 1,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Make the input files of a demo company and run its nights.

    Example: planloop demo --scale 1 --nights 3
    """
    from flows.demo import DEFAULT_LAST_NIGHT, generate

    command: Command = context.obj
    last = as_of.date() if as_of else DEFAULT_LAST_NIGHT
    if not as_json:
        console.print(f"Writing the input files of {nights} night(s) to {command.workspace.inputs}")
    generate(command.workspace.inputs, scale=scale, seed=seed, nights=nights, last_night=last)
    for back in range(nights - 1, -1, -1):
        summary = _run_night(command, last - timedelta(days=back), False, [], quiet=as_json)
        _print_summary(summary, as_json)
    if not as_json:
        console.print(f"\nOpen the report: [bold]{summary['report']}[/bold]")
        console.print(f"Query the marts:  [bold]{command.workspace.published / 'marts.duckdb'}[/bold] (schema marts)")
    # Its dirty rows are planted: a demo that shows them has done what it should.
    raise typer.Exit(0 if summary["exit_code"] == 3 else summary["exit_code"])  # noqa: PLR2004

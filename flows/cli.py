"""The ``planloop`` command: reads options, calls one function, prints the result, ends with an exit code.

0 ok · 1 failed · 2 bad usage or configuration · 3 published with more rows quarantined
than allowed · 4 refused by the audit.
"""

import os
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from flows.config import Config, load
from flows.errors import ConfigError, PermanentError, PlanloopError
from flows.operate.display import print_json, print_rows, print_summary
from flows.operate.environment import prepare
from flows.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl
    from sqlalchemy import Engine

PROJECT = Path(__file__).parents[1]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
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
    typer.Option(
        "--as-of", formats=["%Y-%m-%d"], help="Business date of the night; by default the one that has just ended."
    ),
]

Entity = Annotated[str | None, typer.Option(help="Only this canonical entity.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason code.")]


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
        bool,
        typer.Option("--rebuild", help="Build from the change log alone; a date before the newest night implies it."),
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
    print_summary(console, summary, as_json=as_json)
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
        print_summary(console, summary, as_json=as_json)
    if not as_json:
        console.print(f"\nOpen the report: [bold]{summary['report']}[/bold]")
        console.print(f"Query the marts:  [bold]{command.workspace.published / 'marts.duckdb'}[/bold] (schema marts)")
    raise typer.Exit(summary["exit_code"])


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Show the last runs and what is published.

    Example: planloop status
    """
    from flows.operate.lock import lock_holder
    from flows.publish.versions import current_manifest
    from flows.state import runs

    command: Command = context.obj
    state = _known_state(command)
    is_free = lock_holder(command.workspace.lock) is None
    current = current_manifest(command.workspace)
    rows = [
        {
            "run": run.run_id,
            "as_of": run.as_of_date,
            "state": "killed" if run.state == "running" and is_free else run.state,
            "exit": run.exit_code,
            "started": run.started_at,
            "published": "current" if current and current.run_id == run.run_id else "",
            "message": " ".join((run.message or "").split("\n")[:2]),
        }
        for run in (runs.recent(state) if state else [])
    ]
    print_rows(console, "Runs, newest first (UTC)", rows, as_json=as_json)


@publish_app.command("list")
def publish_list(context: typer.Context, as_json: Json = False) -> None:
    """List the published versions on disk, newest first.

    Example: planloop publish list
    """
    from flows.publish.versions import versions

    rows = [
        {
            "run": version.run_id,
            "as_of": version.as_of_date,
            "current": version.is_current,
            "tables": len(version.manifest.tables) if version.manifest else None,
            "rows": sum(version.manifest.rows.values()) if version.manifest else None,
            "fault": version.fault or "",
        }
        for version in versions(context.obj.workspace)
    ]
    print_rows(console, "Published versions", rows, as_json=as_json)


@publish_app.command("rollback")
def publish_rollback(
    context: typer.Context,
    run_id: Annotated[
        str | None, typer.Argument(help="Version to go back to; by default the one before the current.")
    ] = None,
) -> None:
    """Let readers see an earlier version again.

    Example: planloop publish rollback 20261119-01
    """
    from flows.operate.lock import night_lock
    from flows.publish.versions import rollback

    command: Command = context.obj
    with night_lock(command.workspace.lock):
        manifest = rollback(command.workspace, run_id)
    console.print(f"Readers now see version {manifest.run_id}, as of {manifest.as_of_date}.")


@publish_app.command("verify")
def publish_verify(
    context: typer.Context,
    run_id: Annotated[str | None, typer.Argument(help="Version to check; by default the current one.")] = None,
    as_json: Json = False,
) -> None:
    """Compare a published version with its manifest: files, hashes, row counts.

    Example: planloop publish verify
    """
    from flows.publish.versions import verify

    result = verify(context.obj.workspace, run_id)
    row = {
        "run": result.run_id,
        "files": result.files,
        "rows": result.rows,
        "passed": result.passed,
        "faults": result.faults,
    }
    print_rows(console, "Verification", [row], as_json=as_json)
    raise typer.Exit(0 if result.passed else 1)


@alerts_app.command("list")
def alerts_list(
    context: typer.Context,
    include_resolved: Annotated[bool, typer.Option("--all", help="Include resolved alerts.")] = False,
    as_json: Json = False,
) -> None:
    """List the alerts that are open.

    Example: planloop alerts list --all
    """
    from flows.alerts.store import list_alerts

    command: Command = context.obj
    state = _known_state(command)
    rows = list_alerts(state, include_resolved=include_resolved) if state else []
    if not as_json:
        shown = (
            "rule_id",
            "node_name",
            "period_kind",
            "period_start_on",
            "state",
            "severity",
            "opened_on",
            "recipients",
        )
        rows = [{name: row[name] for name in shown} for row in rows]
    print_rows(console, "Alerts", rows, as_json=as_json)


@quarantine_app.command("list")
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
            "reason_zh" if _is_chinese(context.obj) else "reason_en",
        )
        rows = [{name: row[name] for name in shown} for row in rows]
    print_rows(console, "Quarantine", rows, as_json=as_json)


@quarantine_app.command("export")
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


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Look at everything a night needs, and say what is wrong and how to mend it.

    Example: planloop doctor
    """
    from flows.operate.doctor import diagnose

    command: Command = context.obj
    found = diagnose(command.config_folder, command.workspace, command.env, today=_today(_zone(command)))
    rows = [{"level": item.level, "what": item.what, "found": item.found, "remedy": item.remedy} for item in found]
    print_rows(console, "Doctor", rows, as_json=as_json)
    raise typer.Exit(1 if any(item.level == "fail" for item in found) else 0)


@app.command()
def schedule(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder to write the unit files and prefect.yaml to.")],
    at: Annotated[
        datetime, typer.Option(metavar="HH:MM", formats=["%H:%M"], help="Time of day in the company's time zone.")
    ] = "02:00",  # type: ignore[assignment]
    name: Annotated[str, typer.Option(help="Tells companies on one machine apart.")] = "nightly",
    environment_file: Annotated[Path, typer.Option(help="File of NAME=value lines with secrets.")] = Path(
        "/etc/planloop.env"
    ),
    user: Annotated[str | None, typer.Option(help="Who runs the night.")] = None,
) -> None:
    """Write a systemd timer and a Prefect deployment for the night; nothing is installed.

    Example: planloop schedule units --at 02:00
    """
    from flows.operate.schedule import Schedule, install_hint, unit_faults, write_schedule

    command: Command = context.obj
    plan = Schedule(
        name=name,
        command=(sys.executable, "-m", "flows.cli"),
        project=PROJECT,
        config_dir=command.config_folder,
        workspace=command.workspace.root,
        at=at.time(),
        time_zone=command.config().settings.time_zone,
        environment_file=environment_file,
        user=user,
    )
    written = write_schedule(folder.resolve(), plan)
    for path in written:
        console.print(str(path), markup=False)
    faults = unit_faults([path for path in written if path.suffix in (".service", ".timer")])
    if faults:
        errors.print("\n".join(faults), markup=False)
    console.print(install_hint(folder.resolve(), plan), markup=False, soft_wrap=True)
    raise typer.Exit(1 if faults else 0)


@report_app.command("open")
def report_open(context: typer.Context) -> None:
    """Open the newest report in the browser, or print where it is.

    Example: planloop report open
    """
    page = context.obj.workspace.reports / "latest" / "index.html"
    if not page.is_file():
        errors.print(f"Expected a report at {page}, found none. Run: planloop refresh")
        raise typer.Exit(1)
    console.print(str(page))
    typer.launch(page.resolve().as_uri())


def main() -> None:
    """Run the command; an error that a person is to read is printed without a traceback and sets the exit code."""
    try:
        app()
    except PlanloopError as error:
        _end(str(error), error.exit_code)
    except OSError as error:
        _end(
            f"Expected to read and write files as the configuration and --workspace say, found: {error}. "
            "Check the path, the rights and the space on the disk (`planloop doctor`), then run again.",
            1,
        )
    except Exception as error:  # noqa: BLE001 (the last door: whatever comes out is told in one line)
        _end(
            f"{type(error).__name__}: {error}\nThis is a fault of planloop. The traceback stands in the newest file "
            "under logs/ of the workspace.",
            1,
        )


def _end(message: str, code: int) -> NoReturn:
    """Say why the command failed, to a person and, where a script asked for JSON, to the script."""
    errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    if "--json" in sys.argv:
        print_json(console, {"exit_code": code, "error": message})
    raise SystemExit(code)


def _run_night(
    command: Command, as_of: date | None, rebuild: bool, accept_shrink: list[str], *, quiet: bool
) -> dict[str, Any]:
    """Run the flow; a date before the newest night of the change log is a rebuild."""
    from flows.history.change_log import nights
    from flows.operate.as_of import settle_as_of
    from flows.operate.logs import console_log

    config = command.config()
    unknown = sorted(set(accept_shrink) - set(config.sources.sources))
    if unknown:
        names = ", ".join(config.sources.sources)
        raise ConfigError([f"--accept-shrink {name}: is not a source; expected one of {names}" for name in unknown])
    known = nights(command.workspace)
    as_of, is_past = settle_as_of(as_of, today=_today(config.settings.zone), known=known)
    if is_past and not rebuild and not quiet:
        console.print(f"{as_of} lies before the newest night ({known[-1]}): rebuilding it from the change log.")
    command.workspace.prepare()  # Prefect keeps its database there and cannot make the folder above its own
    from flows.nightly import has_orchestrator, nightly

    with console_log(None if quiet else errors):
        run = nightly if has_orchestrator() else nightly.fn
        return run(
            str(command.config_folder),
            str(command.workspace.root),
            as_of.isoformat(),
            rebuild or is_past,
            tuple(accept_shrink),
        )


def _known_state(command: Command) -> "Engine | None":
    """The operational state; None before the first run of a workspace. Looking makes nothing."""
    from flows.state.database import open_state

    url = command.config().settings.state_url
    if url is None and not command.workspace.state_file.is_file():
        return None
    return open_state(url or command.workspace.state_url)


def _today(zone: ZoneInfo) -> date:
    """The business date that has just ended, or is about to."""
    from flows.operate.schedule import business_date

    return business_date(datetime.now(zone))


def _zone(command: Command) -> ZoneInfo:
    try:
        return command.config().settings.zone
    except ConfigError:
        return ZoneInfo("UTC")


def _is_chinese(command: Command) -> bool:
    return command.config().settings.language == "zh"


def _quarantine(command: Command, as_of: datetime | None, entity: str | None, reason: str | None) -> "pl.DataFrame":
    from flows.history.change_log import nights
    from flows.history.quarantine import read_quarantine

    known = nights(command.workspace)
    if as_of is None and not known:
        raise PermanentError("Expected at least one recorded night, found none. Run: planloop refresh")
    return read_quarantine(command.workspace, as_of.date() if as_of else known[-1], entity=entity, reason=reason)


if __name__ == "__main__":
    main()

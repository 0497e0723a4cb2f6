"""``planloop status``, ``doctor`` and ``schedule``: the set-up and what ran in it."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.context import PROJECT, Command, Json, console, errors, known_state, today, zone
from flows.operate.display import print_rows


def status(context: typer.Context, as_json: Json = False) -> None:
    """Show the last runs and what is published.

    Example: planloop status
    """
    from flows.operate.lock import lock_holder
    from flows.publish.versions import current_manifest
    from flows.state import runs

    command: Command = context.obj
    state = known_state(command)
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


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Look at everything a night needs, and say what is wrong and how to mend it.

    Example: planloop doctor
    """
    from flows.operate.doctor import diagnose

    command: Command = context.obj
    found = diagnose(command.config_folder, command.workspace, command.env, today=today(zone(command)))
    rows = [{"level": item.level, "what": item.what, "found": item.found, "remedy": item.remedy} for item in found]
    print_rows(console, "Doctor", rows, as_json=as_json)
    raise typer.Exit(1 if any(item.level == "fail" for item in found) else 0)


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

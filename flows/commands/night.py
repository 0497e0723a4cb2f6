"""``planloop refresh`` and ``planloop demo``: run nights."""

from datetime import date, timedelta
from typing import Annotated, Any

import typer

from flows.commands.context import AsOf, Command, Json, console, errors, today
from flows.errors import ConfigError
from flows.operate.display import print_summary


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
        console.print(f"\nOpen the report: {summary['report']}", soft_wrap=True)
        console.print(
            f"Query the marts:  {command.workspace.published / 'marts.duckdb'} (schema marts)", soft_wrap=True
        )
    raise typer.Exit(summary["exit_code"])


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
    as_of, is_past = settle_as_of(as_of, today=today(config.settings.zone), known=known)
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

"""``planloop alerts``: what is off course."""

from typing import Annotated

import typer

from flows.commands.context import Command, Json, console, known_state
from flows.operate.display import print_rows

app = typer.Typer(no_args_is_help=True, help="Alerts and their state.")


@app.command("list")
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
    state = known_state(command)
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

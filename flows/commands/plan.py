"""``planloop plan``: the plan of a fiscal year as files, versions and cells."""

from typing import Annotated

import typer

from flows.commands.context import Command, Json, console
from flows.operate.display import print_json, print_rows

app = typer.Typer(no_args_is_help=True, help="The sales plan: its versions, what differs between them, its workbook.")


@app.command()
def diff(
    context: typer.Context,
    version_a: Annotated[str, typer.Argument(help="Id of the version before.")],
    version_b: Annotated[str, typer.Argument(help="Id of the version after.")],
    as_json: Json = False,
) -> None:
    """Show what differs between two versions: what they state.

    Example: planloop plan diff 2026-v1 2026-v2
    """
    from flows.planning.difference import find_version, of_versions

    command: Command = context.obj
    plans = command.config().plans
    before, after = find_version(plans, version_a), find_version(plans, version_b)
    stated = [one.record() for one in of_versions(before, after)]
    if as_json:
        print_json(console, {"from": before.id, "to": after.id, "stated": stated})
        return
    print_rows(console, f"{before.id} → {after.id}", stated, as_json=False)

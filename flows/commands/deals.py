"""``planloop deals``: deals that need a push, and those that somebody has put aside."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from flows.commands.context import Command, Json, console
from flows.operate.display import print_rows

app = typer.Typer(no_args_is_help=True, help="Open deals: which need a push; put one aside, take it up again.")
By = Annotated[str | None, typer.Option("--by", help="Who says so; by default the user of this machine.")]
Deal = Annotated[str, typer.Argument(help="Id of the deal, as in the CRM.")]


@app.command("list")
def deals_list(
    context: typer.Context,
    snoozed: Annotated[bool, typer.Option("--snoozed", help="Those that are put aside, instead.")] = False,
    include_all: Annotated[bool, typer.Option("--all", help="All open deals.")] = False,
    as_json: Json = False,
) -> None:
    """List the deals of the newest published night that only lie there and are not put aside, the largest first.

    Example: planloop deals list --snoozed
    """
    from flows.publish.deals import open_deals

    command: Command = context.obj
    if snoozed:
        rows = _snoozed(command)
    else:
        rows = [deal for deal in open_deals(command.workspace) if include_all or deal["needs_push"]]
    print_rows(console, "Snoozed deals" if snoozed else "Deals", rows, as_json=as_json)


@app.command("snooze")
def deals_snooze(
    context: typer.Context,
    opportunity_id: Deal,
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Night on which it is back.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it may wait.")],
    by: By = None,
) -> None:
    """Put an open deal aside until a night: it keeps its flags and leaves the list of those to push.

    Example: planloop deals snooze OPP-0001755 --until 2026-12-15 --reason "budget comes in the new year"
    """
    from flows.publish.deals import require_open_deal
    from flows.state.database import open_state
    from flows.state.snoozes import put_aside

    command: Command = context.obj
    config = command.config()
    require_open_deal(command.workspace, opportunity_id)
    now = datetime.now(config.settings.zone)
    made = put_aside(
        open_state(config.settings.state_url or command.workspace.state_url),
        opportunity_id,
        until=until.date(),
        reason=reason,
        by=by or getpass.getuser(),
        today=now.date(),
        now=now.astimezone(UTC).replace(tzinfo=None),
    )
    console.print(
        f"{opportunity_id} is put aside by {made.snoozed_by}: off the list from the night of {made.from_on},"
        f" back on that of {made.until_on}.",
        highlight=False,
    )


@app.command("unsnooze")
def deals_unsnooze(context: typer.Context, opportunity_id: Deal, by: By = None) -> None:
    """Take up a deal that was put aside: from the next night on it is on the list again, if it needs a push.

    Example: planloop deals unsnooze OPP-0001755
    """
    from flows.state.database import open_state
    from flows.state.snoozes import take_up

    command: Command = context.obj
    config = command.config()
    night = take_up(
        open_state(config.settings.state_url or command.workspace.state_url),
        opportunity_id,
        by=by or getpass.getuser(),
        today=datetime.now(config.settings.zone).date(),
    )
    console.print(f"{opportunity_id} is taken up again from the night of {night} on.", highlight=False)


def _snoozed(command: Command) -> list[dict[str, object]]:
    """The snoozes that hold on the next night or a later one, newest first."""
    from flows.commands.context import known_state
    from flows.state.snoozes import next_night, snoozes

    state = known_state(command)
    if state is None:
        return []
    night = next_night(state, datetime.now(command.config().settings.zone).date())
    return [
        {name: value for name, value in vars(made).items() if name not in ("ended_on", "ended_by")}
        for made in snoozes(state)
        if made.until_on > night and (made.ended_on is None or made.ended_on > night)
    ]

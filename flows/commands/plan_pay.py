"""``planloop plan pay``: pay slips of the published night."""

from typing import Annotated, cast

import typer

from flows.commands.context import Command, Json, console
from flows.config.settings import Language
from flows.operate.display import print_json


def pay(
    context: typer.Context,
    person: Annotated[
        str | None, typer.Option(help="user_id or name; by default everybody who is paid.", show_default=False)
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(
            help="2026-Q1, 2026-M03, 2026-H1, 2026-year or 2026-03; by default those not over.", show_default=False
        ),
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="zh or en; by default the company's language.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Print pay slips: each line with its base, rate and amount, what was taken back or advanced, and the total.

    Example: planloop plan pay --person U0001 --period 2026-Q1
    """
    from flows.publish.pay import pay_period, read_pay, worded

    if lang not in (None, "zh", "en"):
        raise typer.BadParameter(f"expected zh or en, found {lang}", param_hint="--lang")
    command: Command = context.obj
    settings = command.config().settings
    language = settings.language if lang is None else cast("Language", lang)
    asked = pay_period(settings.fiscal, period) if period else None
    slips = read_pay(command.workspace.published / "marts.duckdb", person, asked)
    if as_json:
        print_json(console, [{**vars(slip), "total": slip.total} for slip in slips])
        return
    if not slips:
        console.print("没有工资单。" if language == "zh" else "No pay slip.")
    for slip in slips:
        console.print("\n".join(worded(slip, language)), markup=False, highlight=False, soft_wrap=True)

"""``planloop init``: a first configuration for a company, by the way it sells."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from flows.commands.context import Command, console, today
from flows.config.plan.model import PlanFlavour
from flows.config.settings import Language


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; files in it are never overwritten.")],
    flavour: Annotated[PlanFlavour, typer.Option(help="How the company sells.")],
    language: Annotated[Language, typer.Option(help="Of comments, pages and mails.")] = "zh",
    country: Annotated[
        str | None,
        typer.Option(help="Where the company works: its holidays, time zone, currency. Name or code; China for zh."),
    ] = None,
    year: Annotated[
        int | None, typer.Option(help="Fiscal year of the plan; by default this one.", min=2000, max=2100)
    ] = None,
) -> None:
    """Write a commented configuration: settings, sources, stages, alerts, a plan, and empty exports to fill in.

    Example: planloop init my-company --flavour saas --language en --country Germany --year 2027
    """
    from flows.onboard.countries import country_named
    from flows.onboard.flavours import new_company, relative, write_company

    if country is None and language != "zh":
        raise typer.BadParameter(
            "whose public holidays are no working days? Such as US, Germany", param_hint="--country"
        )
    command: Command = context.obj
    where = folder.resolve()
    planned = year or today(ZoneInfo("UTC")).year
    texts = new_company(where, flavour, language, country_named(country or "CN"), planned)
    write_company(texts, where, command.env)
    for name in relative(texts, where):
        console.print(f"  {name}", markup=False, highlight=False, soft_wrap=True)
    said = {
        "en": f"Written to {folder}. Change what differs, fill exports/, then: planloop --config {folder} plan check",
        "zh": f"已写入 {folder}。请按实际修改并把数据填进 exports/，然后运行：planloop --config {folder} plan check",
    }
    console.print(said[language], markup=False, highlight=False, soft_wrap=True)

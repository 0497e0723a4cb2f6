"""``planloop waterfall``: how the pipeline came from one day to another."""

from datetime import date, datetime
from typing import Annotated

import typer

from flows.commands.context import Command, Json, console, is_chinese
from flows.config.settings import Language
from flows.operate.display import print_json, print_rows
from flows.warehouse.waterfall import MOVEMENTS, Waterfall, read_waterfall

_HEADINGS: dict[str, dict[Language, str]] = {
    "movement": {"en": "movement", "zh": "变动"},
    "amount": {"en": "amount", "zh": "金额"},
    "deals": {"en": "deals", "zh": "商机数"},
    "start": {"en": "start", "zh": "期初"},
    "created": {"en": "+ created", "zh": "+ 新建"},
    "pulled_in": {"en": "+ pulled in", "zh": "+ 提前/移入"},
    "reopened": {"en": "+ reopened", "zh": "+ 重新打开"},
    "transferred_in": {"en": "+ transferred in", "zh": "+ 转入"},
    "increase": {"en": "+ increase", "zh": "+ 增额"},
    "decrease": {"en": "- decrease", "zh": "− 减额"},
    "pushed_out": {"en": "- pushed out", "zh": "− 推迟/移出"},
    "transferred_out": {"en": "- transferred out", "zh": "− 转出"},
    "won": {"en": "- won", "zh": "− 赢单"},
    "lost": {"en": "- lost", "zh": "− 流失"},
    "deleted": {"en": "- deleted", "zh": "− 删除"},
    "end": {"en": "= end", "zh": "= 期末"},
}
_DAYS = ["%Y-%m-%d"]


def waterfall(
    context: typer.Context,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=_DAYS, help="First day; default: of the period or quarter.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=_DAYS, help="Last day; by default the newest published night.")
    ] = None,
    closing_in: Annotated[
        str | None,
        typer.Option(
            help="Only deals expected to close in 2026, 2026Q3, 2026P9 (fiscal) or 2026-09; by default every open deal."
        ),
    ] = None,
    node: Annotated[str, typer.Option(help="Key or name of a node of the organisation.")] = "company",
    as_json: Json = False,
) -> None:
    """Show what came into the pipeline, changed and left it between two days, from the published marts.

    Example: planloop waterfall --from 2026-09-01 --to 2026-09-15 --closing-in 2026Q3
    """
    command: Command = context.obj
    found = read_waterfall(
        command.workspace.published / "marts.duckdb",
        first.date() if first else None,
        until.date() if until else None,
        closing_in,
        node,
    )
    if as_json:
        print_json(console, _document(found))
        return
    language: Language = "zh" if is_chinese(command) else "en"
    said = {name: words[language] for name, words in _HEADINGS.items()}
    rows = [
        {
            said["movement"]: said[movement],
            said["amount"]: f"{found.amounts[movement]:,.2f}",
            said["deals"]: found.deals[movement],
        }
        for movement in MOVEMENTS
    ]
    console.print(_title(found, language), markup=False, highlight=False, soft_wrap=True)
    print_rows(console, "", rows, as_json=False)


def _document(found: Waterfall) -> dict[str, object]:
    months: tuple[date | None, date | None] = found.closing_in or (None, None)
    return {
        "as_of_date": found.as_of_date,
        "node_key": found.node_key,
        "from": found.first_on,
        "to": found.until_on,
        "closing_from_month": months[0],
        "closing_to_month": months[1],
        "movements": [
            {"movement": movement, "amount": found.amounts[movement], "deals": found.deals[movement]}
            for movement in MOVEMENTS
        ],
    }


def _title(found: Waterfall, language: Language) -> str:
    closing = ""
    if found.closing_in:
        first, last = (f"{month:%Y-%m}" for month in found.closing_in)
        months = first if first == last else f"{first} – {last}"
        closing = f",预计 {months} 成交" if language == "zh" else f", closing in {months}"
    if language == "zh":
        return f"{found.node_key}:{found.first_on} 至 {found.until_on} 的管道变动{closing}"
    return f"{found.node_key}: pipeline from {found.first_on} to {found.until_on}{closing}"

"""``planloop plan``: the plan of a fiscal year as files, versions and cells."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, cast

import typer

from flows.commands import plan_cells, plan_files, plan_pay
from flows.commands.context import Command, Json, console, today
from flows.config import load
from flows.config.fiscal import FiscalCalendar
from flows.config.settings import Language
from flows.operate.display import print_json, print_rows

app = typer.Typer(no_args_is_help=True, help="The sales plan: its versions, what differs between them, its workbook.")
app.command()(plan_files.diff)
app.command("export")(plan_files.export_workbook)
app.command("import")(plan_files.import_workbook)
for _command in (plan_cells.allocate, plan_cells.show, plan_cells.explain, plan_cells.restate, plan_pay.pay):
    app.command()(_command)


@app.command()
def check(
    context: typer.Context,
    year: Annotated[
        int | None,
        typer.Argument(help="Fiscal year; by default the running one and those to come.", show_default=False),
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="zh or en; by default the company's language.", show_default=False)
    ] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Write the verdicts and all reasons into this workbook.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print what passes, too.")] = False,
    as_json: Json = False,
) -> None:
    """Check targets, goals, initiatives, actions: specific, measurable, achievable, relevant, time-bound, and whose.

    Ends with 0 where nothing fails, with 1 where something does; warnings change nothing. Works before the first night.

    Example: planloop plan check 2026 --xlsx check.xlsx
    """
    from flows.planning.check.company import check_plans
    from flows.planning.check.wording import records, rows, title
    from flows.planning.check.workbook import write_check

    if lang not in (None, "zh", "en"):
        raise typer.BadParameter(f"expected zh or en, found {lang}", param_hint="--lang")
    command: Command = context.obj
    faults: list[str] = []
    config = load(command.config_folder, command.env, faults_of_plans=faults)
    language = config.settings.language if lang is None else cast("Language", lang)
    marts, log = command.workspace.published / "marts.duckdb", command.workspace.history
    reports = check_plans(config, faults, marts, log, today(config.settings.zone), year)
    if xlsx is not None:
        write_check(reports, xlsx, language)
    if as_json:
        print_json(console, [record for report in reports for record in records(report)])
    else:
        for report in reports:
            found = rows(report, language, everything=everything)
            print_rows(console, title(report, language), found, as_json=False)
    if any(report.count("fail") for report in reports):
        raise typer.Exit(1)


@app.command()
def activities(
    context: typer.Context,
    person: Annotated[
        str | None, typer.Option(help="user_id or name of a rep; by default every rep.", show_default=False)
    ] = None,
    week: Annotated[
        str | None,
        typer.Option(help="2026-W47, or a day in it; by default the week of the published night.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what each rep has to do in a week, day by day: activity targets on working days, from the published marts.

    Example: planloop plan activities --person U0001 --week 2026-W47
    """
    from flows.planning.funnel.activity_days import read_week
    from flows.warehouse.calendars import calendars_of

    command: Command = context.obj
    config = command.config()
    calendars = calendars_of(config)
    monday, found = read_week(command.workspace.published / "marts.duckdb", week, person, calendars)
    if as_json:
        print_json(console, [{**vars(one), "days": _dated(one.days), "months": _dated(one.months)} for one in found])
        return
    chinese = config.settings.language == "zh"
    head = ("姓名", "活动", "本周", "当月") if chinese else ("rep", "activity", "week", "month")
    days = sorted({day for one in found for day in one.days})
    rows = [
        {
            head[0]: f"{one.name} ({one.user_id})",
            head[1]: one.metric,
            **{f"{day:%m-%d}": one.days.get(day, 0) for day in days},
            head[2]: sum(one.days.values()),
            head[3]: " + ".join(
                f"{_month(config.settings.fiscal, start)}: {units:,}" for start, units in sorted(one.months.items())
            ),
        }
        for one in found
    ]
    title = f"{monday:%G-W%V} 的活动目标" if chinese else f"Activity targets of {monday:%G-W%V}"
    print_rows(console, title, rows, as_json=False)


def _month(fiscal: FiscalCalendar, start_on: date) -> str:
    return f"{start_on:%Y-%m}" if fiscal.pattern == "months" else fiscal.period_of(start_on, "month").title


def _dated(units: Mapping[date, int]) -> dict[str, int]:
    return {day.isoformat(): n for day, n in sorted(units.items())}

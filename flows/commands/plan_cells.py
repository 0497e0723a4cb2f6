"""``planloop plan allocate | show | explain | restate``: the cells of a plan, and how they came about."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.context import Command, Json, console, is_chinese, today
from flows.errors import ConfigError
from flows.operate.display import print_json, print_rows

Year = Annotated[int | None, typer.Argument(help="Fiscal year; by default that of the newest published night.")]
VersionId = Annotated[str | None, typer.Option("--version", help="Id of a version; by default the one in force.")]
Xlsx = Annotated[Path | None, typer.Option("--xlsx", help="Write the cells to this workbook.")]


def allocate(
    context: typer.Context,
    year: Year = None,
    version: Annotated[str | None, typer.Option("--version", help="Only this version.")] = None,
    xlsx: Xlsx = None,
    as_json: Json = False,
) -> None:
    """Show what a night would take of a plan: targets, the ways to them beside, over-assignment. Nothing is published.

    Example: planloop plan allocate 2026 --version 2026-v2
    """
    from flows.planning.night import notes_of
    from flows.planning.show import headed, target_rows, write_workbook
    from flows.planning.trial import try_plan

    command: Command = context.obj
    config = command.config()
    trial = try_plan(config, command.workspace, year, today(config.settings.zone))
    shown = [trial.version(version)] if version else list(trial.versions)
    if xlsx is not None:
        write_workbook(xlsx, trial.version(version), trial.version(version).targets, trial.setting.fiscal)
    notes = notes_of(shown)
    if as_json:
        document = [
            {"plan_version": one.version.id, "cells": one.targets.height, "targets": target_rows(one)} for one in shown
        ]
        print_json(console, {"as_of_date": trial.as_of, "versions": document, "notes": notes})
        return
    for one in shown:
        state = "sealed" if one.allocation is None else "allocated from " + str(trial.as_of or "no night yet")
        title = f"{one.version.id} ({one.version.effective_on}): {one.targets.height} cells, {state}"
        print_rows(console, title, headed(target_rows(one), config.settings.language), as_json=False)
    for note in notes:
        console.print(note, markup=False, soft_wrap=True)


def show(
    context: typer.Context,
    year: Year = None,
    version: VersionId = None,
    metric: Annotated[str | None, typer.Option(help="Only this metric.")] = None,
    node: Annotated[str | None, typer.Option(help="Only this node and those below it.")] = None,
    period: Annotated[
        str | None, typer.Option(help="Only this period and those within it: Q3, H1, M07, 2026-07.")
    ] = None,
    stretch: Annotated[bool, typer.Option("--stretch", help="Stretch targets instead of base.")] = False,
    xlsx: Xlsx = None,
    as_json: Json = False,
) -> None:
    """Print a version: the organisation down, the periods across.

    Example: planloop plan show 2026 --metric bookings --node "region:North" --period Q3
    """
    from flows.planning.files.words import meant
    from flows.planning.show import LEFT_OUT, cells, from_the_top, headed, period_of, tree_rows, write_workbook
    from flows.planning.trial import try_plan

    command: Command = context.obj
    config = command.config()
    trial = try_plan(config, command.workspace, year, today(config.settings.zone))
    one, fiscal = trial.version(version), trial.setting.fiscal
    span = period_of(fiscal, one.version.year, meant("pins", "period", period)) if period else None
    metric, node = (said and meant("pins", field, said) for field, said in (("metric", metric), ("node", node)))
    found = cells(one, metric=metric, node=node, period=span)
    if xlsx is not None:
        write_workbook(xlsx, one, found, fiscal)
    if as_json:
        print_json(console, {"plan_version": one.version.id, "cells": found.to_dicts()})
        return
    language = config.settings.language
    found, left_out = from_the_top(found)
    rows = headed(tree_rows(found, fiscal, one.version.year, stretch=stretch), language)
    print_rows(console, f"{one.version.id}: {one.version.own.reason}", rows, as_json=False)
    if left_out:
        console.print(LEFT_OUT[language].format(n=left_out), markup=False, soft_wrap=True)


def explain(
    context: typer.Context,
    node: Annotated[str, typer.Argument(help="company, region:<name>, team:<region>/<name> or rep:<user_id>.")],
    period: Annotated[str, typer.Argument(help="year, H1, Q3, M07 or 2026-07.")],
    metric: Annotated[str, typer.Option(help="The metric of the cell.")] = "bookings",
    year: Annotated[int | None, typer.Option(help="Fiscal year; by default that of the newest night.")] = None,
    version: VersionId = None,
    as_json: Json = False,
) -> None:
    """Say how one cell came about: which target, which weights, which capacity, which rounding.

    Words of the Chinese planning workbook are understood as well: 公司, 人员:U0007, 上半年, 签约额.

    Example: planloop plan explain rep:U0007 2026-07 --metric margin
    """
    from flows.planning.explain import explain as explained
    from flows.planning.files.words import meant
    from flows.planning.show import period_of
    from flows.planning.trial import try_plan

    command: Command = context.obj
    config = command.config()
    trial = try_plan(config, command.workspace, year, today(config.settings.zone))
    one = trial.version(version)
    metric, node, period = (
        meant("pins", field, said) for field, said in (("metric", metric), ("node", node), ("period", period))
    )
    span = period_of(trial.setting.fiscal, one.version.year, period)
    lines = explained(trial, one, metric, node, span, "zh" if is_chinese(command) else "en")
    if as_json:
        print_json(console, {"plan_version": one.version.id, "lines": lines})
        return
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def restate(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of a version that is in force.")],
    reason: Annotated[str, typer.Option(help="Why targets that people worked against are changed after the fact.")],
    as_json: Json = False,
) -> None:
    """Let the next night allocate a sealed version anew, and those after it, which carry its months; what was stays.

    Example: planloop plan restate 2026-v1 --reason "quota of the north was stated twice"
    """
    from flows.config.plan import resolved
    from flows.operate.lock import night_lock
    from flows.planning.seal import restate as opened
    from flows.planning.seal import sealed_from

    command: Command = context.obj
    config = command.config()
    plans = [[one.id for one in resolved(plan)] for plan in config.plans]
    # A version that no file states any more is known by its seal.
    ids = next((ids[ids.index(version) :] for ids in plans if version in ids), sealed_from(command.workspace, version))
    if not ids:
        known = ", ".join(one for ids in plans for one in ids) or "none"
        raise ConfigError([f"expected the id of a plan version, one of {known}; found {version!r}"])
    command.workspace.prepare()
    with night_lock(command.workspace.lock):
        changed = opened(command.workspace, ids, reason=reason, on=today(config.settings.zone))
    rows = [{"plan_version": one, "reason": reason} for one in changed]
    print_rows(console, "Allocated anew by the next night", rows, as_json=as_json)

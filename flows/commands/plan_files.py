"""``planloop plan diff | export | import``: the plan as files and workbooks, and what differs between them."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.context import Command, Json, console, today
from flows.config.settings import Language
from flows.operate.display import print_json, print_rows


def diff(
    context: typer.Context,
    version_a: Annotated[str, typer.Argument(help="Id of the version before.")],
    version_b: Annotated[str, typer.Argument(help="Id of the version after.")],
    node: Annotated[str, typer.Option(help="Node whose cells are printed; --json and --xlsx have all.")] = "company",
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="Write all differences to this workbook.")] = None,
    as_json: Json = False,
) -> None:
    """Show what differs between two versions: what they state, and what they ask of whom; over years, in whole years.

    Example: planloop plan diff 2026-v1 2026-v2 --node region:North
    """
    from flows.planning.cell_difference import headed, of_cells, of_years, write_differences
    from flows.planning.difference import find_version, of_versions
    from flows.planning.trial import try_plan

    command: Command = context.obj
    config = command.config()
    language = config.settings.language
    before, after = find_version(config.plans, version_a), find_version(config.plans, version_b)
    stated = [one.record() for one in of_versions(before, after)]
    now = today(config.settings.zone)
    trial = try_plan(config, command.workspace, before.year, now)
    old = trial.version(before.id).targets
    if before.year == after.year:
        cells = of_cells(old, trial.version(after.id).targets, config.settings.fiscal, before.year)
    else:
        other = try_plan(config, command.workspace, after.year, now)
        cells = of_years(old, other.version(after.id).targets)
    if xlsx is not None:
        write_differences(xlsx, stated, cells, language)
    if as_json:
        print_json(console, {"from": before.id, "to": after.id, "stated": stated, "cells": cells})
        return
    shown = headed([cell for cell in cells if cell["node_key"] == node], language)
    print_rows(console, f"{before.id} → {after.id}", headed(stated, language), as_json=False)
    print_rows(console, f"{node}: {len(shown)} / {len(cells)}", shown, as_json=False)
    if before.year != after.year:
        said = {
            "en": f"Fiscal {before.year} and {after.year}: whole years are compared; shorter periods only within one.",
            "zh": f"{before.year} 与 {after.year} 财年：比较全年合计；月、季度只在同一年内比较。",
        }
        console.print(said[language], markup=False, highlight=False, soft_wrap=True)


def export_workbook(
    context: typer.Context,
    year: Annotated[int, typer.Argument(help="Fiscal year, named by the calendar year in which it ends.")],
    file: Annotated[Path, typer.Argument(help="Workbook to write (.xlsx).")],
    lang: Annotated[Language | None, typer.Option(help="Of headings; by default the company's.")] = None,
) -> None:
    """Write a year's plan as a workbook that people can fill in and give back.

    Example: planloop plan export 2026 plan-2026.xlsx
    """
    from flows.planning.files.plan_files import plan_of
    from flows.planning.files.workbook import write_workbook

    command: Command = context.obj
    if file.suffix.lower() != ".xlsx":
        raise typer.BadParameter(f"expected a name that ends in .xlsx, found {file.name}", param_hint="FILE")
    config = command.config()
    write_workbook(plan_of(config.plans, year), file, lang or config.settings.language)
    console.print(f"Written: {file}", markup=False, highlight=False, soft_wrap=True)


def import_workbook(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Planning workbook, as `plan export` writes it.", exists=True)],
    write: Annotated[bool, typer.Option("--write", help="Write the plan file; else only show.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a planning workbook changes in the plan of its year, and write it with --write; amounts are tried.

    Example: planloop plan import plan-2026.xlsx --write
    """
    from flows.config import load
    from flows.planning.files import plan_files
    from flows.planning.trial import try_proposed

    command: Command = context.obj
    settings, company = plan_files.company_settings(command.config_folder)
    found = plan_files.proposed(file, command.config_folder, company)
    config = load(command.config_folder, command.env, faults_of_plans=[])
    refused = try_proposed(config, command.workspace, found.plan, found.at, today(settings.zone))
    is_written = write and bool(found.differences)
    if is_written:
        plan_files.write(found, command.config_folder, command.env, settings.language)
    changes = [one.record() for one in found.differences]
    if as_json:
        print_json(console, {"path": str(found.path), "differences": changes, "written": is_written, "sealed": refused})
        return
    print_rows(console, f"{file.name} → {found.path}", changes, as_json=False)
    for line in refused:
        console.print(f"The next night will refuse it: {line}", markup=False, highlight=False, soft_wrap=True)
    said = "The plan file says the same already; it stays as it is."
    if is_written:
        said = f"Written: {found.path}"
    elif found.differences:
        lost = " Comments in the file are kept only where they stand before its first line." if found.replaces else ""
        said = f"Nothing was written; add --write.{lost}"
    console.print(said, markup=False, highlight=False, soft_wrap=True)

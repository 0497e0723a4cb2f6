"""How results look on a terminal: one table or list a command, or one JSON document where a script reads it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

FILE_COLUMNS = ("source", "file", "status", "in", "accepted", "quarantined", "new", "changed", "deleted")
_AS_STATED = ("source", "file", "status")
_UNLIMITED = 100_000
"""Width of a page that nobody looks at on a terminal: a log or another program gets each record on one line."""


def print_rows(console: Console, title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print records with the same keys."""
    if as_json:
        print_json(console, rows)
        return
    if not rows:
        console.print(f"{title}: none", markup=False)
        return
    table = Table(title=title, title_justify="left")
    for name, value in rows[0].items():
        table.add_column(name, justify="right" if isinstance(value, int) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    if not console.is_terminal:
        natural = Measurement.get(console, console.options.update(width=_UNLIMITED), table).maximum
        console.width = max(console.width, natural)
    console.print(table)


def print_json(console: Console, document: object) -> None:
    """Print one JSON document and nothing else; moments, dates and decimals as text."""
    console.file.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")


TARGET_NOTICES = {
    "unplaced_targets": (
        "Targets without a place, counted in no sum; mend the name or period in the plan, or the users:"
    ),
    "targets_beside_plan": "Targets of a source that the plan file states too; the plan file holds:",
    "plan_fails": "Statements of the plan that fail `planloop plan check`; the night goes on:",
}
"""What the summary says of targets that nobody is held to."""


def print_summary(console: Console, summary: Mapping[str, Any], *, as_json: bool) -> None:
    """Print how a run ended: its files, what was reported about them, alerts, mails, and where everything lies."""
    if as_json:
        print_json(console, summary)
        return
    files = [
        {name: file[name if name in _AS_STATED else f"rows_{name}"] for name in FILE_COLUMNS}
        for file in summary["files"]
    ]
    if files:
        print_rows(console, f"Run {summary['run_id']}, as of {summary['as_of_date']}", files, as_json=False)
    for file in summary["files"]:
        notes = _notes(file, summary["language"])
        if notes:
            where = f"{file['source']}, {file['file']}" if file["file"] else file["source"]
            console.print(f"  {where}: {'; '.join(notes)}", markup=False, soft_wrap=True)
    if summary["warnings"]:
        console.print("Warnings of the audit; the night was published all the same:")
    for warning in summary["warnings"]:
        console.print(f"  {warning}", markup=False, soft_wrap=True)
    for notice, told in TARGET_NOTICES.items():
        if summary[notice]:
            console.print(told)
        for target in summary[notice]:
            console.print(f"  {target}", markup=False, soft_wrap=True)
    alerts, mails = summary["alerts"], summary["mails"]
    console.print(
        f"Alerts: {alerts['opened']} opened, {alerts['worsened']} worsened, {alerts['resolved']} resolved. "
        f"Mails: {mails['sent']} sent, {mails['pending']} waiting."
    )
    beside = "" if summary["is_current"] else " (beside the current version: readers stay where they are)"
    console.print(f"Published: {summary['published']}{beside}", markup=False, soft_wrap=True)
    console.print(f"Report: {summary['report']}", markup=False, soft_wrap=True)


def _notes(file: Mapping[str, Any], language: str) -> list[str]:
    """What is worth saying of a file besides its counts."""
    unknown = file["unknown_columns"]
    notes = [file["message"]] if file["message"] else []
    notes += [f"columns not mapped: {', '.join(unknown)}"] if unknown else []
    changed, noticed = file[f"drift_{language}"], file[f"notice_{language}"]
    notes += [f"changed since the last night: {changed}"] if changed else []
    return [*notes, noticed] if noticed else notes


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Mapping):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)

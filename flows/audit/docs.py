"""The page of the audit: GX's validation results with every measurement, in both languages, readable offline.

Why not GX's own Data Docs: their pages load styles and scripts from some 17 addresses on the internet, and without
these they are neither laid out nor do they unfold; they show an expectation as ``expected must be equal to found``, not
what the rule promises; and they know one language. This page is one file without a script, and GX's result lies beside
it, unchanged, as ``validation_result.json``.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.audit.result import AuditResult, shown

if TYPE_CHECKING:
    import pandas as pd

PAGE, RESULT = "index.html", "validation_result.json"


def write_docs(result: AuditResult, frame: "pd.DataFrame", validation: dict[str, Any], folder: Path) -> Path:
    """Write the page and GX's result into ``folder``, each whole or not at all.

    Returns:
        The page.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("flows.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder.mkdir(parents=True, exist_ok=True)
    page = environment.get_template("data_docs.html.j2").render(
        result=result,
        outcomes=sorted(result.outcomes, key=lambda outcome: (outcome.passed, not outcome.rule.refuses)),
        measured=_by_rule(result, frame),
    )
    _write(folder / RESULT, json.dumps(validation, ensure_ascii=False, indent=1))
    return _write(folder / PAGE, page)


def _by_rule(result: AuditResult, frame: "pd.DataFrame") -> dict[str, list[dict[str, Any]]]:
    """The measurements of every rule as a person reads them, those that do not hold first."""
    failed = {(finding.rule, finding.table, finding.subject) for finding in result.findings}
    units = {outcome.rule.id: outcome.rule.unit for outcome in result.outcomes}
    measured: dict[str, list[dict[str, Any]]] = {rule: [] for rule in units}
    for row in frame.to_dict("records"):
        unit = units[row["rule"]]
        measured[row["rule"]].append(
            {
                "table": row["table_name"],
                "subject": row["subject"],
                "expected": shown(row["expected"], unit),
                "found": shown(row["found"], unit),
                "detail": row["error"] or row["detail"] or "",
                "holds": row["error"] is None and (row["rule"], row["table_name"], row["subject"]) not in failed,
            }
        )
    for rows in measured.values():
        rows.sort(key=lambda row: bool(row["holds"]))
    return measured


def _write(path: Path, text: str) -> Path:
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    return partial.replace(path)

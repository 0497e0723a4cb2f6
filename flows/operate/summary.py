"""What a run says when it ends: one mapping, printed as a table, as JSON, and shown on the report page."""

from typing import Any

from flows.operate.night import Night, exit_code


def summarize(night: Night) -> dict[str, Any]:
    """The outcome of a finished run.

    Returns:
        run_id, as_of_date, is_rebuild, is_current, exit_code, published (folder), report (page), files (accounting of
        each input file), warnings (what the audit let pass and a person should know, in the operator's language), audit
        (rules passed and in all), alerts (opened, resolved), mails (sent, pending).
    """
    published = night.result("publish")
    language = night.config.settings.operator.language
    return {
        "run_id": night.run_id,
        "as_of_date": night.as_of.isoformat(),
        "is_rebuild": night.is_rebuild,
        "is_current": published.get("is_current"),
        "exit_code": exit_code(night),
        "published": published.get("folder"),
        "tables": published.get("tables", {}),
        "report": night.result("report").get("page"),
        "files": night.result("record").get("files", []),
        "language": language,
        "warnings": [finding[f"message_{language}"] for finding in night.result("audit").get("findings", [])],
        "unplaced_targets": night.result("outlook").get("unplaced_targets", []),
        "targets_beside_plan": night.result("outlook").get("targets_beside_plan", []),
        "plan_fails": night.result("outlook").get("plan_fails", []),
        "audit": night.result("audit"),
        "alerts": {name: night.result("notify").get(name, 0) for name in ("opened", "worsened", "resolved")},
        "mails": {name: night.result("notify").get(name, 0) for name in ("sent", "pending")},
    }

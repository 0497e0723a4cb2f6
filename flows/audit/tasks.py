"""The edge of the audit: the closed candidate in, a verdict out."""

from typing import Any

from flows.audit.audit import audit as judge
from flows.errors import AuditRefused
from flows.ingest.delivery import tolerated
from flows.operate.night import Night
from flows.operate.tasks import show_table, show_text, stage_task
from flows.publish.versions import current_manifest


@stage_task("audit")
def audit(night: Night) -> dict[str, Any]:
    """Decide whether this night may be published."""
    return night.stage("audit", lambda: _audit(night))


def _audit(night: Night) -> dict[str, Any]:
    settings = night.config.settings
    result = judge(
        night.workspace.candidate,
        night.workspace.build,
        None if night.is_rebuild else current_manifest(night.workspace),
        settings,
        night.workspace.reports / night.run_id / "data_docs",
        night.accept_shrink,
        tolerated=tolerated(night.config.sources.sources),
        engine={"memory_limit": settings.engine.memory_limit, "threads": settings.engine.threads},
    )
    outcomes = [
        {
            "rule": outcome.rule.id,
            "passed": outcome.passed,
            "measured": outcome.measured,
            "found": "; ".join(finding.message(settings.language) for finding in outcome.findings[:3]),
        }
        for outcome in result.outcomes
    ]
    show_table("audit", outcomes, "What the audit measured, rule by rule")
    if not result.passed:
        explanation = result.explain(settings.operator.language)
        show_text("audit-refused", explanation)
        raise AuditRefused(explanation)
    return {**result.to_dict(), "outcomes": outcomes}

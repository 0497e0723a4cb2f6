"""The edge of the report: the published marts and what the run noted in, a page out."""

from typing import Any

from flows.operate.night import Night
from flows.operate.tasks import show_link, stage_task
from flows.publish.layout import version_database
from flows.report.page import AuditOutcome, RunFacts, StageOutcome, write_page


@stage_task("report")
def report(night: Night) -> dict[str, Any]:
    """Write the page of this night."""
    return night.stage("report", lambda: _report(night))


def _report(night: Night) -> dict[str, Any]:
    settings = night.config.settings
    notified = night.result("notify")
    facts = RunFacts(
        run_id=night.run_id,
        as_of=night.as_of,
        company=settings.company.name,
        company_en=settings.company.name_en or settings.company.name,
        currency=settings.reporting_currency,
        language=settings.language,
        is_rebuild=night.is_rebuild,
        stages=[StageOutcome(name, seconds) for name, seconds in night.manifest.seconds.items()],
        audit=[
            AuditOutcome(rule=outcome["rule"], passed=outcome["passed"], found=outcome["found"])
            for outcome in night.result("audit")["outcomes"]
        ],
        alerts={name: notified.get(name, 0) for name in ("opened", "worsened", "resolved", "sent", "pending")},
        data_docs="data_docs/index.html",
        fiscal=settings.fiscal,
    )
    marts = version_database(night.workspace.published, night.run_id)
    page = write_page(night.workspace.reports, marts, facts, is_latest=bool(night.result("publish")["is_current"]))
    show_link("report", page.as_uri(), "the report of this night")
    return {"page": str(page)}

"""The edge of alerts: marts and state in, mails out."""

import logging
import os
from datetime import UTC, date, datetime
from typing import Any

from flows.alerts.deliver import Delivered, deliver
from flows.alerts.deviations import read_deviations
from flows.alerts.mail import Letterhead
from flows.alerts.notices import Notified, notify_operator
from flows.alerts.notices import notify as take_in
from flows.alerts.outbox import pending
from flows.alerts.sources import news_of_sources
from flows.errors import AuditRefused, PlanloopError
from flows.operate.logs import log_event
from flows.operate.night import Night
from flows.operate.tasks import show_table, stage_task
from flows.publish.layout import version_database


@stage_task("notify")
def notify(night: Night) -> dict[str, Any]:
    """Take the published deviations into the alerts, then send what the outbox holds."""
    return night.stage("notify", lambda: _notify(night))


def tell_operator(night: Night, error: Exception) -> None:
    """Mail the operator that a night failed or was refused; a mail server that is away hides no first error."""
    what = "audit_refused" if isinstance(error, AuditRefused) else "night_failed"
    _write_to_operator(night, what, str(error).splitlines() or [type(error).__name__])
    try:
        _deliver(night)
    except PlanloopError as undelivered:
        log_event("notify", f"the operator's mail waits in the outbox: {undelivered}")


def _write_to_operator(night: Night, what: str, reasons: list[str]) -> None:
    operator = night.config.settings.operator
    notify_operator(
        night.state,
        what,
        reasons,
        recipient=operator.email,
        language=operator.language,
        as_of=night.as_of,
        run_id=night.run_id,
        letterhead=Letterhead.of(night.config.settings),
        now=datetime.now(UTC),
    )


def _notify(night: Night) -> dict[str, Any]:
    if night.unannounced is not None:
        _take_in(night, night.unannounced.run_id, date.fromisoformat(night.unannounced.as_of))
    taken = _take_in(night, night.run_id, night.as_of)
    marts = version_database(night.workspace.published, night.run_id)
    if lacking := news_of_sources(marts, night.config.settings.operator.language):
        _write_to_operator(night, "sources_lack", lacking)
    try:
        sent = _deliver(night)
    except PlanloopError as undelivered:  # the night is published; what waits is sent with the next one
        log_event("notify", f"mails wait in the outbox: {undelivered}", logging.ERROR)
        sent = Delivered()
    waiting = len(pending(night.state))
    outcome = {
        "opened": taken.opened,
        "worsened": taken.worsened,
        "resolved": taken.resolved,
        "skipped": taken.skipped,
        "sent": sent.sent,
        "refused": len(sent.refused),
        "pending": waiting,
    }
    show_table("notify", [outcome], "Alerts opened, worsened and resolved tonight; mails sent and waiting")
    return outcome


def _take_in(night: Night, run_id: str, as_of: date) -> Notified:
    marts = version_database(night.workspace.published, run_id)
    return take_in(
        night.state,
        read_deviations(marts),
        as_of=as_of,
        run_id=run_id,
        letterhead=Letterhead.of(night.config.settings),
        now=datetime.now(UTC),
    )


def _deliver(night: Night) -> Delivered:
    mail = night.config.settings.mail
    password = os.environ.get(mail.smtp.password_env) if mail.smtp else None
    return deliver(night.state, mail, password, folder=night.workspace.outbox, clock=lambda: datetime.now(UTC))

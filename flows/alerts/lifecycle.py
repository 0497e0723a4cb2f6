"""What tonight's deviations do to the open alerts: open, worsen, resolve, or nothing. Pure; no database, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from flows.alerts.deviations import Deviation
from flows.config.fiscal import FiscalCalendar, PeriodKind

Event = Literal["opened", "worsened", "resolved"]
Reason = Literal["recovered", "period_ended"]
SubjectKey = tuple[str, str, str, str, date]

_RANK = {"none": 0, "warn": 1, "critical": 2}


@dataclass(frozen=True)
class OpenAlert:
    """An alert that has been opened and not resolved.

    Attributes:
        severity: the worst it has been since it was opened; it never falls, so that it worsens at most once.
        measured: as of its last event.
        recipients: addresses that were mailed about it so far, each with the language it was written to in.
    """

    alert_id: str
    rule_id: str
    metric: str
    node_key: str
    node_name: str
    node_kind: str
    period_kind: PeriodKind
    period_start_on: date
    severity: str
    opened_on: date
    measured: float | None
    expected: float | None
    recipients: tuple[tuple[str, str], ...] = ()

    @property
    def subject_key(self) -> SubjectKey:
        """What the alert is about: at most one open alert has it."""
        return (self.rule_id, self.metric, self.node_key, self.period_kind, self.period_start_on)


@dataclass(frozen=True)
class Transition:
    """One step in the life of one alert, worth telling exactly once.

    Attributes:
        deviation: tonight's measurement; after the end of the period how it ended, None where nothing says so.
        alert: the alert it happens to; None for an opening.
        reason: why it was resolved, else None.
    """

    event: Event
    deviation: Deviation | None
    alert: OpenAlert | None
    reason: Reason | None = None

    @property
    def about(self) -> Deviation | OpenAlert:
        """Whichever of the two tells what it is about; tonight's measurement where there is one."""
        about = self.deviation or self.alert
        if about is None:
            raise ValueError("a transition is about a deviation or an alert")
        return about

    @property
    def severity(self) -> str:
        """Severity after the step."""
        if self.event == "resolved" and self.alert:
            return self.alert.severity
        return self.deviation.severity if self.deviation else "none"


def period_end(about: Deviation | OpenAlert, fiscal: FiscalCalendar) -> date:
    """Last day of the period that it is about, as the company counts its periods."""
    return fiscal.period_of(about.period_start_on, about.period_kind).end_on


def transitions(
    deviations: Iterable[Deviation], open_alerts: Iterable[OpenAlert], as_of: date, fiscal: FiscalCalendar
) -> list[Transition]:
    """Steps that tonight's measurements cause, ordered by what they are about.

    * nothing open and severity warn or critical: opened;
    * open as warn and now critical: worsened (once; an alert does not become milder again);
    * open and ``is_clear``: resolved as recovered; between the limits it stays open, without a word;
    * open and the period is over: resolved as ended, which is no recovery;
    * open and not measured tonight while the period runs: stays open. A missing measurement is not good news.

    Periods that are over never open an alert.
    """
    measured = {deviation.subject_key: deviation for deviation in deviations}
    alerts = {alert.subject_key: alert for alert in open_alerts}
    steps = []
    for key in sorted(measured.keys() | alerts.keys()):
        step = _step(measured.get(key), alerts.get(key), as_of, fiscal)
        if step:
            steps.append(step)
    return steps


def _step(
    deviation: Deviation | None, alert: OpenAlert | None, as_of: date, fiscal: FiscalCalendar
) -> Transition | None:
    about = alert or deviation
    if about is None:
        return None
    is_over = as_of > period_end(about, fiscal)
    if alert is None:
        opens = deviation is not None and _RANK[deviation.severity] > 0 and not deviation.is_clear and not is_over
        return Transition("opened", deviation, None) if opens else None
    if deviation is not None and deviation.is_clear:
        return Transition("resolved", deviation, alert, "recovered")
    if is_over:
        return Transition("resolved", deviation, alert, "period_ended")
    if deviation is not None and _RANK[deviation.severity] > _RANK[alert.severity]:
        return Transition("worsened", deviation, alert)
    return None

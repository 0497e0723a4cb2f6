"""Mails: one message about the steps of several alerts, and the notice to the operator; HTML and text, zh and en."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any

import css_inline
import jinja2

from flows.alerts.deviations import Deviation
from flows.alerts.lifecycle import Transition, period_end
from flows.alerts.outbox import Kind, Message
from flows.alerts.wording import WORDS, headline, lead, title
from flows.config.fiscal import FiscalCalendar
from flows.config.settings import Language, Settings
from flows.report import notation

SIZE_LIMIT = 100_000
"""Bytes of a whole message; mail programs cut longer ones."""
_DETAILED = 12
_LISTED = 60
_REASON_LINES = 30


@dataclass(frozen=True)
class Recipient:
    """Whom a mail goes to.

    Attributes:
        address: an address fit for an envelope.
        name: shown in the To header; None where not known.
        language: zh or en.
        on_behalf_of: whom the notices are really for, where they have no usable address.
    """

    address: str
    name: str | None
    language: Language
    on_behalf_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Letterhead:
    """What all mails of a company share."""

    company: str
    company_en: str
    sender: str
    currency: str
    language: Language
    fallback_recipient: str
    report_url: str | None = None
    fiscal: FiscalCalendar = FiscalCalendar()

    @classmethod
    def of(cls, settings: Settings) -> "Letterhead":
        """The letterhead that the settings describe."""
        return cls(
            company=settings.company.name,
            company_en=settings.company.name_en or settings.company.name,
            sender=settings.mail.sender,
            currency=settings.reporting_currency,
            language=settings.language,
            fallback_recipient=settings.mail.fallback_recipient,
            report_url=settings.mail.report_url,
            fiscal=settings.fiscal,
        )


def message_id(letterhead: Letterhead, *parts: object) -> str:
    """A Message-ID that is a function of ``parts`` alone."""
    digest = hashlib.sha256(json.dumps(parts, ensure_ascii=False, default=str).encode()).hexdigest()[:40]
    domain = parseaddr(letterhead.sender)[1].rpartition("@")[2]
    return f"<{digest}@{domain if domain.isascii() and domain else 'planloop.invalid'}>"


def steps_message(
    recipient: Recipient,
    steps: Sequence[tuple[str, Transition]],
    letterhead: Letterhead,
    as_of: date,
    now: datetime,
) -> Message:
    """One mail about everything that happened to the recipient's alerts in one night.

    Args:
        steps: alert id and step; the worst come first in the mail.
        now: aware moment for the Date header.
    """
    ordered = sorted(steps, key=lambda step: _weight(step[1]))
    language = recipient.language
    shown = [_facts(transition, letterhead, language, as_of) for _, transition in ordered]
    identity = message_id(
        letterhead, as_of, recipient.address, sorted([alert_id, step.event] for alert_id, step in steps)
    )
    subject = headline([step for _, step in ordered], letterhead.currency, language, letterhead.fiscal)
    kind: Kind = "resolved" if all(step.event == "resolved" for _, step in steps) else "alert"
    detailed, listed = _DETAILED, _LISTED
    while True:
        context = {
            "words": WORDS[language],
            "language": language,
            "company": letterhead.company if language == "zh" else letterhead.company_en,
            "as_of": as_of,
            "on_behalf_of": [notation.one_line(name) for name in recipient.on_behalf_of],
            "details": shown[:detailed],
            "brief": shown[detailed : detailed + listed],
            "untold": max(len(shown) - detailed - listed, 0),
            "report_url": letterhead.report_url,
        }
        payload = _payload("alert", context, recipient, letterhead, identity, subject, now)
        if len(payload) < SIZE_LIMIT or listed == 0:
            return Message(identity, as_of, recipient.address, kind, subject, payload)
        detailed, listed = (detailed // 2, listed) if detailed > 1 else (detailed, listed // 2)


def operator_message(
    what: str,
    reasons: Sequence[str],
    letterhead: Letterhead,
    *,
    recipient: str,
    language: Language,
    as_of: date,
    run_id: str,
    now: datetime,
) -> Message:
    """The notice to whoever runs the night: it was refused, it failed, or it lacks sources. One screen.

    The id depends on the night and the reasons, not on the run: trying the same night again says the same only once.

    Args:
        what: ``audit_refused``, ``night_failed`` or ``sources_lack``.
        reasons: one line each, the most important first.
    """
    words = WORDS[language]
    lines = [
        notation.one_line(line.strip().removeprefix("- "), 300)  # each becomes an item of the mail's own list
        for reason in reasons
        for line in reason.splitlines()
        if line.strip()
    ]
    company = letterhead.company if language == "zh" else letterhead.company_en
    subject = words[f"{what}_subject"].format(company=notation.one_line(company, 40), as_of=as_of)
    context = {
        "words": words,
        "language": language,
        "company": company,
        "as_of": as_of,
        "run_id": run_id,
        "title": words[f"{what}_title"],
        "meaning": words[f"{what}_meaning"],
        "next": words[f"{what}_next"].format(as_of=as_of),
        "reasons": lines[:_REASON_LINES],
        "untold": max(len(lines) - _REASON_LINES, 0),
        "report_url": letterhead.report_url,
    }
    identity = message_id(letterhead, as_of, recipient, what, lines)
    to = Recipient(recipient, None, language)
    payload = _payload("operator", context, to, letterhead, identity, subject, now)
    return Message(identity, as_of, recipient, "operator", subject, payload)


def _weight(step: Transition) -> tuple[object, ...]:
    """Alerts before resolved ones, critical before warn, company before region before rep."""
    kinds = ("company", "region", "team", "rep")
    about = step.about
    kind = kinds.index(about.node_kind) if about.node_kind in kinds else len(kinds)
    return (step.event == "resolved", step.severity != "critical", kind, about.measured or 0.0, about.node_key)


def _facts(step: Transition, letterhead: Letterhead, language: Language, as_of: date) -> dict[str, Any]:
    """What a template shows of one step; every figure already in words."""
    about, words = step.about, WORDS[language]
    return {
        "event": step.event,
        "tone": "good" if step.reason == "recovered" else "ended" if step.event == "resolved" else step.severity,
        "label": words[step.reason or step.event] if step.event != "opened" else words[step.severity],
        "title": title(about, language, letterhead.fiscal),
        "lead": lead(step, letterhead.currency, language, letterhead.fiscal),
        "period_end": period_end(about, letterhead.fiscal),
        "opened_on": step.alert.opened_on if step.alert else as_of,
        "rows": _figures(step, letterhead.currency, language),
    }


def _figures(step: Transition, currency: str, language: Language) -> list[tuple[str, str]]:
    """Label and figure, line by line: where the period stands and what it still takes, or how it ended."""
    deviation, words = step.deviation, WORDS[language]
    if deviation is None:
        return []
    metric = deviation.metric

    def line(label: str, amount: Decimal | None, below_zero: str | None = None) -> tuple[str, str]:
        if below_zero and amount is not None and amount < 0:
            label, amount = below_zero, -amount
        return words[label], notation.quantity(metric, amount, currency, language)

    result = [line("target", deviation.target_amount), line("actual", deviation.actual_amount)]
    left, pace = line("left", deviation.left_amount, "over"), notation.share(deviation.measured)
    if step.reason == "period_ended":
        return [*result, left, (words["attainment"], pace)]
    is_reached = deviation.left_amount is not None and deviation.left_amount <= 0
    return [
        *result,
        line("expected_to_date", deviation.expected_to_date_amount),
        line("behind", deviation.behind_amount, "ahead"),
        left,
        (words["pace"], pace),
        (words["days_left"], f"{deviation.working_days_remaining}{_estimated(deviation, language)}"),
        (words["needed_per_day"], words["reached"]) if is_reached else line("needed_per_day", deviation.needed_per_day),
    ]


def _estimated(deviation: Deviation, language: Language) -> str:
    """What qualifies working days that no government has announced yet."""
    return "" if deviation.is_calendar_published else WORDS[language]["calendar_estimated"]


def _payload(
    template: str,
    context: dict[str, Any],
    recipient: Recipient,
    letterhead: Letterhead,
    identity: str,
    subject: str,
    now: datetime,
) -> bytes:
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(letterhead.sender)
    message["Subject"] = subject
    message["From"] = Address(display_name=notation.one_line(name), addr_spec=address)
    message["To"] = Address(display_name=notation.one_line(recipient.name), addr_spec=recipient.address)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = identity
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "zh-CN" if recipient.language == "zh" else "en"
    text = _templates().get_template(f"{template}.txt.j2").render(subject=subject, **context)
    html = _templates().get_template(f"{template}.html.j2").render(subject=subject, **context)
    message.set_content(text, cte="base64")
    message.add_alternative(css_inline.CSSInliner(load_remote_stylesheets=False).inline(html), "html", cte="base64")
    message.set_boundary(f"planloop-{identity[1:33]}")
    return message.as_bytes()


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("flows.alerts"),
        autoescape=jinja2.select_autoescape(("html.j2",), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

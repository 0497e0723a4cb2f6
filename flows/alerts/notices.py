"""From deviations to the outbox: who is told what, one message a recipient and night, all in one transaction."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from flows.alerts import store
from flows.alerts.deviations import Deviation
from flows.alerts.lifecycle import Transition, transitions
from flows.alerts.mail import Letterhead, Recipient, operator_message, steps_message
from flows.alerts.outbox import enqueue
from flows.config.settings import Language
from flows.errors import PermanentError

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@([A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Notified:
    """What a night did to the alerts.

    Attributes:
        messages: new messages in the outbox.
        skipped: why nothing was looked at, else None.
    """

    opened: int = 0
    worsened: int = 0
    resolved: int = 0
    messages: int = 0
    skipped: str | None = None


def notify(
    engine: sa.Engine,
    deviations: Sequence[Deviation],
    *,
    as_of: date,
    run_id: str,
    letterhead: Letterhead,
    now: datetime,
) -> Notified:
    """Take tonight's deviations into the alerts and put the mails about them into the outbox, all or nothing.

    Run again for the same night it finds nothing left to do. A night older than the newest one taken in is a rebuild of
    the past: it changes no alert and mails nobody.

    Args:
        deviations: rows of ``mart_deviation`` of the night ``as_of``.
        now: aware moment for the Date header and the outbox.

    Raises:
        PermanentError: the deviations are not of the night ``as_of``.
    """
    strange = {deviation.as_of_date for deviation in deviations} - {as_of}
    if strange:
        raise PermanentError(
            f"Expected deviations of {as_of} in marts.mart_deviation, found {', '.join(map(str, sorted(strange)))}: "
            "the published version is not of this night. Run `planloop refresh` for the night that is to alert."
        )
    with engine.begin() as connection:
        newest = store.last_night(connection)
        if newest is not None and newest > as_of:
            return Notified(skipped=f"{as_of} is a past night: alerts already follow the night of {newest}")
        steps = transitions(deviations, store.open_alerts(connection), as_of, letterhead.fiscal)
        addressed = [(_alert_id(connection, step), step, _recipients(step, letterhead)) for step in steps]
        recorded = [
            store.Recorded(alert_id, step, {told.address: told.language for told in recipients})
            for alert_id, step, recipients in addressed
        ]
        store.record_steps(connection, recorded, as_of, run_id)
        store.record_night(connection, as_of, run_id)
        grouped: dict[str, list[tuple[str, Transition, Recipient]]] = defaultdict(list)
        for alert_id, step, recipients in addressed:
            for told in recipients:
                grouped[told.address].append((alert_id, step, told))
        messages = 0
        for address in sorted(grouped):
            entries = grouped[address]
            recipient = _merge([told for _, _, told in entries])
            message = steps_message(recipient, [entry[:2] for entry in entries], letterhead, as_of, now)
            messages += enqueue(connection, message, run_id, now)
    events = [step.event for step in steps]
    return Notified(events.count("opened"), events.count("worsened"), events.count("resolved"), messages)


def notify_operator(
    engine: sa.Engine,
    what: str,
    reasons: Sequence[str],
    *,
    recipient: str,
    language: Language,
    as_of: date,
    run_id: str,
    letterhead: Letterhead,
    now: datetime,
) -> bool:
    """Put a notice to the operator into the outbox; says whether it is new.

    Args:
        what: ``audit_refused``, ``night_failed`` or ``sources_lack``.
        reasons: one line each, the most important first.
    """
    message = operator_message(
        what, reasons, letterhead, recipient=recipient, language=language, as_of=as_of, run_id=run_id, now=now
    )
    with engine.begin() as connection:
        return enqueue(connection, message, run_id, now)


def _alert_id(connection: sa.Connection, step: Transition) -> str:
    return step.alert.alert_id if step.alert else store.next_alert_id(connection, step.about.subject_key)


def _recipients(step: Transition, letterhead: Letterhead) -> list[Recipient]:
    """The owner of the node; of a resolved alert, everybody who was ever told of it."""
    owner = _owner(step.deviation, letterhead) if step.deviation else None
    if step.event != "resolved":
        return [owner] if owner else []
    told = dict(step.alert.recipients) if step.alert else {}
    return [
        owner if owner and owner.address == address else Recipient(address, None, _language(language, letterhead))
        for address, language in told.items()
    ]


def _owner(deviation: Deviation, letterhead: Letterhead) -> Recipient:
    """The node's owner, or whoever stands in where the owner has no address that a server would take."""
    if is_usable(deviation.owner_email):
        return Recipient(
            (deviation.owner_email or "").strip(),
            deviation.owner_name,
            _language(deviation.owner_language, letterhead),
        )
    meant = f"{deviation.owner_name} ({deviation.node_name})" if deviation.owner_name else deviation.node_name
    return Recipient(letterhead.fallback_recipient, None, letterhead.language, (meant,))


def is_usable(address: str | None) -> bool:
    """Whether CRM text is one plain address that any mail server takes: ASCII, no display name, no quoting."""
    return bool(address and _PLAIN_ADDRESS.fullmatch(address.strip()))


def _merge(recipients: Sequence[Recipient]) -> Recipient:
    """One recipient of several notices: a name where any is known, and everybody that they stand in for."""
    named = next((recipient for recipient in recipients if recipient.name), recipients[0])
    behalf = dict.fromkeys(name for recipient in recipients for name in recipient.on_behalf_of)
    return Recipient(named.address, named.name, named.language, tuple(behalf))


def _language(language: str | None, letterhead: Letterhead) -> Language:
    return "zh" if language == "zh" else "en" if language == "en" else letterhead.language

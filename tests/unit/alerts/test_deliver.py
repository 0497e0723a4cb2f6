"""From deviations to mails that a server has taken: each once, none lost, whatever the server does."""

import email
import email.policy

import pytest
import sqlalchemy as sa

from flows.alerts import deliver as delivery
from flows.alerts.deliver import deliver, try_login
from flows.alerts.notices import notify, notify_operator
from flows.alerts.outbox import outbox, pending
from flows.errors import PermanentError, TransientError


@pytest.fixture
def queue(state, letterhead, now):
    """Put the mails about some deviations into the outbox."""
    return lambda *deviations: notify(
        state, deviations, as_of=deviations[0].as_of_date, run_id="20261120-01", letterhead=letterhead, now=now
    )


@pytest.fixture
def send(state, inbox, tmp_path, now):
    """Deliver what is pending to the test's mail server."""

    def run(password=None, **smtp):
        return deliver(
            state, inbox.settings(**smtp), password or inbox.password, folder=tmp_path / "outbox", clock=lambda: now
        )

    return run


def states(engine):
    with engine.connect() as connection:
        return {row.recipient: row for row in connection.execute(sa.select(outbox))}


def read(envelope):
    return email.message_from_bytes(envelope.content, policy=email.policy.SMTP)


def test_the_owner_receives_both_parts_with_the_figures_of_the_deviation(queue, send, inbox, state, deviation):
    queue(deviation())

    assert send().sent == 1
    (envelope,) = inbox.received
    message = read(envelope)
    assert envelope.rcpt_tos == ["wang.min@example.com"]
    assert envelope.mail_from == "planloop@example.com"
    assert message["Subject"] == "【进度预警】华东 11月 签约额 进度 78%（落后 ¥1,234,000）"
    for kind in ("plain", "html"):
        body = message.get_body((kind,)).get_content()
        assert all(figure in body for figure in ("7,854,545.45", "4,375,272.73", "1,234,000.00", "78%"))
    row = states(state)["wang.min@example.com"]
    assert (row.state, row.attempts, row.last_error, row.payload) == ("sent", 1, None, envelope.content)


def test_a_second_run_sends_nothing(queue, send, inbox, deviation):
    queue(deviation())
    send()

    assert queue(deviation()).messages == 0
    assert send().sent == 0
    assert len(inbox.received) == 1


def test_a_recovery_is_told_once_to_whom_the_alert_was_told(queue, send, inbox, deviation, clear):
    queue(deviation())
    later = {"as_of_date": deviation().as_of_date.replace(day=23), "owner_email": "new.owner@example.com"}
    for _ in range(2):
        queue(deviation(**later, **clear))
        send()

    assert [envelope.rcpt_tos for envelope in inbox.received] == [["wang.min@example.com"]] * 2
    assert read(inbox.received[1])["Subject"] == "【预警解除】华东 11月 签约额 已恢复，进度 97%"


def test_a_node_without_a_usable_address_is_told_to_the_fallback(queue, send, inbox, deviation):
    queue(
        deviation(owner_email=None, owner_name=None, node_key="rep:(unassigned)", node_name="未分配"),
        deviation(owner_email="赵磊@示例.cn", owner_name="赵磊", node_key="rep:u2"),
    )
    send()

    (envelope,) = inbox.received
    assert envelope.rcpt_tos == ["leader@example.com"]
    assert "由您代收：未分配、赵磊 (华东)" in read(envelope).get_body(("plain",)).get_content()


def test_many_messages_go_over_one_connection_in_order(queue, send, inbox, state, deviation):
    queue(*(deviation(node_key=f"rep:{number}", owner_email=f"u{number}@example.com") for number in range(5)))
    expected = [message.recipient for message in pending(state)]

    assert send().sent == 5
    assert inbox.connections == 1
    assert [envelope.rcpt_tos[0] for envelope in inbox.received] == expected


def test_a_wrong_password_is_said_clearly_and_the_mail_waits(queue, send, inbox, state, deviation):
    queue(deviation())

    with pytest.raises(
        PermanentError, match="accept user planloop with the password of PLANLOOP_SMTP_PASSWORD.*535"
    ) as error:
        send(password="wrong-secret")
    assert "wrong-secret" not in str(error.value)
    assert states(state)["wang.min@example.com"].state == "pending"
    assert send().sent == 1


def test_a_password_that_servers_would_read_differently_is_named_and_not_shown(queue, send, deviation):
    queue(deviation())

    with pytest.raises(PermanentError, match="Expected ASCII") as error:
        send(password="密码")
    assert "密码" not in str(error.value)


def test_a_connection_cut_after_data_sends_the_same_message_again(queue, send, inbox, state, deviation):
    queue(deviation())
    inbox.cut_next = 1

    assert send().sent == 1
    assert len(inbox.received) == 2
    assert len({read(envelope)["Message-ID"] for envelope in inbox.received}) == 1
    assert (states(state)["wang.min@example.com"].state, inbox.connections) == ("sent", 2)


def test_a_server_that_keeps_cutting_is_left_alone_after_a_few_times(queue, send, inbox, state, deviation):
    queue(deviation())
    inbox.cut_next = 99

    with pytest.raises(TransientError, match="1 wait in the outbox"):
        send()
    assert len(inbox.received) == delivery.CUTS_A_MESSAGE
    assert states(state)["wang.min@example.com"].state == "pending"


def test_a_refused_recipient_is_recorded_and_blocks_nobody(queue, send, inbox, state, deviation):
    queue(*(deviation(node_key=f"rep:{name}", owner_email=f"{name}@example.com") for name in ("a", "b", "c")))
    inbox.answers = {"b@example.com": "550 5.1.1 no such user"}

    result = send()
    assert (result.sent, list(result.refused.values())) == (2, ["550 5.1.1 no such user"])
    row = states(state)["b@example.com"]
    assert (row.state, row.last_error) == ("refused", "550 5.1.1 no such user")
    inbox.answers = {}
    assert send().sent == 0


def test_a_recipient_that_has_to_wait_stays_pending_and_blocks_nobody(queue, send, inbox, state, deviation):
    queue(*(deviation(node_key=f"rep:{name}", owner_email=f"{name}@example.com") for name in ("a", "b", "c")))
    inbox.answers = {"b@example.com": "451 4.7.1 greylisted"}

    with pytest.raises(TransientError, match="451 4.7.1 greylisted"):
        send()
    assert {name: row.state for name, row in states(state).items()} == {
        "a@example.com": "sent",
        "b@example.com": "pending",
        "c@example.com": "sent",
    }
    inbox.answers = {}
    assert send().sent == 1


def test_a_certificate_nobody_vouches_for_is_refused(queue, send, inbox, state, deviation):
    queue(deviation())

    with pytest.raises(PermanentError, match="mail.smtp.cafile"):
        send(cafile=None)
    with pytest.raises(PermanentError, match="mail.smtp.host"):
        send(host="127.0.0.1")
    assert inbox.received == []


def test_a_password_never_crosses_a_plain_connection(queue, send, deviation):
    queue(deviation())

    with pytest.raises(PermanentError, match="Set it to starttls or tls"):
        send(security="none")


def test_a_server_that_is_not_there_is_worth_another_try(queue, send, state, deviation):
    queue(deviation())

    with pytest.raises(TransientError, match="mail server at localhost:1"):
        send(port=1)
    assert states(state)["wang.min@example.com"].state == "pending"


def test_logging_in_without_sending_shows_a_wrong_password(inbox):
    try_login(inbox.settings(), inbox.password)

    assert inbox.connections == 1
    with pytest.raises(PermanentError, match="535"):
        try_login(inbox.settings(), "wrong")


def test_without_a_server_mails_become_files(queue, state, inbox, deviation, tmp_path, now):
    queue(deviation())
    mail = inbox.settings().model_copy(update={"smtp": None})

    assert deliver(state, mail, None, folder=tmp_path / "outbox", clock=lambda: now).sent == 1
    (path,) = (tmp_path / "outbox").iterdir()
    assert path.suffix == ".eml"
    assert path.read_bytes() == states(state)["wang.min@example.com"].payload


def test_a_past_night_alerts_nobody(queue, deviation):
    queue(deviation(severity="none"))
    told = queue(deviation(as_of_date=deviation().as_of_date.replace(day=12), severity="critical"))

    assert (told.opened, told.messages) == (0, 0)
    assert "past night" in told.skipped


def test_deviations_of_another_night_are_refused(state, letterhead, now, deviation):
    with pytest.raises(PermanentError, match="Expected deviations of 2026-11-21.*found 2026-11-20"):
        notify(
            state,
            [deviation()],
            as_of=deviation().as_of_date.replace(day=21),
            run_id="r",
            letterhead=letterhead,
            now=now,
        )


def test_state_and_outbox_change_together_or_not_at_all(queue, state, deviation, monkeypatch):
    from flows.alerts import notices, store

    def fail(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):
        patch.setattr(notices, "enqueue", fail)
        queue(deviation())
    assert store.list_alerts(state, include_resolved=True) == []
    assert queue(deviation()).messages == 1


def test_the_operator_is_told_the_same_only_once(state, letterhead, now, deviation):
    notice = {
        "recipient": "ops@example.com",
        "language": "zh",
        "as_of": deviation().as_of_date,
        "letterhead": letterhead,
        "now": now,
    }

    assert notify_operator(state, "night_failed", ["disk full"], run_id="20261120-01", **notice)
    assert not notify_operator(state, "night_failed", ["disk full"], run_id="20261120-02", **notice)
    assert notify_operator(state, "night_failed", ["no memory"], run_id="20261120-03", **notice)

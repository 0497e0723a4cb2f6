"""What a mail says: right words, exact figures, both parts, no harm from CRM text, never too big."""

import email
import email.policy
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from flows.alerts.lifecycle import OpenAlert, Transition
from flows.alerts.mail import SIZE_LIMIT, Recipient, operator_message, steps_message
from flows.alerts.notices import is_usable
from flows.config.fiscal import FiscalCalendar

OWNER = Recipient("wang.min@example.com", "王敏", "zh")


def read(message):
    parsed = email.message_from_bytes(message.payload, policy=email.policy.SMTP)
    text = parsed.get_body(("plain",)).get_content()
    html = parsed.get_body(("html",)).get_content()
    return parsed, text, html


@pytest.fixture
def opened(deviation, letterhead, now):
    def make(recipient=OWNER, severity="warn", count=1, **changes):
        steps = [
            (f"a{number}", Transition("opened", deviation(severity=severity, node_key=f"n{number}", **changes), None))
            for number in range(count)
        ]
        return steps_message(recipient, steps, letterhead, deviation().as_of_date, now)

    return make


def resolved(deviation, reason):
    same = ("rule_id", "metric", "node_key", "node_name", "node_kind", "period_kind", "period_start_on")
    alert = OpenAlert(
        alert_id="a1",
        severity="warn",
        opened_on=deviation.as_of_date,
        measured=0.78,
        expected=1.0,
        **{name: getattr(deviation, name) for name in same},
    )
    return Transition("resolved", deviation if reason == "recovered" else None, alert, reason)


def test_a_chinese_subject_names_node_period_metric_pace_and_arrears(opened):
    parsed, _, _ = read(opened())

    assert parsed["Subject"] == "【进度预警】华东 11月 签约额 进度 78%（落后 ¥1,234,000）"
    assert parsed["To"].addresses[0].display_name == "王敏"
    assert parsed["From"].addresses[0].addr_spec == "planloop@example.com"


@pytest.mark.parametrize(
    ("language", "told"), [("zh", "此后每个工作日需完成: 已达标"), ("en", "Needed per working day: reached")]
)
@pytest.mark.parametrize("left", ["-500000.00", "0.00"])
def test_a_target_that_is_reached_needs_nothing_more(deviation, letterhead, now, language, told, left):
    passed = deviation(left_amount=Decimal(left), needed_per_day=Decimal(left) / 4, severity="none", is_clear=True)
    message = steps_message(
        replace(OWNER, language=language), [("a1", resolved(passed, "recovered"))], letterhead, passed.as_of_date, now
    )
    _, text, html = read(message)

    assert told in text and told.split(": ")[1] in html


def test_an_english_reader_gets_an_english_mail(opened):
    parsed, text, html = read(opened(replace(OWNER, language="en"), severity="critical"))

    assert parsed["Subject"] == "[Critical] 华东, Nov: bookings at 78% of pace (¥1,234,000 behind)"
    for body in (text, html):
        assert "Far behind pace" in body
        assert "¥7,854,545.45" in body
        assert "万" not in body


def test_both_parts_state_the_figures_of_the_mart_to_the_cent(opened):
    _, text, html = read(opened())

    for body in (text, html):
        for figure in ("7,854,545.45", "4,375,272.73", "5,609,272.73", "1,234,000.00", "3,479,272.72", "579,878.79"):
            assert f"¥{figure}" in body
        assert "785.45 万元（¥7,854,545.45）" in body
        assert "剩余 6 个工作日，每日需完成 ¥579,879" in body
        assert "https://reports.example.com/latest" in body


def test_a_count_is_not_written_as_money(opened):
    count = {name: Decimal("12.00") for name in ("target_amount", "actual_amount", "behind_amount", "needed_per_day")}
    parsed, text, _ = read(opened(metric="won_count", **count))

    assert parsed["Subject"].endswith("赢单数 进度 78%（落后 12 单）")
    assert "本期目标: 12 单" in text


@pytest.mark.parametrize(
    ("reason", "subject", "words"),
    [
        ("recovered", "【预警解除】华东 11月 签约额 已恢复，进度 97%", "进度已回到 97%，预警解除。"),
        ("period_ended", "【预警关闭】华东 11月 签约额 期间已结束", "该期间已于 2026-11-30 结束"),
    ],
)
def test_the_end_of_an_alert_says_why(deviation, clear, letterhead, now, reason, subject, words):
    step = resolved(deviation(**clear), reason)
    message = steps_message(OWNER, [("a1", step)], letterhead, deviation().as_of_date, now)
    parsed, text, html = read(message)

    assert (message.kind, parsed["Subject"]) == ("resolved", subject)
    assert words in text and words in html
    assert ("恢复" in text) == (reason == "recovered")


def test_a_period_that_is_over_is_told_with_its_final_result(deviation, letterhead, now):
    final = deviation(
        measured=1.02,
        severity="none",
        target_amount=Decimal("1000000.00"),
        actual_amount=Decimal("1020000.00"),
        left_amount=Decimal("-20000.00"),
    )
    step = Transition("resolved", final, resolved(final, "recovered").alert, "period_ended")
    parsed, text, _ = read(steps_message(OWNER, [("a1", step)], letterhead, deviation().as_of_date, now))

    assert parsed["Subject"] == "【预警关闭】华东 11月 签约额 期间已结束，达成 102%"
    assert "超出目标: 2.00 万元（¥20,000.00）" in text
    assert "最终达成率 102%" in text
    assert "剩余工作日" not in text


@pytest.mark.parametrize(("language", "told"), [("zh", "尚未公布"), ("en", "not announced yet")])
def test_days_that_no_government_has_announced_are_told_as_such(opened, language, told):
    reader = replace(OWNER, language=language)
    assert all(told in body for body in read(opened(reader, is_calendar_published=False))[1:])
    assert not any(told in body for body in read(opened(reader))[1:])


def test_a_period_of_weeks_is_called_by_its_number_and_ends_when_it_ends(deviation, letterhead, now):
    weeks = replace(letterhead, fiscal=FiscalCalendar(1, "4-4-5"))
    behind = deviation(period_start_on=date(2026, 11, 1))  # the 44th week of 2026 ended on 31 October
    steps = [("a1", Transition("opened", behind, None))]
    parsed, text, _ = read(steps_message(OWNER, steps, weeks, behind.as_of_date, now))
    assert parsed["Subject"].startswith("【进度预警】华东 第11期 签约额")
    assert "华东 · 2026财年第11期 · 签约额" in text
    assert "期末: 2026-11-28" in text


def test_whom_a_mail_stands_in_for_is_said(opened):
    _, text, html = read(opened(Recipient("leader@example.com", None, "zh", ("赵磊 (华东)",))))

    assert "由您代收：赵磊 (华东)" in text
    assert "由您代收：赵磊 (华东)" in html


def test_several_nodes_share_one_mail_the_worst_first(deviation, letterhead, now):
    steps = [
        (
            "a1",
            Transition("opened", deviation(node_key="rep:1", node_name="李雷", node_kind="rep", measured=0.5), None),
        ),
        ("a2", Transition("worsened", deviation(severity="critical"), resolved(deviation(), "recovered").alert)),
    ]
    message = steps_message(OWNER, steps, letterhead, deviation().as_of_date, now)
    _, text, _ = read(message)

    assert message.subject == "【严重预警】华东 11月 签约额 进度 78%（落后 ¥1,234,000，另有 1 项）"
    assert text.index("华东 · 2026年11月") < text.index("李雷 · 2026年11月")


def test_the_message_id_depends_on_what_is_told_and_not_on_when(opened, deviation, letterhead, now):
    first = opened()
    later = steps_message(
        OWNER, [("n", Transition("opened", deviation(), None))], letterhead, deviation().as_of_date, now
    )

    assert first.message_id == opened().message_id
    assert first.message_id != later.message_id
    assert read(first)[0]["Message-ID"] == first.message_id
    assert first.payload == opened().payload


@pytest.mark.parametrize("name", ["华东\r\nBcc: all@example.com", "x\u2028Bcc: y\x0b\x00", "\u202eabc" + "长" * 5000])
def test_crm_text_cannot_make_headers(opened, name):
    parsed, _, _ = read(opened(Recipient("a@example.com", name, "zh"), node_name=name))

    assert "Bcc" not in parsed
    assert len(parsed["To"].addresses) == 1
    assert "\u202e" not in parsed["Subject"] and len(parsed["Subject"]) < 150


def test_crm_text_is_escaped_in_html(opened):
    name = '<img src=x onerror="alert(1)">{{ 7 * 7 }}'
    _, text, html = read(opened(node_name=name))

    assert name in text
    assert "<img" not in html and "&lt;img" in html


@pytest.mark.parametrize("count", [1, 40, 3000])
def test_a_mail_stays_small_however_many_nodes_it_tells_of(opened, count):
    message = opened(node_name="<" * 80, count=count)
    _, text, _ = read(message)

    assert len(message.payload) < SIZE_LIMIT
    assert max(len(line) for line in message.payload.split(b"\r\n")) <= 998
    assert ("个节点，见报告" in text) == (count > 72)


def test_the_operator_is_told_why_in_one_screen(letterhead, deviation, now):
    reasons = [f"fct_opportunity: expected about 8,800 rows, found {number} <b>" for number in range(50)]
    reasons[1] = f"- {reasons[1]}"
    message = operator_message(
        "audit_refused",
        reasons,
        letterhead,
        recipient="ops@example.com",
        language="en",
        as_of=deviation().as_of_date,
        run_id="20261120-01",
        now=now,
    )
    parsed, text, html = read(message)

    assert parsed["Subject"] == "[Not published] Example Tech 2026-11-20: the audit refused the night"
    assert reasons[0] in text and "&lt;b&gt;" in html
    assert "- - " not in text
    assert len(text.splitlines()) < 50 and "20 further lines" in text
    assert "planloop refresh --as-of 2026-11-20" in text


@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("wang.min@example.com", True),
        (" li@mail.example.cn ", True),
        ("王敏@example.com", False),
        ("wang", False),
        ("a@b", False),
        ("a@example.com, b@example.com", False),
        ("a@example.com\r\nRCPT TO:<b@example.com>", False),
        ("Wang <a@example.com>", False),
        ("", False),
        (None, False),
    ],
)
def test_only_a_plain_address_is_mailed(address, usable):
    assert is_usable(address) is usable

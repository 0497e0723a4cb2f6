"""Figures as people write them, in both languages."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.config.fiscal import FiscalCalendar
from flows.report.notation import (
    exact_money,
    metric_name,
    money,
    one_line,
    period_name,
    quantity,
    share,
    short_money,
    short_quantity,
)


@pytest.mark.parametrize(
    ("amount", "currency", "language", "said"),
    [
        ("1234000", "CNY", "zh", "123.40 万元"),
        ("9999.99", "CNY", "zh", "¥9,999.99"),
        ("-25000.50", "USD", "zh", "-2.50 万美元"),
        ("1234567.891", "CNY", "en", "¥1,234,567.89"),
        ("-12.3", "SEK", "en", "-SEK 12.30"),
        ("20000", "SEK", "zh", "2.00 万 SEK"),
    ],
)
def test_money_reads_as_the_language_says_it(amount, currency, language, said):
    assert money(Decimal(amount), currency, language) == said


def test_wan_is_always_beside_the_exact_amount():
    assert quantity("bookings", Decimal("1234000.56"), "CNY", "zh") == "123.40 万元（¥1,234,000.56）"
    assert quantity("bookings", None, "CNY", "zh") == "–"
    assert quantity("won_count", Decimal("3.50"), "CNY", "en") == "3.5 deals"
    assert short_money(Decimal("1233999.5"), "CNY") == "¥1,234,000"


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=2))
def test_an_exact_amount_reads_back_to_the_cent(amount):
    assert Decimal(exact_money(amount, "CNY").replace("¥", "").replace(",", "")) == amount


@pytest.mark.parametrize(
    ("value", "said"), [(0.78, "78%"), (0.8955, "89.6%"), (1.0, "100%"), (None, "–"), (-0.05, "-5%")]
)
def test_shares_have_at_most_one_decimal(value, said):
    assert share(value) == said


@pytest.mark.parametrize(
    ("kind", "start", "zh", "en"),
    [
        ("month", date(2026, 11, 1), "2026年11月", "Nov 2026"),
        ("quarter", date(2026, 4, 1), "2026年4–6月", "Apr–Jun 2026"),
        ("quarter", date(2026, 11, 1), "2026年11–1月", "Nov–Jan 2026"),
        ("year", date(2026, 1, 1), "2026年", "2026"),
        ("year", date(2026, 4, 1), "2026年4月–2027年3月", "Apr 2026–Mar 2027"),
        ("half", date(2026, 7, 1), "2026年7–12月", "Jul–Dec 2026"),
    ],
)
def test_periods_are_named_by_their_months(kind, start, zh, en):
    assert period_name(kind, start, "zh", fiscal=FiscalCalendar()) == zh
    assert period_name(kind, start, "en", fiscal=FiscalCalendar()) == en


@pytest.mark.parametrize(
    ("kind", "start", "zh", "en", "short"),
    [
        ("month", date(2026, 3, 1), "2026财年第3期", "FY26 P3", "P3"),
        ("quarter", date(2026, 4, 5), "2026财年第2季度", "FY26 Q2", "Q2"),
        ("half", date(2026, 7, 5), "2026财年下半年", "FY26 H2", "H2"),
        ("year", date(2026, 1, 4), "2026财年", "FY26", "FY26"),
    ],
)
def test_periods_of_weeks_are_numbered(kind, start, zh, en, short):
    """4-4-5, to the Saturday nearest the year's end: 2026 begins on 4 January, P3 on 1 March, Q2 on 5 April."""
    weeks = FiscalCalendar(1, "4-4-5")
    assert period_name(kind, start, "zh", fiscal=weeks) == zh
    assert period_name(kind, start, "en", fiscal=weeks) == en
    assert period_name(kind, start, "en", fiscal=weeks, with_year=False) == short


@given(st.text())
def test_one_line_is_one_short_line_without_controls(text):
    line = one_line(text, 40)

    assert len(line) <= 40
    assert len(line.splitlines()) <= 1
    assert not any(ord(char) < 32 or char in "\u202e\u2066" for char in line)


def test_one_deal_is_no_plural():
    assert quantity("won_count", Decimal("1.00"), "CNY", "en") == "1 deal"
    assert short_quantity("won_count", Decimal("0.17"), "CNY", "en") == "0.17 deals"
    assert short_quantity("won_count", Decimal("1.00"), "CNY", "zh") == "1 单"


@pytest.mark.parametrize(
    ("metric", "zh", "en"),
    [
        ("bookings", "签约额", "bookings"),
        ("won_count", "赢单数", "deals won"),
        ("forecast_p10", "预测下限(P10)", "forecast P10"),
        ("no_such_metric", "no_such_metric", "no_such_metric"),
    ],
)
def test_a_metric_is_called_as_the_glossary_calls_it(metric, zh, en):
    assert (metric_name(metric, "zh"), metric_name(metric, "en")) == (zh, en)

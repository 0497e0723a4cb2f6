"""Terms of payment become instalments only where the text says so, and their shares add up to the whole."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ingest.payment_terms import (
    INSTALMENTS,
    PERIODS,
    WHOLE,
    delivery_days,
    delivery_periods,
    instalments_of,
    read_terms,
    shares_not_whole,
)


def parts(text: str) -> list[tuple]:
    return [(part.kind, part.share_bp, part.days) for part in read_terms(text).instalments]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30%预付款,70%验收款", [("advance", 3000, None), ("acceptance", 7000, None)]),
        ("３０％預付款，７０％驗收款", [("advance", 3000, None), ("acceptance", 7000, None)]),
        ("30%预付款70%验收款", [("advance", 3000, None), ("acceptance", 7000, None)]),
        (
            "预付30%、到货60%、质保10%",
            [("advance", 3000, None), ("delivery", 6000, None), ("warranty", 1000, None)],
        ),
        (
            "预付30%到货60%质保10%",
            [("advance", 3000, None), ("delivery", 6000, None), ("warranty", 1000, None)],
        ),
        (
            "30%预付款,60%验收款,10%质保金",
            [("advance", 3000, None), ("acceptance", 6000, None), ("warranty", 1000, None)],
        ),
        ("3:6:1", [("unknown", 3000, None), ("unknown", 6000, None), ("unknown", 1000, None)]),
        (
            "预付款、到货款、质保金 3：6：1",
            [("advance", 3000, None), ("delivery", 6000, None), ("warranty", 1000, None)],
        ),
        ("50/50", [("unknown", 5000, None), ("unknown", 5000, None)]),
        ("50% upfront, 50% on delivery", [("advance", 5000, None), ("delivery", 5000, None)]),
        ("30% deposit; balance before shipment", [("advance", 3000, None), ("delivery", 7000, None)]),
        ("首付三成，余款验收后付清", [("advance", 3000, None), ("acceptance", 7000, None)]),
        ("首付三成半，验收后付六成半", [("advance", 3500, None), ("acceptance", 6500, None)]),
        ("预付一半，验收后付一半", [("advance", 5000, None), ("acceptance", 5000, None)]),
        ("预付百分之三十，验收百分之七十", [("advance", 3000, None), ("acceptance", 7000, None)]),
        (
            "合同签订后7日内支付30%，验收合格后30天内支付65%，质保期满一年后支付5%",
            [("advance", 3000, 7), ("acceptance", 6500, 30), ("warranty", 500, None)],
        ),
        ("合同签订后，支付40%；到货验收后，支付60%", [("advance", 4000, None), ("acceptance", 6000, None)]),
        ("40%，合同签订后；60%，到货后两周内", [("advance", 4000, None), ("delivery", 6000, 14)]),
        ("5月20日前付50%，交付后付50%", [("milestone", 5000, None), ("delivery", 5000, None)]),
        ("100%验收款", [("acceptance", 10000, None)]),
        ("100%", [("full", 10000, None)]),
        ("一次性付清", [("full", 10000, None)]),
        ("全款", [("full", 10000, None)]),
        ("验收后一次性付清", [("acceptance", 10000, None)]),
        ("货到付款", [("delivery", 10000, None)]),
        ("款到发货", [("advance", 10000, None)]),
        ("月结30天", [("full", 10000, 30)]),
        ("Net 45", [("full", 10000, 45)]),
        (
            "33.33%首付，33.33%到货，33.34%验收",
            [("advance", 3333, None), ("delivery", 3333, None), ("acceptance", 3334, None)],
        ),
        ("12.5%预付，87.5%验收", [("advance", 1250, None), ("acceptance", 8750, None)]),
    ],
)
def test_terms_say_what_is_due_after_which_event(text, expected):
    assert parts(text) == expected
    assert read_terms(text).is_whole


@pytest.mark.parametrize(
    "text",
    [
        "分期付款",
        "分三期付款",
        "按进度付款",
        "instalments",
        "面议",
        "按合同约定",
        "见附件",
        "",
        "年利率5%",
        "含税13%",
        "HT-2024-030",
    ],
)
def test_what_names_no_shares_gives_no_instalments_and_is_no_fault(text):
    assert parts(text) == []
    assert read_terms(text).is_whole


@pytest.mark.parametrize(
    "text",
    [
        "30%预付款,60%验收款",
        "首付三成",
        "50% upfront",
        "3:6:2",
        "30%预付款,70%验收款,10%质保金",
        "110%预付，余款验收",
        "0%预付,100%验收",
    ],
)
def test_shares_that_do_not_add_up_are_a_fault_and_no_instalments(text):
    assert parts(text) == []
    assert not read_terms(text).is_whole


@given(st.lists(st.integers(1, 99), min_size=1, max_size=5))
def test_instalments_are_all_of_the_contract_or_none_of_it(shares):
    events = ("预付款", "到货款", "验收款", "进度款", "质保金")
    text = ",".join(f"{share}%{event}" for share, event in zip(shares, events, strict=False))
    terms = read_terms(text)
    assert terms.is_whole == (sum(shares) == 100)
    assert sum(part.share_bp for part in terms.instalments) == (WHOLE if sum(shares) == 100 else 0)


@given(st.text(max_size=40))
def test_any_text_is_read_without_an_error(text):
    assert sum(part.share_bp for part in read_terms(text).instalments) in (0, WHOLE)
    delivery_days(text)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("30天", (30, "calendar")),
        ("30日", (30, "calendar")),
        ("３０日曆天", (30, "calendar")),
        ("合同签订后45个工作日", (45, "working")),
        ("合同生效後十五個工作日內", (15, "working")),
        ("3个月", (3, "month")),
        ("三个月内", (3, "month")),
        ("2周", (14, "calendar")),
        ("半年", (6, "month")),
        ("一年", (12, "month")),
        ("within 6 weeks", (42, "calendar")),
        ("90 days", (90, "calendar")),
        ("20 working days after signature", (20, "working")),
        ("一百二十天", (120, "calendar")),
        ("分期交付", None),
        ("3月", None),
        ("6月30日前", None),
        ("2024年6月30日", None),
        ("30-45天", None),
        ("30天发货，45天到货", None),
        ("现货", None),
        ("半个月", None),
        ("HT-2024-030", None),
        ("", None),
    ],
)
def test_a_delivery_period_is_a_number_and_a_unit_or_nothing(text, period):
    assert delivery_days(text) == period


def test_frames_have_one_row_per_distinct_text_and_instalment():
    texts = pl.Series(["30%预付款,70%验收款", None, "分期付款", "30%预付款,70%验收款", "3:6"])
    frame = instalments_of(texts)
    assert dict(frame.schema) == INSTALMENTS
    assert frame.rows() == [
        ("30%预付款,70%验收款", 1, "advance", 3000, None),
        ("30%预付款,70%验收款", 2, "acceptance", 7000, None),
    ]
    assert shares_not_whole(texts).to_list() == [False, False, False, False, True]
    periods = delivery_periods(pl.Series(["30天", "分期交付", None, "30天"]))
    assert dict(periods.schema) == PERIODS
    assert periods.rows() == [("30天", 30, "calendar")]

"""Contracts, their instalments and the team's sheets: figures worked out by hand on a tiny night."""

from datetime import date
from decimal import Decimal

import pytest

from tests.dbt_fixture import failures, query, run_dbt, write_build

AS_OF = date(2024, 3, 15)
TERMS = "30%预付款,70%验收款"
SELECTION = ("+path:models/marts/contracts", "+path:models/marts/sheets", "--indirect-selection", "buildable")
THIRDS = "33.33%预付款,33.33%到货款,33.34%质保金"


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Four contracts: advance and acceptance, thirds of an odd amount, unsigned, and one with recorded payments."""
    log = {
        "user": [{"user_id": "u1", "name": "王伟", "role": "rep", "is_active": True}],
        "account": [
            {"account_id": "a1", "name": "华北科技有限公司"},
            {"account_id": "a0", "name": "华北科技", "merged_into_id": "a1"},
        ],
        "contract": [
            {
                "contract_id": "C1",
                "account_id": "a1",
                "account_name": "*科技",
                "owner_id": "u1",
                "amount": Decimal("850000.00"),
                "currency": "CNY",
                "signed_on": date(2024, 2, 29),
                "payment_terms": TERMS,
            },
            {
                "contract_id": "C2",
                "account_name": "新客户",
                "amount": Decimal("100.01"),
                "cost": Decimal("60.01"),
                "currency": "CNY",
                "signed_on": date(2024, 3, 1),
                "payment_terms": THIRDS,
                "delivery_terms": "5个工作日",
            },
            {"contract_id": "C3", "amount": Decimal("9.00"), "currency": "CNY", "payment_terms": TERMS},
            {
                "contract_id": "C4",
                "amount": Decimal("300.00"),
                "currency": "CNY",
                "signed_on": date(2024, 1, 31),
                "payment_terms": TERMS,
                "delivery_terms": "1个月",
            },
        ],
        "payment": [
            {
                "payment_id": "P1",
                "contract_id": "C4",
                "amount": Decimal("100.00"),
                "due_on": date(2024, 2, 1),
                "paid_on": date(2024, 2, 5),
            },
            {
                "payment_id": "P2",
                "contract_id": "C4",
                "amount": Decimal("200.00"),
                "due_on": date(2024, 3, 1),
                "paid_amount": Decimal("50.00"),
            },
        ],
        "requirement": [
            {"requirement_id": "R1", "account_id": "a0", "account_name": "*科技", "confirmed_on": date(2024, 3, 16)}
        ],
        "stage_progress": [
            {
                "account_name": "新客户",
                "stage": "qualification",
                "started_on": date(2024, 1, 1),
                "expected_done_on": date(2024, 2, 1),
                "owner_id": "u1",
            },
            {
                "account_name": "新客户",
                "stage": "proposal",
                "started_on": date(2024, 2, 2),
                "expected_done_on": date(2024, 3, 1),
                "todo": "报价",
                "owner_name": "李",
            },
        ],
        "customer_record": [{"account_name": "新客户", "contact_name": "", "status": "new"}],
    }
    inputs = {
        "payment_terms": [
            {"payment_terms": TERMS, "installment": 1, "kind": "advance", "share_bp": 3000},
            {"payment_terms": TERMS, "installment": 2, "kind": "acceptance", "share_bp": 7000},
            {"payment_terms": THIRDS, "installment": 1, "kind": "advance", "share_bp": 3333, "days": 7},
            {"payment_terms": THIRDS, "installment": 2, "kind": "delivery", "share_bp": 3333},
            {"payment_terms": THIRDS, "installment": 3, "kind": "warranty", "share_bp": 3334},
        ],
        "delivery_terms": [
            {"delivery_terms": "5个工作日", "length": 5, "unit": "working"},
            {"delivery_terms": "1个月", "length": 1, "unit": "month"},
        ],
    }
    build = write_build(tmp_path_factory.mktemp("contracts") / "build", as_of=AS_OF, log=log, inputs=inputs)
    assert failures(run_dbt(build, "build", "--select", *SELECTION)) == []
    return build


def test_instalments_sum_to_the_contract_and_are_due_where_the_contract_says_when(build):
    rows = query(
        build,
        "select contract_id, installment, origin, kind, amount_original, due_on, is_overdue "
        "from marts.mart_payment_schedule where origin = 'terms' order by all",
    )
    # C1: 30 % of 850,000 at signature, the rest at an acceptance that has no date.
    # C2: 33.33 % of 100.01 = 33.333…: 33.33; up to 66.66 % 66.666… = 66.67: 33.34; the rest 33.34.
    # Friday 1 March and five working days: Friday 8 March.
    assert rows == [
        ("C1", 1, "terms", "advance", Decimal("255000.00"), date(2024, 2, 29), True),
        ("C1", 2, "terms", "acceptance", Decimal("595000.00"), None, False),
        ("C2", 1, "terms", "advance", Decimal("33.33"), date(2024, 3, 8), True),
        ("C2", 2, "terms", "delivery", Decimal("33.34"), date(2024, 3, 8), True),
        ("C2", 3, "terms", "warranty", Decimal("33.34"), None, False),
    ]


def test_recorded_payments_are_the_schedule_where_there_are_any(build):
    rows = query(
        build,
        "select contract_id, installment, payment_id, amount_original, paid_original, is_overdue "
        "from marts.mart_payment_schedule where origin = 'recorded' order by all",
    )
    # A payment of which only the day is kept was paid in full.
    assert rows == [
        ("C4", 1, "P1", Decimal("100.00"), Decimal("100.00"), False),
        ("C4", 2, "P2", Decimal("200.00"), Decimal("50.00"), True),
    ]


def test_contracts_signed_or_not(build):
    rows = query(
        build,
        "select contract_id, is_signed, account_name, node_key, margin, delivery_due_on, n_installments, due_original, "
        "paid_original from marts.mart_contract order by all",
    )
    nothing = Decimal("0.00")
    unknown = "rep:(unassigned)"
    assert rows == [
        ("C1", True, "华北科技有限公司", "rep:u1", None, None, 2, Decimal("255000.00"), nothing),
        ("C2", True, "新客户", unknown, Decimal("40.00"), date(2024, 3, 8), 3, Decimal("66.67"), nothing),
        ("C3", False, None, unknown, None, None, 0, nothing, nothing),
        ("C4", True, None, unknown, None, date(2024, 2, 29), 2, Decimal("300.00"), Decimal("150.00")),
    ]


def test_sheets_reach_their_marts(build):
    assert query(build, "select account_name, is_confirmed from marts.mart_requirement") == [
        ("华北科技有限公司", False)
    ]
    assert query(
        build,
        "select stage, days_in_stage, is_latest, is_overdue, todo, node_key from marts.mart_stage_progress "
        "order by all",
    ) == [
        ("proposal", 42, True, True, "报价", "rep:(unassigned)"),
        ("qualification", 74, False, False, None, "rep:u1"),
    ]
    assert query(build, "select account_name, contact_name, status from marts.mart_customer_record") == [
        ("新客户", "", "new")
    ]

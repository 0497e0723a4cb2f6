"""One small company's two nights, built once by the whole dbt project."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.dbt_fixture import failures, run_dbt, write_build

FIRST, SECOND = date(2024, 3, 15), date(2024, 3, 31)

USERS = [
    {"user_id": "boss", "name": "老板", "role": "leader", "language": "zh", "email": "boss@example.com"},
    {"user_id": "mia", "name": "Mia", "role": "manager", "region": "华东", "team": "一队", "manager_id": "boss"},
    {"user_id": "ann", "name": "Ann", "role": "rep", "region": "华东", "team": "一队", "manager_id": "mia"},
    {"user_id": "bob", "name": "Bob", "role": "rep", "region": "华北", "manager_id": "boss"},
]


def deal(identifier: str, owner: str | None, stage: str, created: date, **more: Any) -> dict[str, Any]:
    """A deal of 100.00 in the reporting currency."""
    at = datetime(created.year, created.month, created.day)  # noqa: DTZ001 (moments are stored without zone)
    base = {"opportunity_id": identifier, "owner_id": owner, "stage": stage, "amount": Decimal("100.00")}
    return base | {"created_at": at, "created_on": created, "_valid_from": FIRST} | more


def change(identifier: str, when: date, stage: str) -> dict[str, Any]:
    """A row of the CRM's history."""
    at = datetime(when.year, when.month, when.day, 4)  # noqa: DTZ001
    return {"opportunity_id": identifier, "changed_at": at, "changed_on": when, "history_id": "", "stage": stage}


# won-by-history has a CRM history; moved-by-night has none, our second night sees it move; gone is deleted by then.
DEALS = [
    deal("won-by-history", "ann", "won", date(2024, 2, 1), closed_on=date(2024, 3, 12), amount=Decimal("250.00")),
    deal("moved-by-night", "bob", "qualification", date(2024, 3, 1)),
    deal("moved-by-night", "bob", "proposal", date(2024, 3, 1), _change="changed", _valid_from=SECOND),
    deal("nobody's", "stranger", "negotiation", date(2024, 3, 10), currency="USD", segment="A"),
    deal("gone", "ann", "proposal", date(2024, 3, 5)),
    deal("gone", "ann", "proposal", date(2024, 3, 5), _change="deleted", _valid_from=SECOND),
    deal("lost-before", "bob", "lost", date(2024, 1, 10), closed_on=date(2024, 2, 10)),
]
HISTORY = [
    change("won-by-history", date(2024, 2, 1), "qualification"),
    change("won-by-history", date(2024, 2, 20), "proposal"),
    change("won-by-history", date(2024, 3, 12), "won"),
]
RATES = [{"currency": "USD", "valid_from": date(2024, 1, 1), "rate": Decimal("7.20000000")}]


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole project built, unit and data tests among it."""
    build = tmp_path_factory.mktemp("build")
    log = {"user": USERS, "opportunity": DEALS, "opportunity_history": HISTORY, "fx_rate": RATES}
    write_build(build, as_of=SECOND, log=log)
    result = run_dbt(build, "build")
    assert failures(result) == []
    assert result.success
    return build

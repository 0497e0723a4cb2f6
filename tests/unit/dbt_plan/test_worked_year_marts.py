"""The worked year through the marts: on three days, every cell of attainment and of pay equals the sheet."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.config.plan import resolved
from flows.warehouse.pay_inputs import incentive_rows
from tests.dbt_fixture import failures, query, run_dbt, write_build
from tests.reference import worked_year
from tests.unit.planning.test_worked_year import allocated, plan_file, sheet

AMOUNTS = ("target_base", "target_stretch", "actual", "gap", "open_amount")
COUNTS = ("working_days", "working_days_passed")
RATIOS = ("attainment", "pace_index", "coverage_remaining")
USERS = {
    "r1": ("North", "A", date(2026, 1, 1)),
    "r2": ("North", "A", date(2026, 1, 1)),
    "r3": ("South", "B", date(2026, 1, 1)),
    "r4": ("South", "B", date(2026, 1, 1)),
    "r5": ("North", "A", date(2026, 4, 1)),
    "r6": ("South", "B", date(2026, 7, 15)),
}


def users(as_of: date) -> list[dict[str, Any]]:
    """The people as the nights saw them: r4 gone in June, r2 in the South from September."""
    rows = [
        {"user_id": name, "name": name, "role": "rep", "region": region, "team": team, "_valid_from": since}
        for name, (region, team, since) in USERS.items()
    ]
    rows.append(rows[3] | {"is_active": False, "left_on": date(2026, 5, 31), "_valid_from": date(2026, 6, 1)})
    rows.append(rows[1] | {"region": "South", "team": "B", "_valid_from": date(2026, 9, 1)})
    for row in rows[-2:]:
        row["_change"] = "changed"
    return [row for row in rows if row["_valid_from"] <= as_of]


def opportunities(as_of: date) -> list[dict[str, Any]]:
    """The deals made by the night: won on their day, open before."""
    rows = []
    for deal in worked_year.deals():
        if deal.created_on > as_of:
            continue
        is_won = deal.closed_on <= as_of
        rows.append(
            {
                "opportunity_id": deal.name,
                "account_id": deal.customer,
                "owner_id": deal.owner,
                "stage": "won" if is_won else "proposal",
                "amount": deal.hundredths / 100,
                "currency": "CNY",
                "created_at": datetime.combine(deal.created_on, datetime.min.time()),
                "created_on": deal.created_on,
                "expected_close_on": deal.closed_on,
                "closed_at": datetime.combine(deal.closed_on, datetime.min.time()) if is_won else None,
                "closed_on": deal.closed_on if is_won else None,
            }
        )
    return rows


@pytest.fixture(scope="module", params=worked_year.AS_OF, ids=str)
def night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[date, Path]:
    """The marts of one of the three days."""
    as_of = request.param
    folder = tmp_path_factory.mktemp(f"worked_{as_of}")
    versions, targets = allocated(folder / "workspace", as_of)
    build = write_build(
        folder / "build",
        as_of=as_of,
        log={"user": users(as_of), "opportunity": opportunities(as_of)},
        inputs={
            "plan_version": versions.to_dicts(),
            "plan_target": targets.to_dicts(),
            **incentive_rows(version for version in resolved(plan_file()) if version.decided_on <= as_of),
        },
    )
    result = run_dbt(build, "run", "--select", "+mart_target", "+mart_target_attainment", "+mart_incentive_total")
    assert failures(result) == []
    return as_of, build


def lines(name: str, as_of: date) -> list[dict[str, str]]:
    """The lines of a sheet for one of the days."""
    return [row for row in sheet(name) if row["as_of_date"] == str(as_of)]


def test_every_cell_of_attainment_is_that_of_the_worked_sheet(night: tuple[date, Path]) -> None:
    as_of, build = night
    key = ("metric", "period_kind", "period_start_on", "node_key")
    names = (*key, "plan_version", *AMOUNTS, *COUNTS, *RATIOS, "required_run_rate")
    rows = query(build, f"select {', '.join(names)} from marts.mart_target_attainment where plan_version is not null")
    found = {tuple(str(value) for value in row[:4]): dict(zip(names, row, strict=True)) for row in rows}
    expected = {tuple(row[name] for name in key): row for row in lines("attainment", as_of)}
    assert set(expected) - set(found) == set()
    assert all(not found[cell]["target_base"] for cell in set(found) - set(expected))
    for cell, row in expected.items():
        mine = found[cell]
        assert mine["plan_version"] == row["plan_version"], cell
        for name in AMOUNTS:
            assert (mine[name] or 0) == Decimal(row[name] or 0), (cell, name)
        assert [str(mine[name]) for name in COUNTS] == [row[name] for name in COUNTS], cell
        for name in RATIOS:
            expected_ratio = float(row[name]) if row[name] else None
            assert mine[name] == (expected_ratio and pytest.approx(expected_ratio, abs=1e-9)), (cell, name)
        rate = mine["required_run_rate"]
        assert (rate is None) == (row["required_run_rate"] == ""), cell
        assert rate is None or abs(rate - Decimal(row["required_run_rate"])) <= Decimal("0.0051"), cell


def test_every_pay_is_that_of_the_worked_sheet(night: tuple[date, Path]) -> None:
    as_of, build = night
    rows = query(build, "select user_id, period_start_on, rule_id, sum(amount) from marts.mart_incentive group by all")
    found = {(user, str(start), rule): amount for user, start, rule, amount in rows}
    totals = query(build, "select user_id, period_start_on, draw_owed from marts.mart_incentive_total")
    owed = {(user, str(start)): amount for user, start, amount in totals}
    for row in lines("pay", as_of):
        person = (row["user_id"], row["period_start_on"])
        for rule in ("commission", "new_customer"):
            assert found.get((*person, rule), 0) == Decimal(row[rule]), (person, rule, row["how"])
        assert not row["owed"] or owed[person] == Decimal(row["owed"]), person

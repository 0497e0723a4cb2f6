"""A plan file: versions that state only what differs, amounts as people write them, faults with their line."""

from decimal import Decimal
from pathlib import Path

import pytest

from flows.config.plan import Plan, resolved
from flows.config.plan.values import exact_amount
from flows.config.yaml_file import parse

PLAN = """
year: 2026
versions:
  - id: "2026-1"
    effective_on: 2026-01-01
    decided_on: 2025-12-10
    decided_by: u1
    reason: annual plan
    targets:
      - {metric: bookings, base: 1.2亿, stretch_ratio: 1.1}
      - {metric: collection_rate, base: 92.5}
    people:
      - {user_id: u1, region: 华东, team: 一组, hired_on: 2020-01-01}
      - {user_id: u2, region: 华东, team: 一组, ramp: standard, hired_on: 2026-03-01}
  - id: "2026-2"
    effective_on: 2026-07-01
    decided_by: u1
    reason: revision
    targets: [{metric: bookings, base: "11,000万"}]
    people: [{user_id: u1, left_on: 2026-08-31}]
"""


def read(tmp_path: Path, text: str) -> tuple[Plan | None, list[str]]:
    path = tmp_path / "2026.yaml"
    path.write_text(text, encoding="utf-8")
    faults: list[str] = []
    return parse(path, Plan, faults), faults


def test_a_later_version_keeps_what_it_does_not_state(tmp_path: Path) -> None:
    plan, faults = read(tmp_path, PLAN)
    assert plan is not None, faults
    first, second = resolved(plan)
    assert [(target.metric, target.base) for target in first.whole.targets] == [
        ("bookings", Decimal("120000000.00")),
        ("collection_rate", Decimal("92.50")),
    ]
    revised = second.whole.targets[0]
    assert (revised.base, revised.stretch_ratio) == (Decimal("110000000.00"), Decimal("1.1"))
    assert second.whole.targets[1] == first.whole.targets[1]
    leaver, other = second.whole.people
    assert (str(leaver.left_on), leaver.team) == ("2026-08-31", "一组")
    assert other == first.whole.people[1]
    assert (str(first.decided_on), str(second.decided_on)) == ("2025-12-10", "2026-07-01")
    assert second.before is not None
    assert second.before.id == "2026-1"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        (12000000, "12000000.00"),
        ("1.2亿", "120000000.00"),
        ("8,500万", "85000000.00"),
        ("850k", "850000.00"),
        (0.1, "0.10"),
        ("12.34", "12.34"),
    ],
)
def test_amounts_as_people_write_them(written: object, amount: str) -> None:
    assert str(exact_amount(written)) == amount


@pytest.mark.parametrize("written", ["1.2.3亿", "abc", "0.001", "700.000", "1,2万", True, None])
def test_what_is_no_amount_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="expected an amount"):
        exact_amount(written)


def test_a_fault_names_its_line_and_what_was_expected(tmp_path: Path) -> None:
    broken = PLAN.replace("base: 92.5", "bases: 92.5").replace("base: 1.2亿", "base: plenty")
    plan, faults = read(tmp_path, broken)
    assert plan is None
    assert any(":10:" in fault and "expected an amount" in fault and "'plenty'" in fault for fault in faults), faults
    assert any(":11:" in fault and "bases: is not a known option" in fault for fault in faults), faults

"""AdventureWorks: order lines and quotas, onboarded by configuration only."""

import csv
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from tests.integration.adventureworks_side_by_side import AS_OF, COMPARISONS, ask
from tests.integration.conftest import EXAMPLES, Planloop
from tests.integration.maven_side_by_side import show


@pytest.fixture(scope="module")
def adventureworks(
    planloop: Callable[..., Planloop], data_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Planloop:
    """AdventureWorks, refreshed once."""
    loop = planloop(EXAMPLES / "adventureworks", tmp_path_factory.mktemp("aw"), PLANLOOP_DATA=str(data_folder))
    loop.run("refresh", "--as-of", AS_OF)
    return loop


# Added up by hand from the order lines of one salesperson and quarter: 223, 204 and 3 lines.
@pytest.mark.parametrize(
    ("salesperson", "quarter", "actual", "quota", "attainment"),
    [
        ("282", "2018-01-01", "591463.91", "665000.00", 0.889419),
        ("289", "2020-01-01", "294424.69", "234000.00", 1.258225),
        ("290", "2020-04-01", "2456.79", "1000.00", 2.456790),
    ],
)
def test_three_cases_worked_by_hand(
    adventureworks: Planloop, salesperson: str, quarter: str, actual: str, quota: str, attainment: float
) -> None:
    rows = adventureworks.query(
        "select actual, target_base, attainment from marts.mart_target_attainment where metric = 'bookings'"
        f" and period_kind = 'quarter' and node_key = 'rep:{salesperson}' and period_start_on = date '{quarter}'"
    )
    assert rows == [(Decimal(actual), Decimal(quota), pytest.approx(attainment, abs=1e-6))]


def test_every_salesperson_and_quarter_agrees_with_the_lines(adventureworks: Planloop, data_folder: Path) -> None:
    folder = data_folder / "adventureworks"
    sold: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    with (folder / "reseller_sales.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            year, month, _ = line["OrderDate"].split("-")
            quarter = f"{year}-{(int(month) - 1) // 3 * 3 + 1:02d}-01"
            sold[f"rep:{line['EmployeeKey']}", quarter] += Decimal(line["SalesAmount"])
    with (folder / "sales_quota.csv").open(encoding="utf-8") as file:
        quotas = {
            (f"rep:{q['EmployeeKey']}", q["QuarterStart"]): Decimal(q["SalesAmountQuota"]) for q in csv.DictReader(file)
        }
    rows = adventureworks.query(
        "select node_key, period_start_on::varchar, actual, target_base from marts.mart_target_attainment"
        " where metric = 'bookings' and period_kind = 'quarter' and starts_with(node_key, 'rep:')"
    )
    assert {(node, quarter): actual for node, quarter, actual, _ in rows if actual} == dict(sold)
    assert {(node, quarter): target for node, quarter, _, target in rows if target is not None} == quotas


@pytest.mark.parametrize("number", range(len(COMPARISONS)), ids=[comparison.title for comparison in COMPARISONS])
def test_attainment_is_what_sql_on_the_files_says(adventureworks: Planloop, data_folder: Path, number: int) -> None:
    """``pytest -s`` prints both beside each other."""
    answers = ask(
        COMPARISONS[number], adventureworks.workspace / "published" / "marts.duckdb", data_folder / "adventureworks"
    )
    show(answers, Console(width=140))
    assert answers.files
    assert answers.marts == answers.files

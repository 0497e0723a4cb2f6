"""Maven's CRM export, onboarded by configuration only: the published figures are those of the file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.integration.conftest import EXAMPLES, Planloop
from tests.integration.maven_side_by_side import COMPARISONS, ask, show
from tests.integration.records import count_records

OPPORTUNITIES, WON, LOST, WON_VALUE = 8800, 4238, 2473, 10_005_534


@pytest.fixture(scope="module")
def maven(planloop: Callable[..., Planloop], data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Planloop:
    """Maven, refreshed once."""
    loop = planloop(EXAMPLES / "maven", tmp_path_factory.mktemp("maven"), PLANLOOP_DATA=str(data_folder))
    loop.run("refresh", "--as-of", "2017-12-31")
    return loop


def test_counts_and_won_value_are_those_of_the_file(maven: Planloop) -> None:
    figures = maven.query(
        "select count(*), count(*) filter (is_won), count(*) filter (is_closed and not is_won),"
        " count(*) filter (not is_closed), sum(amount) filter (is_won) from marts.fct_opportunity"
    )
    assert figures == [(OPPORTUNITIES, WON, LOST, OPPORTUNITIES - WON - LOST, WON_VALUE)]


def test_bookings_of_the_company_year_are_the_won_value(maven: Planloop) -> None:
    rows = maven.query(
        "select sum(actual) from marts.mart_target_attainment"
        " where node_key = 'company' and metric = 'bookings' and period_kind = 'year'"
    )
    assert rows == [(WON_VALUE,)]


def test_every_row_of_every_file_is_accounted_for(maven: Planloop, data_folder: Path) -> None:
    counted = {path.name: count_records(path, {}) for path in (data_folder / "maven").glob("*.csv")}
    rows = maven.query("select file, rows_in, rows_accepted, rows_quarantined from marts.mart_data_quality")
    assert {file.rsplit("/", 1)[-1] for file, *_ in rows} == {
        "accounts.csv",
        "products.csv",
        "sales_pipeline.csv",
        "sales_teams.csv",
    }
    for file, rows_in, accepted, quarantined in rows:
        assert rows_in == counted[file.rsplit("/", 1)[-1]] == accepted + quarantined


@pytest.mark.parametrize("number", range(len(COMPARISONS)), ids=[comparison.title for comparison in COMPARISONS])
def test_the_marts_say_what_the_files_say(maven: Planloop, data_folder: Path, number: int) -> None:
    """``pytest -s`` prints both beside each other, and so does ``python -m tests.integration.maven_side_by_side``."""
    answers = ask(COMPARISONS[number], maven.workspace / "published" / "marts.duckdb", data_folder / "maven")
    show(answers, Console(width=140))
    assert answers.files
    assert answers.marts == answers.files

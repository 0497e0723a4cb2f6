"""What is measured of a night: every rule has a night that holds and one that does not."""

from datetime import date

import duckdb
import pytest

from flows.audit.measurements import COLUMNS
from flows.audit.rules import RULES
from flows.errors import PermanentError
from tests.unit.audit.conftest import write_log


def faults(measured, rule: str) -> list[tuple]:
    """Measurements of a rule that are not as expected, or could not be made."""
    frame = measured.frame
    frame = frame[(frame["rule"] == rule) & ((frame["expected"] != frame["found"]) | frame["error"].notna())]
    return [tuple(row) for row in frame[["subject", "expected", "found"]].itertuples(index=False)]


def test_a_night_in_order_has_no_fault_and_measures_every_rule_that_applies(night):
    measured = night.measure()
    assert list(measured.frame.columns) == list(COLUMNS)
    assert not measured.frame["error"].notna().any()
    assert {rule: faults(measured, rule) for rule in measured.rules if faults(measured, rule)} == {
        "deviations_are_plausible": [("pace", 0, 50)]
    }
    assert set(measured.frame["rule"]) == measured.rules
    assert (measured.as_of_date, measured.run_id) == (date(2025, 3, 31), "20250331-01")
    assert measured.measures == {"fct_opportunity.amount": 1_200_000.0, "fct_booking.amount": 600_000.0}


def test_every_rule_is_measured_by_some_test_below():
    covered = {case[0] for case in CASES} | {"tables_keep_their_rows", "tables_do_not_swell", "amounts_do_not_fall"}
    covered |= {"amounts_do_not_jump", "documents_complete", "document_amounts_kept"}
    assert covered == {rule.id for rule in RULES}


SPOILED_STATUS = (
    "select * replace (case when source = 'crm' then '{}' else status end as status, '{}' as message) from {{old}}"
)
CASES = [
    (
        "files_accepted",
        lambda night: night.change_input(
            "inputs/source_file.parquet", SPOILED_STATUS.format("refused", "shrank past the limit")
        ),
        [("crm: opportunities.csv", 1, 0)],
    ),
    (
        "files_accounted",
        lambda night: night.change("update marts.mart_data_quality set rows_quarantined = 2 where rows_in = 125"),
        [("crm: opportunities.csv", 125, 124)],
    ),
    (
        "files_accounted",
        lambda night: night.change("delete from marts.mart_data_quality where source = 'people'"),
        [("all files", 127, 125), ("people: users.xlsx", 2, -1)],
    ),
    (
        "changes_recorded",
        lambda night: night.change_input(
            "log/opportunity/2025-03-31.parquet", "select * from {old} where opportunity_id <> 'O-100'"
        ),
        [("opportunity, new", 32, 31)],
    ),
    (
        "changes_recorded",
        lambda night: (night.folder / "log" / "user" / "2025-03-31.parquet").unlink(),
        [("user, new", 2, 0)],
    ),
    (
        "opportunities_complete",
        lambda night: night.change("delete from marts.fct_opportunity where opportunity_id = 'O-0'"),
        [("USD", 1, 0), ("all currencies", 120, 119)],
    ),
    (
        "opportunity_amounts_kept",
        lambda night: night.change(
            "update marts.fct_opportunity set amount_original = 100.01 where opportunity_id = 'O-9'"
        ),
        [("CNY", 1_190_000, 1_190_001), ("all currencies", 1_200_000, 1_200_001)],
    ),
    (
        "attainment_equals_bookings",
        lambda night: night.change("update marts.fct_booking set amount = 99 where booking_id = 'O-1'"),
        [
            ("all periods of kind month", 599_900, 600_000),
            ("all periods of kind quarter", 599_900, 600_000),
            ("all periods of kind half", 599_900, 600_000),
            ("all periods of kind year", 599_900, 600_000),
            ("month of 2025-03-01", 599_900, 600_000),
            ("quarter of 2025-01-01", 599_900, 600_000),
            ("half of 2025-01-01", 599_900, 600_000),
            ("year of 2025-01-01", 599_900, 600_000),
        ],
    ),
    (
        "attainment_equals_bookings",
        lambda night: night.change(
            "update marts.fct_booking set booked_on = date '2025-02-28' where booking_id = 'O-1'"
        ),
        [("month of 2025-02-01", 10_000, 0), ("month of 2025-03-01", 590_000, 600_000)],
    ),
    (
        "attainment_equals_won_deals",
        lambda night: night.change(
            "update marts.mart_target_attainment set actual = 61"
            " where metric = 'won_count' and node_key = 'company' and period_kind = 'year'"
        ),
        [("all periods of kind year", 6_000, 6_100), ("year of 2025-01-01", 6_000, 6_100)],
    ),
    (
        "attainment_rolls_up",
        lambda night: night.change(
            "update marts.mart_target_attainment set actual = actual + 0.01"
            " where metric = 'bookings' and node_key = 'rep:2' and period_kind = 'month'"
        ),
        [("bookings by month", 0, 1)],
    ),
    (
        "attainment_rolls_up",
        lambda night: night.change("delete from marts.mart_target_attainment where node_key = 'region:east'"),
        [
            (f"{metric} by {kind}", 0, 2)
            for metric in ("bookings", "won_count")
            for kind in ("half", "month", "quarter", "year")
        ],
    ),
    (
        "forecast_rolls_up",
        lambda night: night.change(
            "update marts.mart_forecast set open_weighted_amount = 0, forecast_expected = forecast_expected - 1"
            " where metric = 'won_count' and node_key = 'company' and period_kind = 'quarter'"
        ),
        [("won_count by quarter", 0, 2)],
    ),
    (
        "waterfall_balances",
        lambda night: night.change(
            "update marts.mart_pipeline_waterfall set lost_amount = 0.01 where node_key = 'rep:1' and scope = 'closing'"
            " and period_kind = 'quarter'"
        ),
        [("scope closing", 0, 1)],
    ),
    (
        "waterfall_balances",
        lambda night: night.change("update marts.mart_pipeline_waterfall set won_deals = 1 where node_key = 'company'"),
        [("scope all", 0, 4), ("scope closing", 0, 4)],
    ),
    (
        "waterfall_follows_on",
        lambda night: night.change(
            "update marts.mart_pipeline_waterfall set start_amount = start_amount - 1, created_amount = 1"
            " where node_key = 'rep:2' and scope = 'all' and period_start_on = '2025-03-01' and period_kind = 'month'"
        ),
        [("month by month", 0, 1)],
    ),
    (
        "waterfall_ends_tonight",
        lambda night: night.change(
            "update marts.fct_opportunity set amount = amount + 0.01 where opportunity_id = 'O-100'"
        ),
        [("running month", 600001, 600000), ("running quarter", 600001, 600000), ("running year", 600001, 600000)],
    ),
    (
        "one_night",
        lambda night: night.change("update marts.dim_node set run_id = '20250330-01' where node_key = 'company'"),
        [("rows of run 20250331-01", 7, 6)],
    ),
    (
        "one_night",
        lambda night: night.change("update marts.dim_node set as_of_date = null where node_key = 'company'"),
        [("rows of run 20250331-01", 7, 6)],
    ),
    (
        "exports_do_not_go_back",
        lambda night: night.change_input(
            "inputs/source_file.parquet",
            "select * replace (case when as_of_date = date '2025-03-31' and source = 'crm' then date '2025-03-27'"
            " else freshest_on end as freshest_on) from {old}",
        ),
        [("crm", 0, 3)],
    ),
    (
        "sources_are_fresh",
        lambda night: night.change(
            "update marts.mart_data_quality set hours_old = 72, is_stale = true where is_tonight"
        ),
        [("crm, opportunity", 0, 48)],
    ),
    (
        "sources_left_out",
        lambda night: night.leave_out("crm", "refused", "shrank past the limit"),
        [("crm: opportunities.csv", 1, 0)],
    ),
    (
        "stages_are_configured",
        lambda night: night.change(
            "update marts.fct_opportunity set stage = 'Zorp', stage_no = null"
            " where opportunity_id in ('O-100', 'O-101')"
        ),
        [("Zorp", 0, 2)],
    ),
    (
        "deviations_are_measured",
        lambda night: night.change("update marts.mart_deviation set measured = 'nan' where node_key = 'rep:2'"),
        [("judged deviations", 30, 29)],
    ),
    (
        "deviations_are_measured",
        lambda night: night.change("update marts.mart_deviation set measured = null where node_key = 'rep:2'"),
        [("judged deviations", 30, 29)],
    ),
    (
        "deviations_are_plausible",
        lambda night: night.change("update marts.mart_deviation set severity = 'critical'"),
        [("pace", 0, 100)],
    ),
]


@pytest.mark.parametrize(("rule", "spoil", "expected"), CASES)
def test_a_spoiled_night_shows_in_the_measurement_of_its_rule(night, rule, spoil, expected):
    spoil(night)
    assert sorted(faults(night.measure(), rule)) == sorted(expected)


def test_the_reason_of_a_refused_file_is_kept(night):
    night.change_input("inputs/source_file.parquet", SPOILED_STATUS.format("refused", "expected 70 %, found 12 rows"))
    frame = night.measure().frame
    assert "refused: expected 70 %, found 12 rows" in frame["detail"].tolist()


@pytest.mark.parametrize("status", ["refused", "missing"])
@pytest.mark.parametrize("may_fail_by", ["refused", "missing"])
def test_a_source_without_rows_is_a_fault_unless_it_may_fail_in_that_way(night, status, may_fail_by):
    night.leave_out("crm", status, "no rows")
    night.tolerated = (("crm", may_fail_by),)
    fault = [("crm: opportunities.csv", 1, 0)]
    assert faults(night.measure(), "files_accepted") == ([] if status == may_fail_by else fault)
    assert faults(night.measure(), "sources_left_out") == (fault if status == may_fail_by else [])


def test_a_source_that_is_held_to_no_hours_is_not_measured(night):
    night.change("update marts.mart_data_quality set hours_old = 900, fresh_within_hours = null")
    assert "sources_are_fresh" not in night.measure().rules


@pytest.mark.parametrize(("entity", "booked_on"), [("contract", "signed_on"), ("line_item", "booked_on")])
def test_contracts_and_order_lines_are_held_against_the_log(night, entity, booked_on):
    night.change_input("inputs/run.parquet", f"select * replace ('{entity}' as bookings_from) from {{old}}")
    rows = f"""
        select booking_id as {entity}_id, amount, null::varchar as currency, booked_on as {booked_on},
            'new' as _change, date '2025-03-30' as _valid_from
        from candidate.marts.fct_booking
        union all select 'unsigned', 5, null, null, 'new', date '2025-03-30'
        union all select 'later', 5, null, date '2025-04-02', 'new', date '2025-03-30'
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach '{night.candidate}' as candidate (read_only)")
        write_log(connection, rows, night.folder / "log" / entity / "2025-03-30.parquet")
    night.change("update marts.fct_booking set currency = 'CNY'")
    measured = night.measure()
    assert {"documents_complete", "document_amounts_kept"} <= measured.rules
    assert faults(measured, "documents_complete") == faults(measured, "document_amounts_kept") == []
    night.change("delete from marts.fct_booking where booking_id = 'O-7'")
    measured = night.measure()
    assert ("CNY", 60, 59) in faults(measured, "documents_complete")
    assert ("CNY", 600_000, 590_000) in faults(measured, "document_amounts_kept")


def changes(night) -> dict[tuple[str, str], float]:
    frame = night.measure().frame
    frame = frame[frame["rule"].str.startswith(("tables_", "amounts_"))]
    return {(row.rule, f"{row.table_name} {row.subject}"): round(row.change, 4) for row in frame.itertuples()}


def test_the_first_night_is_compared_with_nothing(night):
    assert changes(night) == {}


def test_tables_and_totals_are_compared_with_the_last_published_night(night):
    night.published_before(
        {"fct_opportunity.amount": 600_000.0}, fct_opportunity=240, mart_data_quality=200, dim_node=7
    )
    assert changes(night) == {
        ("tables_keep_their_rows", "fct_opportunity rows"): -0.5,
        ("tables_do_not_swell", "fct_opportunity rows"): -0.5,
        ("tables_keep_their_rows", "mart_data_quality rows"): -0.985,
        ("amounts_do_not_fall", "fct_opportunity total amount"): 1.0,
        ("amounts_do_not_jump", "fct_opportunity total amount"): 1.0,
    }


def test_a_mart_by_period_may_gain_a_year_of_rows_and_a_forecast_lose_its_last_month(night):
    night.change(
        "insert into marts.mart_data_quality select mart_data_quality.* from marts.mart_data_quality, range(300)"
    )
    night.published_before(mart_data_quality=100, mart_forecast=5_000, dim_date=200)
    assert changes(night) == {("tables_keep_their_rows", "mart_data_quality rows"): 8.03}


def test_events_small_tables_and_tables_that_are_gone_are_not_compared(night):
    night.published_before(mart_deviation=5_000, dim_node=99, mart_of_an_older_release=5_000)
    assert changes(night) == {}


def test_a_declared_shrink_and_a_later_night_are_not_compared_with(night):
    night.published_before(fct_opportunity=240)
    night.accept_shrink = ("crm",)
    assert changes(night) == {}
    night.accept_shrink = ()
    night.previous = night.previous.model_copy(update={"as_of_date": date(2025, 4, 1)})
    assert changes(night) == {}


def test_a_declared_source_may_go_back_in_time(night):
    night.change_input(
        "inputs/source_file.parquet",
        "select * replace (case when rows_in = 125 then date '2025-03-01' else freshest_on end as freshest_on)"
        " from {old}",
    )
    assert faults(night.measure(), "exports_do_not_go_back")
    night.accept_shrink = ("crm",)
    assert not faults(night.measure(), "exports_do_not_go_back")


def test_a_statement_that_fails_is_a_measurement_with_an_error(night):
    night.change("alter table marts.mart_forecast drop column forecast_expected")
    frame = night.measure().frame
    (error,) = frame.loc[frame["rule"] == "forecast_rolls_up", "error"]
    assert "cannot be measured" in error
    assert "forecast_expected" in error


def test_a_missing_mart_is_an_error_of_every_rule_about_it(night):
    night.change("drop table marts.fct_opportunity cascade")
    frame = night.measure().frame
    assert set(frame.loc[frame["error"].notna(), "rule"]) == {
        "opportunities_complete",
        "opportunity_amounts_kept",
        "attainment_equals_won_deals",
        "waterfall_ends_tonight",
        "stages_are_configured",
    }


@pytest.mark.parametrize("name", ["candidate.duckdb", "inputs/run.parquet", "inputs/source_file.parquet"])
def test_what_is_needed_and_absent_is_named(night, name):
    (night.folder / name).unlink()
    with pytest.raises(PermanentError, match=f"{name}.*found none"):
        night.measure()


def test_the_candidate_is_not_changed(night):
    before = night.candidate.read_bytes()
    night.measure()
    assert night.candidate.read_bytes() == before

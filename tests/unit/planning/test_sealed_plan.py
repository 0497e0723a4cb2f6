"""What is in force stays: sealed rows, changed files, restatements, and words that explain a cell."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.model import Plan
from flows.config.plan.versions import resolved
from flows.errors import ConfigError, PermanentError
from flows.planning.allocation.allocate import Setting
from flows.planning.allocation.capacity import WorkingDays
from flows.planning.allocation.history import RESULTS, History
from flows.planning.basis import Basis, keep_basis, newest_basis, staged_basis, write_basis
from flows.planning.explain import explain
from flows.planning.night import plan_inputs, plan_versions, seal_in_force
from flows.planning.seal import missing_versions, read_seal, restate, sealed_from
from flows.planning.show import cells, period_of, target_rows, tree_rows, write_workbook
from flows.planning.staffing import Stands, staffing_notes
from flows.planning.trial import Trial
from flows.planning.twice import stated_twice
from flows.warehouse.inputs import write_input
from flows.workspace import Workspace

FISCAL = FiscalCalendar()
FIRST = date(2026, 1, 1)
DAYS = WorkingDays.of(FIRST, ((FIRST + timedelta(days=number)).weekday() < 5 for number in range(365)))
SETTING = Setting(FISCAL, "CNY", History(date(2026, 8, 1)), DAYS)


def plan(**first: Any) -> Plan:
    return Plan.model_validate(
        {
            "year": 2026,
            "versions": [
                {
                    "id": "v1",
                    "effective_on": "2026-01-01",
                    "decided_by": "a",
                    "reason": "annual",
                    "seasonality": {"by": "flat"},
                    "people": [
                        {"user_id": "a", "region": "N"},
                        {"user_id": "b", "region": "N", "potential": "3"},
                    ],
                    "targets": [{"metric": "bookings", "base": 1200}],
                    **first,
                },
                {
                    "id": "v2",
                    "effective_on": "2026-07-01",
                    "decided_on": "2026-06-20",
                    "decided_by": "a",
                    "reason": "revision",
                    "targets": [{"metric": "bookings", "base": 1800}],
                },
            ],
        }
    )


def night(workspace: Workspace, stated: Plan, as_of: date) -> pl.DataFrame:
    """A night: its versions are allocated or read, and what is in force is sealed."""
    planned = plan_versions(workspace, [stated], Path("plans"), SETTING, [], as_of)
    versions, targets = plan_inputs(planned, SETTING)
    write_input(workspace, "plan_version", versions)
    write_input(workspace, "plan_target", targets)
    seal_in_force(workspace, [stated], as_of, f"{as_of:%Y%m%d}-01")
    return targets


def months(targets: pl.DataFrame, version: str, node: str) -> list[int]:
    chosen = targets.filter(plan_version=version, node_key=node, period_kind="month").sort("period_start_on")
    return chosen["base_hundredths"].to_list()


def test_a_version_is_sealed_once_in_force_and_a_change_of_it_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    night(workspace, plan(), date(2026, 6, 20))
    assert read_seal(workspace, "v1") is not None
    assert read_seal(workspace, "v2") is None  # decided, not yet in force
    changed = plan(targets=[{"metric": "bookings", "base": 1300}])
    said = r"in force since 2026-01-01 \(sealed on 2026-06-20\).*company.base: 1200 → 1300.*new version.*restate v1"
    with pytest.raises(ConfigError, match=said):
        night(workspace, changed, date(2026, 6, 21))
    # What is only said about a plan may change.
    night(workspace, plan(reason="said better"), date(2026, 6, 21))


def test_what_a_version_withdraws_is_shared_again_from_its_first_month_on(tmp_path: Path) -> None:
    stated = plan(
        targets=[{"metric": "bookings", "base": 1200}, {"metric": "won_count", "base": 24}],
        pins=[{"metric": "bookings", "node": "rep:a", "period": "year", "base": 60, "reason": "new to the trade"}],
    ).model_dump(exclude_unset=True)
    stated["versions"][1]["withdrawn"] = [
        {"metric": "bookings", "node": "rep:a", "period": "year", "reason": "learnt it"},
        {"metric": "won_count", "reason": "counts for nothing"},
    ]
    targets = night(Workspace(tmp_path), Plan.model_validate(stated), date(2026, 8, 1))
    money = targets.filter(metric="bookings")
    assert months(money, "v1", "rep:a") == [500] * 12
    # 600.00 of 1,800.00 are carried; a is one of four in what is left, no longer held to 5 a month.
    assert months(money, "v2", "rep:a") == [500] * 6 + [5000] * 6
    assert months(money, "v2", "rep:b") == [9500] * 6 + [15000] * 6
    assert targets.filter(metric="won_count")["plan_version"].unique().to_list() == ["v1"]


def test_what_is_written_otherwise_and_says_the_same_is_no_change_of_a_sealed_version(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    night(workspace, plan(), date(2026, 2, 1))
    people = [
        {"user_id": "b", "region": "N", "potential": 3, "name": "B"},
        {"region": "N", "user_id": "a", "left_on": None},
    ]
    same = plan(people=people, targets=[{"base": "1.2k", "metric": "bookings", "node": "company", "dri": "a"}])
    assert months(night(workspace, same, date(2026, 2, 2)), "v1", "rep:b") == [7500] * 12
    changes = {
        "pins": [{"metric": "bookings", "node": "rep:a", "period": "Q1", "base": 60, "reason": "x"}],
        "people": [{"user_id": "a", "region": "S"}, {"user_id": "b2", "region": "N", "potential": "3"}],
    }
    with pytest.raises(ConfigError) as refused:
        night(workspace, plan(**changes), date(2026, 2, 3))
    [said] = refused.value.faults
    for change in (
        "pins.bookings, rep:a, Q1: nothing → metric bookings, node rep:a, period Q1, base 60",
        "people.a.region: N → S",
        "people.b: user_id b, region N",
        "people.b2: nothing → user_id b2",
    ):
        assert change in said


def test_a_sealed_version_that_no_file_states_is_missed_until_it_is_let_go(tmp_path: Path) -> None:
    workspace, folder = Workspace(tmp_path), Path("plans")
    night(workspace, plan(), date(2026, 8, 1))
    assert missing_versions(workspace, [plan()], folder) == []
    assert len(missing_versions(workspace, [], folder)) == 2
    renamed = Plan.model_validate(
        {**plan().model_dump(), "versions": [plan().versions[0].model_copy(update={"id": "v0"})]}
    )
    first, second = missing_versions(workspace, [renamed], folder)
    assert first.startswith(
        "plans/2026.yaml: expected version v1, which has been in force since 2026-01-01 and is sealed"
    )
    assert "v0 takes effect on the same day: was it renamed?" in first
    assert "renamed" not in second
    assert sealed_from(workspace, "v2") == ["v2"]
    restate(workspace, sealed_from(workspace, "v1"), reason="planned elsewhere", on=date(2026, 8, 2))
    assert missing_versions(workspace, [], folder) == []


def test_the_night_names_those_of_the_plan_who_are_gone_have_left_or_stand_elsewhere() -> None:
    people = [
        {"user_id": "a", "name": "Ann", "region": "N", "team": "T"},
        {"user_id": "b", "region": "N"},
        {"user_id": "c", "region": "N"},
        {"user_id": "d"},
        {"user_id": "hire", "region": "N", "hired_on": "2026-09-01"},
        {"user_id": "out", "region": "N", "left_on": "2026-07-31"},
    ]
    standing = {
        "b": Stands("Ben", "team:S/U", None),
        "c": Stands("Cho", "region:N", date(2026, 6, 30)),
        "d": Stands("Dee", "region:S", None),
        "out": Stands("Out", "region:N", date(2026, 7, 31)),
    }
    versions = resolved(plan(people=people))
    gone, left, moved = staffing_notes(versions, [], standing, date(2026, 8, 1))
    assert gone.startswith("v2: counts on 1 who are not in the organisation: a (Ann). ")
    assert left.startswith("v2: counts on 1 who have left: c since 2026-06-30. ")
    assert moved.startswith("v2: 1 stand elsewhere than the plan has them: b: region:N, now team:S/U. ")
    assert staffing_notes(versions, [], standing, date(2025, 12, 31)) == []


def test_periods_that_were_over_at_a_reorganisation_stay_with_the_team_of_then(tmp_path: Path) -> None:
    """Rep b goes from N to S in July: what N had in the first half stays there; months and quarters add up."""
    stated = plan(people=[{"user_id": "a", "region": "S"}, {"user_id": "b", "region": "N"}]).model_dump(
        exclude_unset=True
    )
    stated["versions"][1]["people"] = [{"user_id": "b", "region": "S"}]
    targets = night(Workspace(tmp_path), Plan.model_validate(stated), date(2026, 8, 1)).filter(plan_version="v2")
    parts = targets.filter(pl.col("parent_node_key").str.starts_with("region:")).group_by(
        "period_kind", "period_start_on", node_key="parent_node_key"
    )
    wholes = targets.join(
        parts.agg(parts=pl.col("base_hundredths").sum()), on=["period_kind", "period_start_on", "node_key"]
    )
    first_half = wholes.filter(period_kind="half", period_start_on=FIRST)
    assert dict(first_half.select("node_key", "parts").iter_rows()) == {"region:N": 30000, "region:S": 30000}
    short = wholes.filter((pl.col("period_kind") != "year") & (pl.col("parts") != pl.col("base_hundredths")))
    assert short.is_empty()


def test_a_restatement_opens_the_version_and_those_that_carry_it_and_keeps_what_was(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    before = night(workspace, plan(), date(2026, 8, 1))
    assert months(before, "v2", "company") == [10000] * 6 + [20000] * 6
    versions = [version.id for version in resolved(plan())]
    with pytest.raises(PermanentError, match="expected a reason"):
        restate(workspace, versions, reason=" ", on=date(2026, 8, 2))
    assert restate(workspace, versions, reason="stated twice", on=date(2026, 8, 2)) == ["v1", "v2"]
    after = night(workspace, plan(targets=[{"metric": "bookings", "base": 600}]), date(2026, 8, 2))
    assert months(after, "v2", "company") == [5000] * 6 + [25000] * 6
    seal = read_seal(workspace, "v1")
    assert seal is not None and seal["sealed_on"] == "2026-08-02"
    [entry] = seal["restated"]
    assert (entry["reason"], entry["sealed_on"]) == ("stated twice", "2026-08-01")
    assert months(pl.read_parquet(workspace.plans / entry["rows"]), "v1", "company") == [10000] * 12


def test_a_sealed_version_does_not_follow_what_is_learnt_later(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = night(workspace, plan(), date(2026, 2, 1))
    seal = workspace.plans / "v1.parquet"
    sealed = pl.read_parquet(seal)
    assert sealed.equals(first.filter(plan_version="v1"))
    later = plan_versions(workspace, [plan()], Path("plans"), SETTING, [], date(2026, 3, 1))
    assert later[0].allocation is None and later[0].targets.equals(sealed)


def test_a_night_knows_only_what_was_decided_by_then(tmp_path: Path) -> None:
    known = plan_versions(Workspace(tmp_path), [plan()], Path("plans"), SETTING, [], date(2026, 6, 19))
    assert [one.version.id for one in known] == ["v1"]


def test_what_a_night_knows_is_kept_and_read_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    results = pl.DataFrame([("bookings", "rep:a", FIRST, 100, 1, None)], schema=RESULTS, orient="row")
    basis = Basis(History(FIRST, results, {"rep:a": "company"}, {"bookings": FIRST}), plan().versions[0].people)
    for _ in range(2):
        write_basis(basis, staged_basis(workspace))
        keep_basis(workspace)
    found = newest_basis(workspace)
    assert found.headcount == basis.headcount
    assert found.history.results.equals(results)
    assert (found.history.parents, found.history.first_on) == (basis.history.parents, basis.history.first_on)


def test_every_cell_says_how_it_came_about_in_figures_that_can_be_checked(tmp_path: Path) -> None:
    """100 a month; a and b weigh 1 : 3, so that a has 25 in January; from July on 200, of which b has 150."""
    versions = plan_versions(Workspace(tmp_path), [plan()], Path("plans"), SETTING, [], date(2026, 8, 1))
    trial = Trial(versions, SETTING, date(2026, 8, 1))
    july = period_of(FISCAL, 2026, "M07")
    said = "\n".join(explain(trial, trial.version("v2"), "bookings", "rep:b", july, "en"))
    for part in (
        "base 150.00",
        "Part of region:N, which has 200.00",
        "rep:a: 50.00 (capacity 1.0000, weight 0.250000, split)",
        "× potential 3 = 3.0000",
        "200.00 × 0.75000000 = 150.00 (rounding added +0.00)",
        "Season of year: 1,800.00, less 600.00 of past months and 0.00 set by hand within it, leaves 1,200.00",
        "1,200.00 × 0.16666667 = 200.00",
    ):
        assert part in said, said
    january = period_of(FISCAL, 2026, "2026-01")
    carried = "\n".join(explain(trial, trial.version("v2"), "bookings", "rep:a", january, "zh"))
    assert "沿用" in carried and "v1：rep:a M01" in carried and "100.00 × 0.25000000 = 25.00" in carried
    quarter = explain(trial, trial.version("v2"), "bookings", "region:N", period_of(FISCAL, 2026, "Q3"), "en")
    assert "M07 200.00 + M08 200.00 + M09 200.00 = 600.00" in quarter[1]
    with pytest.raises(PermanentError, match="found no rep:x"):
        explain(trial, trial.version("v2"), "bookings", "rep:x", july, "en")


def test_a_month_beside_and_within_a_quarter_set_by_hand_is_explained_by_what_is_left_for_it(tmp_path: Path) -> None:
    """Of 1,200 Q3 has 600 by hand, of these August 100: July and September 250 each, the other nine 600 ÷ 9 = 66.67.

    The stretch, 240 above, knows nothing of these: 20 a month.
    """
    pins = [
        {"metric": "bookings", "node": "company", "period": "Q3", "base": 600, "reason": "fair"},
        {"metric": "bookings", "node": "company", "period": "M08", "base": 100, "reason": "holidays"},
    ]
    stated = plan(pins=pins, targets=[{"metric": "bookings", "base": 1200, "stretch": 1440}])
    versions = plan_versions(Workspace(tmp_path), [stated], Path("plans"), SETTING, [], date(2026, 6, 1))
    trial = Trial(versions, SETTING, date(2026, 6, 1))

    def said(month: str) -> str:
        period = period_of(FISCAL, 2026, month)
        return "\n".join(explain(trial, trial.version("v1"), "bookings", "company", period, "en"))

    july, may = said("M07"), said("M05")
    assert "Season of Q3: 600.00, less 0.00 of past months and 100.00 set by hand within it, leaves 500.00" in july
    assert "500.00 × 0.50000000 = 250.00 (rounding added +0.00)" in july
    assert "months left for it: M07, M09;" in july
    assert "Season of year: 1,200.00, less 0.00 of past months and 600.00 set by hand within it, leaves 600.00" in may
    assert "600.00 × 0.11111111 = 66.67 (rounding added +0.00)" in may
    assert "Stretch: the 20.00 above the base are shared in the same way" in may
    assert "Reason: holidays" in said("M08")


def test_what_people_are_asked_for_and_what_they_are_expected_to_bring_are_two_figures(tmp_path: Path) -> None:
    """Full heads carry 1,200 a year, of which 90 % is expected; b comes in July and sells half of the time.

    Asked: 1,200 + 600 = 1,800, 20 % over the 1,500. Expected: (1,200 + 600 × 0.5) × 0.9 = 1,350.
    """
    stated = plan(
        people=[
            {"user_id": "a", "region": "N"},
            {"user_id": "b", "region": "N", "active_share": "50%", "counts_from": "2026-07-01"},
        ],
        capacity=[{"metric": "bookings", "quota_per_head": 1200, "expected_attainment": "90%"}],
        targets=[{"metric": "bookings", "base": 1500}],
    )
    first, _ = plan_versions(Workspace(tmp_path), [stated], Path("plans"), SETTING, [], date(2026, 8, 1))
    [row] = target_rows(first)
    assert (row["capacity"], row["over_assignment"]) == ("1,350.00", "+20.0%")


def test_a_version_is_shown_as_a_tree_and_written_as_a_workbook(tmp_path: Path) -> None:
    versions = plan_versions(Workspace(tmp_path), [plan()], Path("plans"), SETTING, [], date(2026, 8, 1))
    one = versions[0]
    rows = tree_rows(cells(one, node="region:N", period=period_of(FISCAL, 2026, "Q1")), FISCAL, 2026)
    assert [row["node"] for row in rows] == ["region:N", "  rep:a", "  rep:b"]
    assert rows[1] == {
        "metric": "bookings", "node": "  rep:a", "M01": "25.00", "M02": "25.00", "M03": "25.00", "Q1": "75.00",
    }  # fmt: skip
    [target] = target_rows(one)
    assert (target["base"], target["season"]) == ("1,200.00", "flat")
    from python_calamine import CalamineWorkbook

    write_workbook(tmp_path / "plan.xlsx", one, one.targets, FISCAL)
    sheet = CalamineWorkbook.from_path(str(tmp_path / "plan.xlsx")).get_sheet_by_name("bookings").to_python()
    assert sheet[1][0] == "company" and sheet[1][-1] == 1200.0
    with pytest.raises(PermanentError, match="expected a metric"):
        cells(one, metric="nothing")


def test_a_metric_that_a_source_states_too_is_told(tmp_path: Path) -> None:
    planned = plan_versions(Workspace(tmp_path), [plan()], Path("plans"), SETTING, [], date(2026, 8, 1))
    log = tmp_path / "target"
    log.mkdir()
    stated = {"metric": ["bookings", "bookings", "margin"], "period_start_on": [FIRST, date(2025, 3, 1), FIRST]}
    pl.DataFrame(stated).write_parquet(log / "2026-08-01.parquet")
    [said] = stated_twice(log, planned[0].targets, FISCAL)
    assert said.startswith("bookings, fiscal year 2026")


IMPOSSIBLE = """\
year: 2026
versions:
  - {id: v1-old, effective_on: 2026-01-01, decided_by: a, reason: r}
  - id: v1
    effective_on: 2026-02-01
    decided_by: a
    reason: annual
    seasonality: {by: flat}
    people: [{user_id: a, region: N}, {user_id: b, region: N}]
    targets:
      - {metric: margin, base: 100, currency: USD}
      - {metric: bookings, base: 1100}
      - {metric: won_count, base: 12}
    pins:
      - {metric: bookings, node: "rep:b", period: M02, base: 1, reason: x}
      - {metric: won_count, node: "rep:a", period: Q2, base: 900, reason: x}
      - {metric: bookings, node: "rep:b", period: 2026-04, base: 60, reason: x}
      - {metric: bookings, node: "rep:a", period: M04, base: 70, reason: x}
      - {metric: bookings, node: company, period: M04, base: 100, reason: x}
      - {metric: cash_collected, node: "rep:a", period: M05, base: 3, reason: x}
      - {metric: bookings, node: "rep:c", period: M06, base: 1, reason: x}
"""


def test_an_amount_that_cannot_hold_is_told_at_the_line_that_states_it(tmp_path: Path) -> None:
    folder = tmp_path / "plans"
    folder.mkdir()
    file = folder / "this-year.yaml"
    file.write_text(IMPOSSIBLE, encoding="utf-8")
    stated = Plan.model_validate(yaml.safe_load(IMPOSSIBLE))
    with pytest.raises(ConfigError) as refused:
        plan_versions(Workspace(tmp_path), [stated], folder, SETTING, [], date(2026, 8, 1))
    told = [fault.removeprefix(f"{file}:") for fault in refused.value.faults]
    assert [fault.partition(": expected")[0].partition(": nobody")[0] for fault in told] == [
        "21: versions.1.pins.6.node: nodes[rep:c]",
        "19: versions.1.pins.4.base: bookings, company M04",
        "20: versions.1.pins.5.base: cash_collected, rep:a M05",
        "11: versions.1.targets.0.base: targets[margin, company]",
        "16: versions.1.pins.1.base: won_count, company",
        "16: versions.1.pins.1.base: won_count, rep:a Q2",
    ], told
    # 60 + 70 of the 100 that April has; a pin that holds is not named.
    assert told[1].endswith("(see also 17: versions.1.pins.2.base; 18: versions.1.pins.3.base)")

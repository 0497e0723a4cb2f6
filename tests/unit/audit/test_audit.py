"""The verdict: what holds is published, what does not is refused with its reasons, and nothing passes unseen."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from flows.audit import checkpoint
from flows.audit.audit import audit
from flows.audit.checkpoint import judge
from flows.audit.result import SCREEN, AuditResult
from flows.audit.rules import BY_ID, RULES

MAX_CHANGE = 0.3
SETTINGS = SimpleNamespace(audit=SimpleNamespace(max_change=MAX_CHANGE))
FAIL = (
    "select * replace (case when source = 'crm' then 'refused' else status end as status, '{}' as message) from {{old}}"
)
SHRUNK = "expected at least 70% of the 8800 rows known from this source, found 4400: refused as a whole"


def run(night) -> AuditResult:
    return audit(
        night.candidate,
        night.folder,
        night.previous,
        SETTINGS,
        night.folder.parent / "docs",
        night.accept_shrink,
        tolerated=night.tolerated,
        engine={"threads": 1},
    )


def failed(result: AuditResult) -> list[str]:
    return [outcome.rule.id for outcome in result.outcomes if not outcome.passed]


def test_a_night_in_order_passes_and_gives_the_measures_for_the_next_one(night):
    result = run(night)
    assert (result.passed, result.findings) == (True, ())
    assert result.explain().startswith("The audit of the night of 2025-03-31 (run 20250331-01) passed: ")
    assert result.measures == {"fct_opportunity.amount": 1_200_000.0, "fct_booking.amount": 600_000.0}
    assert json.loads(json.dumps(result.to_dict()))["passed"] is True


def test_half_of_the_opportunities_gone_is_refused_and_explained(night):
    night.published_before(fct_opportunity=120, fct_booking=60)
    night.change("delete from marts.fct_opportunity where opportunity_id[3:]::integer % 2 = 1")
    result = run(night)
    assert not result.passed
    assert {"opportunities_complete", "opportunity_amounts_kept", "tables_keep_their_rows"} <= set(failed(result))
    (finding,) = [finding for finding in result.findings if finding.rule == "tables_keep_their_rows"]
    change = "fct_opportunity, rows: 120 before, 60 now: -50.0%, limit 30%"
    assert finding.message_en == f"{change} (against the night of 2025-03-30, run 20250330-01)"


def test_a_refused_file_is_refused_with_file_counts_and_limit(night):
    night.published_before(fct_opportunity=120)
    night.change_input("inputs/source_file.parquet", FAIL.format(SHRUNK))
    result = run(night)
    assert not result.passed
    for language in ("en", "zh"):
        text = result.explain(language)
        assert f"crm: opportunities.csv: refused: {SHRUNK}" in text
        assert "20250330-01" in text
        assert "planloop refresh --as-of 2025-03-31 --accept-shrink" in text
        assert str(result.docs) in text


@pytest.mark.parametrize(
    ("total_before", "expected"),
    [(1_700_000.0, []), (1_720_000.0, ["amounts_do_not_fall"]), (925_000.0, []), (12_000.0, ["amounts_do_not_jump"])],
)
def test_totals_may_change_by_the_limit_and_no_more(night, total_before, expected):
    night.published_before({"fct_opportunity.amount": total_before}, fct_opportunity=120)
    assert failed(run(night)) == expected


def test_a_warning_is_shown_and_does_not_refuse(night):
    night.change("update marts.mart_deviation set severity = 'critical'")
    result = run(night)
    assert result.passed
    assert failed(result) == ["deviations_are_plausible"]
    assert "1 warning." in result.explain()
    assert "30 of 30 nodes are critical" in result.findings[0].message_en


def test_a_source_that_was_left_out_is_a_warning_in_the_words_of_its_refusal(night):
    night.leave_out("crm", "refused", SHRUNK)
    result = run(night)
    assert (result.passed, failed(result)) == (True, ["sources_left_out"])
    (finding,) = result.findings
    assert finding.message_en == f"crm: opportunities.csv: refused: {SHRUNK}"


def with_numbers(night, numbers: dict[str, tuple[int, int]]):
    """The night's measurements with one measurement of each named rule that is expected and found as given."""
    measured = night.measure()
    frame = measured.frame
    rows = [tuple(row) for row in frame[~frame["rule"].isin(numbers)].itertuples(index=False)]
    for rule, (expected, found) in numbers.items():
        change = (found - expected) / expected if expected else float(found != 0)
        rows.append((0, rule, "t", "s", expected, found, change, None, None))
    rows = [(number, *row[1:]) for number, row in enumerate(rows)]
    return replace(measured, frame=type(frame)(rows, columns=frame.columns).astype(frame.dtypes))


AT_AND_BEYOND = {"equal": ((7, 7), (7, 8)), "no_fall": ((100, 70), (100, 69)), "no_rise": ((100, 130), (100, 131))}


def at_and_beyond(rule) -> tuple[tuple[int, int], tuple[int, int]]:
    return AT_AND_BEYOND.get(rule.verdict) or ((0, int(rule.limit)), (0, int(rule.limit) + 1))


def test_each_rule_passes_at_its_limit(night):
    measured = with_numbers(night, {rule.id: at_and_beyond(rule)[0] for rule in RULES})
    outcomes, _ = judge(measured, MAX_CHANGE)
    assert {outcome.rule.id for outcome in outcomes} == {rule.id for rule in RULES} | {"everything_measured"}
    assert [outcome.rule.id for outcome in outcomes if not outcome.passed] == []


def test_each_rule_fails_beyond_its_limit_with_one_finding_that_has_its_weight(night):
    measured = with_numbers(night, {rule.id: at_and_beyond(rule)[1] for rule in RULES})
    outcomes, _ = judge(measured, MAX_CHANGE)
    found = {outcome.rule.id: [finding.refuses for finding in outcome.findings] for outcome in outcomes}
    assert found == {"everything_measured": []} | {rule.id: [rule.refuses] for rule in RULES}


def test_two_large_totals_that_differ_by_a_cent_are_not_equal(night):
    outcomes, _ = judge(with_numbers(night, {"opportunity_amounts_kept": (2**62, 2**62 + 1)}), MAX_CHANGE)
    assert [outcome.rule.id for outcome in outcomes if not outcome.passed] == ["opportunity_amounts_kept"]


def test_what_cannot_be_measured_is_refused(night):
    night.change("alter table marts.mart_forecast drop column forecast_expected")
    result = run(night)
    assert not result.passed
    assert failed(result) == ["everything_measured"]
    assert "forecast_rolls_up could not be judged: cannot be measured" in result.explain()


def test_a_rule_that_applies_and_has_no_measurement_is_refused(night):
    measured = night.measure()
    frame = measured.frame[measured.frame["rule"] != "one_night"]
    outcomes, _ = judge(replace(measured, frame=frame), MAX_CHANGE)
    (finding,) = [finding for outcome in outcomes for finding in outcome.findings]
    assert finding.message_en == "one_night could not be judged: no measurement."
    assert finding.refuses


def test_an_exception_inside_great_expectations_is_refused(night, monkeypatch):
    original = checkpoint._expectation

    def about_no_column(rule, max_change):
        expectation = original(rule, max_change)
        if rule.id == "tables_keep_their_rows":
            expectation.column = "no_such_column"
        return expectation

    monkeypatch.setattr(checkpoint, "_expectation", about_no_column)
    night.published_before(fct_opportunity=120)
    result = run(night)
    assert failed(result) == ["tables_keep_their_rows"]
    assert "could not be judged" in result.explain()
    assert "no_such_column" in result.explain()


@pytest.mark.parametrize(
    ("info", "problem"),
    [
        (None, None),
        ({}, None),
        ({"raised_exception": False, "exception_message": None}, None),
        ({"raised_exception": True, "exception_message": "boom"}, "boom"),
        ({"metric": {"raised_exception": True, "exception_message": "boom"}}, "boom"),
        ({"metric": {"raised_exception": True, "exception_message": None}}, "unknown error"),
    ],
)
def test_exceptions_are_read_from_every_form_of_exception_info(info, problem):
    assert checkpoint._exception(info) == problem


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_reason_fits_one_screen_however_much_is_wrong(night, language):
    night.published_before({"fct_opportunity.amount": 1.0}, fct_opportunity=12_000)
    night.change_input("inputs/source_file.parquet", FAIL.format(SHRUNK))
    night.change("update marts.mart_target_attainment set actual = actual + 1, open_amount = open_amount + random()")
    night.change("update marts.mart_forecast set closed_amount = random() * 100")
    night.change("update marts.fct_opportunity set amount_original = 1, run_id = 'x' where opportunity_id <> 'O-1'")
    night.change("update marts.dim_date set run_id = 'x'")
    night.change("update marts.dim_node set run_id = 'x'")
    night.change("update marts.fct_booking set amount = 1, as_of_date = null")
    result = run(night)
    lines = result.explain(language).splitlines()
    assert len(failed(result)) > 7
    assert len(lines) <= SCREEN
    assert "files_accepted" in "\n".join(lines)
    assert re.search(r"and \d+ more rules|另有 \d+ 条规则", "\n".join(lines))


class Resources(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset", "action", "data") and value]

    def handle_data(self, data):
        self.text.append(data)


def page_of(result: AuditResult) -> Resources:
    page = Resources()
    text = result.docs.read_text(encoding="utf-8")
    page.feed(text)
    assert not re.search(r"url\(|@import|https?://", text)
    return page


def test_the_page_loads_nothing_and_runs_nothing(night):
    result = run(night)
    page = page_of(result)
    assert page.links == ["validation_result.json"]
    assert (result.docs.parent / "validation_result.json").is_file()
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)


def test_the_page_shows_every_rule_in_both_languages_with_its_measurements(night):
    night.published_before(fct_opportunity=240)
    result = run(night)
    text = " ".join("".join(page_of(result).text).split())
    for outcome in result.outcomes:
        assert outcome.rule.en in text
        assert outcome.rule.zh in text
    assert "Refused." in text
    assert "不予发布" in text
    assert "12,000.00" in text, "the amount of all opportunities"
    assert "against the night of 2025-03-30, run 20250330-01" in text


def test_text_of_the_inputs_cannot_become_markup(night):
    night.change_input("inputs/source_file.parquet", FAIL.format("<script>alert(1)</script>"))
    result = run(night)
    assert "script" not in page_of(result).tags
    assert "&lt;script&gt;alert(1)" in result.docs.read_text(encoding="utf-8")


def test_great_expectations_own_result_lies_beside_the_page(night):
    result = run(night)
    validation = json.loads((result.docs.parent / "validation_result.json").read_text(encoding="utf-8"))
    assert validation["success"] is True
    rules = {entry["expectation_config"]["meta"]["rule"] for entry in validation["results"]}
    assert rules == {outcome.rule.id for outcome in result.outcomes}
    assert all(entry["expectation_config"]["notes"] for entry in validation["results"])


def test_the_library_is_imported_only_when_a_night_is_judged():
    code = "import sys, flows.audit.audit; print('great_expectations' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False False\n"


def test_a_rebuild_of_the_past_is_not_compared_with_a_later_night(night):
    night.published_before(fct_opportunity=12_000)
    night.previous = night.previous.model_copy(update={"as_of_date": date(2025, 4, 30)})
    assert run(night).passed


def test_rule_ids_are_unique():
    assert len(BY_ID) == len(RULES)

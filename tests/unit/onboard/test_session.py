"""Several files at once: what they say together, and what a night would make of them."""

from datetime import date
from pathlib import Path

import pytest

from flows.errors import ConfigError, PermanentError
from flows.onboard.proposal import Answers
from flows.onboard.session import Looked, Onboarding, Request, onboard

HEADER = "Deal ID,Deal Name,Stage,Amount\n"
COMPANY = ("company.name=Acme", "company.reporting_currency=USD", "company.country=US")


def run(folder: Path, *names: str, given: tuple[str, ...] = COMPANY, **request: str) -> Onboarding:
    paths = tuple(folder / name for name in names)
    asked = Request(paths, folder / "config", {}, date(2024, 4, 1), **request)  # type: ignore[arg-type]
    return onboard(asked, Looked(asked), Answers(given))


def test_files_that_differ_by_a_date_in_their_name_are_one_source_of_dated_exports(tmp_path: Path) -> None:
    (tmp_path / "deals_2024-03-30.csv").write_text(HEADER + "1,A,Proposal,10\n", encoding="utf-8")
    (tmp_path / "deals_2024-03-31.csv").write_text(HEADER + "1,A,Won,10\n2,B,Proposal,5\n", encoding="utf-8")
    found = run(tmp_path, "deals_2024-03-31.csv", "deals_2024-03-30.csv")
    (proposal,) = found.proposals
    assert proposal.options["path"] == f"{tmp_path}/deals_{{date:%Y-%m-%d}}.csv"
    assert [(one.rows_in, one.rows_accepted) for one in found.rehearsals] == [(1, 1), (2, 2)]


def test_a_rehearsal_tells_what_would_be_quarantined_and_why(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text(
        HEADER + "\n".join(f"{number},A,Won,{number}" for number in range(1, 12)) + "\n12,B,Won,-5\n,C,Won,1\n",
        encoding="utf-8",
    )
    (result,) = run(tmp_path, "deals.csv").rehearsals
    assert (result.rows_in, result.rows_accepted, result.rows_quarantined) == (13, 11, 2)
    assert result.stages == {"won": 11}
    assert {(reason["column"], reason["rows"]) for reason in result.reasons} == {("Amount", 1), ("Deal ID", 1)}


def test_names_of_files_are_no_patterns(tmp_path: Path) -> None:
    (tmp_path / "deals [all].csv").write_text(HEADER + "1,A,Won,10\n", encoding="utf-8")
    (result,) = run(tmp_path, "deals [all].csv").rehearsals
    assert (result.status, result.rows_accepted) == ("accepted", 1)


def test_a_funnel_is_put_together_from_all_files(tmp_path: Path) -> None:
    (tmp_path / "objections.csv").write_text(
        "Objection ID,Deal ID,Objection Type,Stage,Raised On\n1,1,Price,Negotiation,2024-03-14\n", encoding="utf-8"
    )
    (tmp_path / "deals.csv").write_text(HEADER + "1,A,Proposal,10\n2,B,Closed Won,5\n", encoding="utf-8")
    found = run(tmp_path, "objections.csv", "deals.csv")
    text = found.texts["stages.yaml"]
    keys = [line.split("key: ")[1].split(",")[0] for line in text.splitlines() if "key:" in line]
    assert keys == ["proposal", "negotiation", "won", "lost"]


def test_a_file_that_cannot_be_read_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "page.xls").write_text("<html><table></table></html>", encoding="utf-8")
    (tmp_path / "deals.csv").write_text(HEADER + "1,A,Won,10\n", encoding="utf-8")
    found = run(tmp_path, "page.xls", "deals.csv")
    assert [name for name, _ in found.refused] == ["page.xls"]
    assert "found HTML" in found.refused[0][1]
    assert len(found.proposals) == 1


def test_the_company_is_asked_for_once_and_only_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text(HEADER + "1,A,Won,10\n", encoding="utf-8")
    found = run(tmp_path, "deals.csv", given=())
    asked = ["company.name", "company.reporting_currency", "company.country"]
    assert [question.id for question in found.questions] == asked
    assert found.rehearsals[0].rows_accepted == 1  # what is open does not change what a night would read


@pytest.mark.parametrize(
    ("given", "country"),
    [
        (("company.country=Germany",), "DE"),
        (("company.country=德国",), "DE"),
        (("company.country=USA",), "US"),
        (("company.time_zone=Europe/Berlin",), "DE"),
        (("company.time_zone=America/New_York",), "US"),
        (("company.reporting_currency=GBP",), "GB"),
        (("company.reporting_currency=EUR", "company.time_zone=Europe/Madrid"), "ES"),
    ],
)
def test_a_company_keeps_the_holidays_of_its_country(tmp_path: Path, given: tuple[str, ...], country: str) -> None:
    (tmp_path / "deals.csv").write_text(HEADER + "1,A,Won,10\n", encoding="utf-8")
    found = run(tmp_path, "deals.csv", given=(*COMPANY[:2], *given))
    assert [question.id for question in found.questions] == []
    assert f"calendar: {{country: {country}}}" in found.texts["settings.yaml"]
    assert "operator: {email: operator@example.com, language: en}" in found.texts["settings.yaml"]
    said = [sentence.particulars.get("id") for sentence in found.said]
    assert ("company.country" in said) == (not given[0].startswith("company.country"))


def test_dollars_are_no_country_and_a_name_that_nobody_has_is_said(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text(HEADER + "1,A,Won,10\n", encoding="utf-8")
    found = run(tmp_path, "deals.csv", given=COMPANY[:2])
    assert [question.id for question in found.questions] == ["company.country"]
    with pytest.raises(ConfigError, match="found 'Germny'; perhaps DE"):
        run(tmp_path, "deals.csv", given=(*COMPANY[:2], "company.country=Germny"))


def test_wrong_words_are_refused(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text(HEADER + "1,A,Won,10\n", encoding="utf-8")
    (tmp_path / "more.csv").write_text(HEADER + "1,A,Won,10\n", encoding="utf-8")
    with pytest.raises(PermanentError, match="expected a file, found none"):
        run(tmp_path, "absent.csv")
    with pytest.raises(ConfigError, match="expected one table, found 2"):
        run(tmp_path, "deals.csv", "more.csv", source="deals")

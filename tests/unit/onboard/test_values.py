"""What the values of a file decide, and what they leave open: dates, numbers, currencies, nulls, encodings."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.config.sources import Reading
from flows.onboard.dates import DAY_FIRST, MONTH_FIRST, read_dates
from tests.unit.onboard.conftest import Propose, asked, columns, said

DEALS = """
Deal ID,Deal Name,Stage,Amount,Close Date
1,A,Proposal,{},{}
2,B,Closed Won,{},{}
"""


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["2024-03-01"], ("%Y-%m-%d",)),
        (["25/04/2024", "03/04/2024"], ("%d/%m/%Y",)),
        (["04/25/2024", "03/04/2024"], ("%m/%d/%Y",)),
        (["25.4.24"], ("%d.%m.%y",)),
        (["12-Mar-2024", "1-Apr-2024"], ("%d-%B-%Y",)),
        (["March 3, 2024"], ("%B %d, %Y",)),
        (["3/25/2024 2:05 PM"], ("%m/%d/%Y %I:%M %p",)),
        (["2024-03-01T10:00:00.000Z", "2024-03-01T10:00:00.120Z"], ("%Y-%m-%dT%H:%M:%S.%f%z",)),
        (["2024年3月1日"], ("%Y年%m月%d日",)),
        (["20240301", "20241231"], ("%Y%m%d",)),
        (["2024-03-01", "2024-03-02", "2024-03-02 10:00"], ("%Y-%m-%d", "%Y-%m-%d %H:%M")),
        (["２０２４-０３-０１"], ("%Y-%m-%d",)),  # noqa: RUF001 (full-width digits)
    ],
)
def test_formats_are_found_by_reading_all_values(values: list[str], formats: tuple[str, ...]) -> None:
    reading = read_dates(pl.Series(values))
    assert reading is not None
    assert (reading.formats, reading.choices) == (formats, ())


@pytest.mark.parametrize("values", [["45000"], ["Q1 2024"], ["1234567"], ["Acme", "Beta"], ["20249999"]])
def test_what_is_no_date_is_not_read_as_one(values: list[str]) -> None:
    assert read_dates(pl.Series(values)) is None


@given(st.lists(st.dates(date(2000, 1, 1), date(2049, 12, 31)), min_size=1, max_size=20))
def test_an_order_is_settled_exactly_when_a_value_settles_it(days: list[date]) -> None:
    reading = read_dates(pl.Series([f"{day:%d/%m/%Y}" for day in days]).unique())
    assert reading is not None
    if any(day.day > 12 for day in days):
        assert reading.formats == ("%d/%m/%Y",)
    else:
        assert reading.formats == ()
        assert [order for order, _ in reading.choices] == [DAY_FIRST, MONTH_FIRST]


def test_an_open_order_is_asked_for_by_name_and_follows_the_answer(proposed: Propose) -> None:
    text = DEALS.format(100, "03/04/2024", 200, "05/06/2024")
    proposal, _ = proposed("deals.csv", text)
    assert asked(proposal) == ["opportunities.Close Date"]
    assert proposal.questions[0].choices == ("%d/%m/%Y", "%m/%d/%Y")
    for answer in ("%d/%m/%Y", "day-first"):
        proposal, _ = proposed("deals.csv", text, f"opportunities.Close Date={answer}")
        assert asked(proposal) == []
        assert columns(proposal)["closed_at"] == {"from": "Close Date", "formats": ["%d/%m/%Y"]}


def test_a_column_that_mixes_orders_is_asked_for_with_both_witnesses(proposed: Propose) -> None:
    proposal, _ = proposed("deals.csv", DEALS.format(1, "25/04/2024", 2, "04/26/2024"))
    assert asked(proposal) == ["opportunities.Close Date"]
    assert proposal.questions[0].samples == ("25/04/2024", "04/26/2024")


def test_words_among_dates_are_told_and_become_nothing_on_demand(proposed: Propose) -> None:
    lines = "\n".join(f"{number},A{number},Proposal,1,2024-03-{number:02}" for number in range(1, 28))
    text = f"Deal ID,Deal Name,Stage,Amount,Expected Close Date\n{lines}\n28,Z,Proposal,1,someday"
    proposal, _ = proposed("deals.csv", text)
    assert "unread_dates" in said(proposal)
    assert "nulls" not in proposal.options
    proposal, _ = proposed("deals.csv", text, "opportunities.Expected Close Date=null")
    assert proposal.options["nulls"] == ["", "someday"]


@pytest.mark.parametrize(
    ("amounts", "options", "currency"),
    [
        (("$1,234.00", "$5,000"), {}, {"value": "USD"}),
        (('"1.234,56 €"', '"12,00 €"'), {"decimal": ",", "thousands": "."}, {"value": "EUR"}),
        (("1 234.50", "12.00"), {"thousands": " "}, None),
        (("1'234.50", "12.00"), {"thousands": "'"}, None),
        (("HK$ 12.00", "HK$ 1.00"), {}, {"value": "HKD"}),
        (("12.00 GBP", "1.00 GBP"), {}, {"value": "GBP"}),
        (("R$ 1.234,50", "R$ 12,00"), {"decimal": ",", "thousands": "."}, {"value": "BRL"}),
        (("1234", "12"), {}, None),
    ],
)
def test_marks_and_signs_of_amounts(
    proposed: Propose, amounts: tuple[str, str], options: dict[str, str], currency: dict[str, str] | None
) -> None:
    first, second = (f'"{amount.strip(chr(34))}"' for amount in amounts)
    proposal, _ = proposed("deals.csv", DEALS.format(first, "2024-03-14", second, "2024-03-15"))
    assert asked(proposal) == []
    assert {key: proposal.options[key] for key in ("decimal", "thousands") if key in proposal.options} == options
    assert columns(proposal).get("currency") == currency


def test_a_dollar_is_asked_for_where_the_company_reports_in_no_dollar(proposed: Propose) -> None:
    text = DEALS.format("$12.00", "2024-03-14", "$1.00", "2024-03-15")
    proposal, _ = proposed("deals.csv", text, currency="CNY")
    assert asked(proposal) == ["opportunities.currency"]
    proposal, _ = proposed("deals.csv", text, "opportunities.currency=CAD", currency="CNY")
    assert (asked(proposal), columns(proposal)["currency"]) == ([], {"value": "CAD"})
    proposal, _ = proposed("deals.csv", text, currency="AUD")
    assert columns(proposal)["currency"] == {"value": "AUD"}


def test_what_the_configuration_says_already_is_not_said_again(proposed: Propose) -> None:
    defaults = Reading(dates=("%d.%m.%Y",), moments=("%d.%m.%Y",), decimal=",", thousands=".", nulls=("", "NULL"))
    text = "Deal ID;Deal Name;Stage;Amount;Close Date\n1;A;Proposal;1.234,50;25.03.2024\n2;B;Closed Won;NULL;NULL"
    proposal, _ = proposed("deals.csv", text, defaults=defaults)
    assert columns(proposal)["closed_at"] == "Close Date"
    assert set(proposal.options) == {"path", "csv"}


def test_words_for_nothing_are_found_where_they_stand_for_nothing(proposed: Propose) -> None:
    proposal, _ = proposed(
        "deals.csv",
        """
Deal ID,Deal Name,Stage,Amount,Close Date,Competitor
1,A,Proposal,-,N/A,None
2,B,Closed Won,12,2024-03-15,Rival
""",
    )
    # "-" and "N/A" stand among numbers and dates; "None" is what the competitor column says.
    assert proposal.options["nulls"] == ["", "-", "N/A"]


def test_a_western_encoding_is_declared_with_words_to_judge_it_by(proposed: Propose) -> None:
    proposal, _ = proposed(
        "deals.csv", "Deal ID,Deal Name,Stage\n1,Müller,Proposal\n2,Größe,Closed Won", encoding="cp1252"
    )
    assert proposal.options["encoding"] == "cp1252"
    (sentence,) = [sentence for sentence in proposal.said if sentence.code == "encoding"]
    assert sentence.particulars["sample"] == "Müller, Größe"


def test_traditional_chinese_of_taiwan_is_told_from_simplified(proposed: Propose) -> None:
    text = "商機編號,商機名稱,階段,金額\n1,台灣科技股份有限公司,贏單,12\n2,國際貿易開發,報價,34"
    proposal, _ = proposed("deals.csv", text, encoding="big5")
    assert proposal.options["encoding"] == "big5"
    assert columns(proposal)["name"] == "商機名稱"


def test_the_header_below_titles_is_found(proposed: Propose) -> None:
    proposal, _ = proposed(
        "pipeline.csv",
        """
Pipeline report,,,,
Exported by,Ann Lee,2024-03-01,,
,,,,
Deal ID,Deal Name,Stage,Amount,Close Date
1,A,Proposal,100,2024-03-04
2,B,Closed Won,200,2024-06-05
""",
    )
    assert (proposal.options["header_row"], proposal.rows) == (4, 2)


def test_a_line_that_tells_excel_the_delimiter_is_no_header(proposed: Propose) -> None:
    proposal, _ = proposed("deals.csv", "sep=;\nDeal ID;Deal Name;Stage\n1;A, B;Proposal\n2;B;Closed Won")
    assert (proposal.options["csv"], proposal.options["header_row"]) == ({"delimiter": ";"}, 2)


def test_text_that_calls_itself_a_workbook_is_read_as_text(proposed: Propose) -> None:
    proposal, _ = proposed("deals.xls", "Deal ID\tDeal Name\tStage\n1\tA\tProposal\n2\tB\tClosed Won")
    assert (proposal.options["format"], proposal.options["csv"]) == ("csv", {"delimiter": "\t"})

"""Rules of sheets: currencies that contradict their row, words for no date, units after numbers, ids made of cells."""

import polars as pl
import pytest

from flows.ingest.sheet_rules import digests, is_deadline, names_other_currency, no_date_words, with_unit


@pytest.mark.parametrize(
    ("amount", "currency", "other"),
    [
        ("1,234.50", "CNY", False),
        ("￥1,234", "CNY", False),
        ("¥1,234", "JPY", False),
        ("¥1,234", "USD", True),
        ("$5", "USD", False),
        ("$5", "HKD", False),
        ("$5", "CNY", True),
        ("US$5", "HKD", True),
        ("HK$5", "HKD", False),
        ("Rs. 5", "INR", False),
        ("Rs. 5", "USD", True),
        ("R$5", "USD", True),
        ("5 EUR", "USD", True),
        ("usd 5", "USD", False),
        ("RMB 5万", "CNY", False),
        ("RMB5", "USD", True),
        ("（12）", "CNY", False),
        ("85w", "CNY", False),
        ("TBD", "CNY", False),
        ("面议", "CNY", False),
        (None, "CNY", False),
        ("€5", None, False),
    ],
)
def test_an_amount_may_not_name_another_currency_than_its_row(amount, currency, other):
    found = names_other_currency(pl.Series([amount], dtype=pl.String), pl.Series([currency], dtype=pl.String))
    assert found.to_list() == [other]


def test_a_constant_currency_that_an_amount_contradicts_sets_the_row_aside(tmp_path, night):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("id,amount\nO1,$5\nO2,5\nO3,￥5\n", encoding="utf-8")
    columns = {
        "opportunity_id": "id",
        "stage": {"value": "won"},
        "amount": "amount",
        "currency": {"value": "CNY"},
    }
    result = night({"crm": {"entity": "opportunity", "path": f"{tmp_path}/in/*", "columns": columns}})
    assert result.accepted["opportunity_id"].to_list() == ["O2", "O3"]
    assert result.rejected.select("row", "column", "value", "reason_code").rows() == [
        (2, "amount", "$5", "other_currency")
    ]


def test_words_for_no_date_are_told_in_both_scripts_and_no_other_word_is():
    words = pl.Series(["待签订", "未簽", " 待 定 ", "TBD", "n/a", "－", "尽快", "2024-05-20", None])
    assert sorted(no_date_words(words)) == sorted(["待签订", "未簽", "待 定", "TBD", "n/a", "－"])
    assert no_date_words(pl.Series([1])) == []


def test_a_number_alone_takes_the_unit_of_its_header():
    text = pl.Series(["30", "1.5", "45个工作日", "30-45", None])
    assert with_unit(text, "天").to_list() == ["30天", "1.5天", "45个工作日", "30-45", None]
    assert with_unit(text, None).to_list() == text.to_list()


def test_an_id_made_of_cells_tells_apart_what_differs_and_only_that():
    parts = pl.DataFrame({"0": ["a", "a", "ab", None, None], "1": ["b", "b", None, "ab", None]})
    first, again, joined, other, nothing = digests(parts).to_list()
    assert first == again
    assert len({first, joined, other}) == 3
    assert nothing is None


def test_deadlines_are_told_by_their_names():
    names = ("expected_close_on", "due_on", "signed_on", "started_on")
    assert [is_deadline(name) for name in names] == [True, True, False, False]

"""Lists of buying elements in one cell: what is read, in which words and in any order, and what is refused."""

import re

import polars as pl
import pytest

from flows.ingest.buying_elements import read_buying_elements
from schemas.opportunity import BUYING_ELEMENTS, Opportunity


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("预算、决策人", "budget;decision_maker"),
        ("時間；需求", "need;timing"),
        ("Timing; Budget", "budget;timing"),
        ("need,need , NEED", "need"),
        ("B/A/N/T", "budget;decision_maker;need;timing"),
        ("Budget and authority", "budget;decision_maker"),
        ("预算和时间", "budget;timing"),
        ("decision_maker", "decision_maker"),
        ("暂无", None),
        ("N/A", None),
        (None, None),
    ],
)
def test_a_list_is_read_as_a_set_in_our_words(cell, expected):
    parsed = read_buying_elements(pl.Series([cell], dtype=pl.String))
    assert parsed.values.to_list() == [expected]
    assert not parsed.faults["unknown_value"].any()


@pytest.mark.parametrize("cell", ["无预算", "no budget", "预算?", "预算、老板喜欢", "42"])
def test_a_word_that_is_no_element_is_not_guessed(cell):
    parsed = read_buying_elements(pl.Series([cell, "预算"]))
    assert parsed.values.to_list() == [None, "budget"]
    assert parsed.faults["unknown_value"].to_list() == [True, False]


def test_every_set_that_is_read_is_one_that_the_schema_takes():
    sets = [";".join(BUYING_ELEMENTS[:n]) for n in range(1, 5)]
    assert read_buying_elements(pl.Series(sets)).values.to_list() == sets
    checks = Opportunity.columns()["buying_elements"].checks
    [pattern] = [check.statistics["pattern"] for check in checks if "pattern" in check.statistics]
    assert all(re.match(pattern, one) for one in sets)
    assert not any(re.match(pattern, wrong) for wrong in ("", "money", "budget,need", "budget;", "budget;price"))

"""The rule by which two names are one: what does not count, what counts, and what never merges."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ingest.names import name_keys


def of(name: str | None) -> dict:
    return name_keys(pl.Series([name], dtype=pl.String)).row(0, named=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("騰飛科技（深圳）有限公司", "腾飞科技深圳有限公司"),
        ("ＡＣＭＥ　Co.，Ltd．", "acme co ltd"),
        ("Müller & Söhne", "MÜLLER  SÖHNE"),
        ("腾飞\u200b科技", "腾飞 科技"),
        ("「腾飞」科技", "腾飞科技"),
        ("Straße", "STRASSE"),
    ],
)
def test_width_case_spaces_punctuation_and_traditional_characters_do_not_count(one, other):
    assert of(one)["key"] == of(other)["key"] != ""


@pytest.mark.parametrize(
    ("name", "core", "form"),
    [
        ("腾飞科技有限公司", "腾飞科技", "limited"),
        ("腾飞科技 有限责任公司", "腾飞科技", "limited"),
        ("腾飞科技股份有限公司", "腾飞科技", "stock"),
        ("騰飛科技公司", "腾飞科技", ""),
        ("腾飞（集团）有限公司", "腾飞集团", "limited"),
        ("腾飞集团", "腾飞集团", ""),
        ("甲乙投资合伙企业（有限合伙）", "甲乙投资", "partnership"),
        ("Acme Co., Ltd.", "acme", "limited"),
        ("ACME, Inc.", "acme", "stock"),
        ("Acme S.A.", "acme", "stock"),
        ("Müller GmbH & Co. KG", "müller", "partnership"),
        ("Müller GmbH", "müller", "limited"),
        ("Winco", "winco", ""),
        ("Visa", "visa", ""),
        ("Costco Company", "costco", ""),
        ("有限合伙", "有限合伙", ""),
    ],
)
def test_the_legal_form_is_the_end_of_a_name_and_never_all_of_it(name, core, form):
    assert (of(name)["core"], of(name)["form"]) == (core, form)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("*科技", "%科技"),
        ("＊＊科技", "%科技"),
        ("某某集团", "%集团"),
        ("张某", "张%"),
        ("×××公司", "%公司"),
        ("XX公司", "%公司"),
        ("华为**有限公司", "华为%有限公司"),
        ("李xx", "李%"),
        ("XXX", "%"),
        ("●●(深圳)", "%深圳"),
    ],
)
def test_a_masked_name_is_told_from_others_and_what_it_hides_may_be_anything(name, pattern):
    assert (of(name)["is_masked"], of(name)["pattern"]) == (True, pattern)


@pytest.mark.parametrize("name", ["Maxx", "XXL", "Exxon中国", "20th Century XX", "腾飞科技", "5x8", "", None, "-"])
def test_other_names_are_not_masked(name):
    assert not of(name)["is_masked"]


def test_the_mapping_sheet_tells_masked_names_apart_by_their_masks():
    keys = [of(name)["masked_key"] for name in ("＊ 科技", "*科技", "**科技", "科技")]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


NAMES = st.text(alphabet="騰飞科技有限公司集团 （）ＡaBb.,&*×某x\n\u200b", max_size=12)


@given(st.lists(NAMES, min_size=1, max_size=8))
def test_a_name_has_the_same_keys_alone_and_among_others_and_keys_are_stable(names):
    together = name_keys(pl.Series(names))
    assert together["name"].to_list() == names
    for row in together.iter_rows(named=True):
        assert row == of(row["name"])
        assert of(row["key"])["key"] == row["key"]
        assert row["key"].startswith(row["core"])

"""Dates, moments, booleans, text and value maps."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ingest.values import (
    as_text,
    booleans,
    dates,
    identifiers,
    local_to_utc,
    mapped,
    moments,
    utc_to_business_date,
)
from flows.ingest.written_dates import Sheet

SHANGHAI = "Asia/Shanghai"


def test_each_date_is_read_by_the_first_format_that_fits():
    raw = pl.Series(["2024-03-31", "31/03/24", "2024年3月5日", "２０２４-１-２", "", "31/02/24", "待签订", None])
    parsed = dates(raw, ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%Y年%m月%d日"), SHANGHAI, [""])
    assert parsed.values.to_list() == [
        date(2024, 3, 31), date(2024, 3, 31), date(2024, 3, 5), date(2024, 1, 2), None, None, None, None,
    ]  # fmt: skip
    assert parsed.faults["not_a_date"].to_list() == [False] * 5 + [True, True, False]


def test_typed_dates_need_no_format():
    zoned = pl.Series([datetime(2024, 3, 30, 20, tzinfo=UTC)]).dt.convert_time_zone("UTC")
    assert dates(zoned, (), SHANGHAI, []).values.to_list() == [date(2024, 3, 31)]
    written = pl.Series(["2024-03-30T20:00:00.000Z", "2024-03-30T20:00:00+08:00", "2024-03-30"])
    formats = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z")
    assert dates(written, formats, SHANGHAI, []).values.to_list() == [
        date(2024, 3, 31),
        date(2024, 3, 30),
        date(2024, 3, 30),
    ]
    assert dates(pl.Series([20240331]), ("%Y%m%d",), SHANGHAI, []).values.to_list() == [date(2024, 3, 31)]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-31 09:30:00", datetime(2024, 3, 31, 1, 30)),
        ("2024-03-31", datetime(2024, 3, 30, 16)),
        ("2024-03-31T09:30:00Z", datetime(2024, 3, 31, 9, 30)),
        ("2024-03-31T09:30:00+02:00", datetime(2024, 3, 31, 7, 30)),
        ("2024-03-31 09:30:00.125", datetime(2024, 3, 31, 1, 30, 0, 125000)),
    ],
)
def test_moments_become_utc(text, moment):
    formats = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d")
    assert moments(pl.Series([text]), formats, SHANGHAI, []).values.to_list() == [moment]


def test_hours_that_summer_time_skips_or_repeats_have_one_meaning():
    local = pl.Series([datetime(2024, 3, 10, 2, 30), datetime(2024, 11, 3, 1, 30)])
    utc = local_to_utc(local, "America/New_York")
    assert utc.to_list() == [datetime(2024, 3, 10, 7, 30), datetime(2024, 11, 3, 5, 30)]


@given(st.datetimes(datetime(1995, 1, 1), datetime(2090, 1, 1)), st.sampled_from([SHANGHAI, "UTC", "America/New_York"]))
def test_the_business_date_is_the_date_on_the_wall_there(moment, zone):
    expected = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
    assert utc_to_business_date(pl.Series([moment], dtype=pl.Datetime("us")), zone).to_list() == [expected]


def test_a_mere_date_is_local_midnight_and_keeps_its_business_date():
    at = moments(pl.Series([date(2024, 3, 31)]), (), "America/New_York", []).values
    assert at.to_list() == [datetime(2024, 3, 31, 4)]
    assert utc_to_business_date(at, "America/New_York").to_list() == [date(2024, 3, 31)]


def test_booleans_are_read_by_their_spellings():
    parsed = booleans(pl.Series(["是", "YES", "0", "", "maybe"]), ("是", "yes"), ("否", "0"), [""])
    assert parsed.values.to_list() == [True, True, False, None, None]
    assert parsed.faults["not_a_boolean"].to_list() == [False, False, False, False, True]
    assert booleans(pl.Series([1, 0]), ("1",), ("0",), []).values.to_list() == [True, False]


def test_text_is_trimmed_and_null_tokens_are_nothing():
    raw = pl.Series(["  a b ", "\u3000中\u00a0", "NULL", "", None])
    assert as_text(raw, ["NULL"]).to_list() == ["a b", "中", None, None, None]


def test_typed_cells_read_as_a_person_would_write_them():
    assert as_text(pl.Series([12.0, 1.5, None])).to_list() == ["12", "1.5", None]
    assert as_text(pl.Series([Decimal("1.20")])).to_list() == ["1.20"]
    assert as_text(pl.Series(["a"], dtype=pl.Categorical)).to_list() == ["a"]
    assert as_text(pl.Series([date(2024, 1, 2)])).to_list() == ["2024-01-02"]


def test_a_map_compares_as_written_and_then_without_case_width_space_and_script():
    mapping = {"Won": "won", "ＡＢ": "ab", "高": "high", "待决策": "deciding"}
    parsed = mapped(pl.Series(["Won", "WON", "ab", "高", "待 決策", "low", None]), mapping)
    assert parsed.values.to_list() == ["won", "won", "ab", "high", "deciding", None, None]
    assert parsed.faults["unknown_value"].to_list() == [False, False, False, False, False, True, False]
    kept = mapped(pl.Series(["low"]), mapping, keep_unmapped=True)
    assert kept.values.to_list() == ["low"]
    assert not kept.faults


def test_a_spelling_that_would_mean_two_things_means_none():
    parsed = mapped(pl.Series(["Won", "won", "WON"]), {"Won": "a", "won": "b"})
    assert parsed.values.to_list() == ["a", "b", None]
    assert parsed.faults["unknown_value"].to_list() == [False, False, True]


SHEET = [
    ("2024-5-20", date(2024, 5, 20)),
    ("2024/5/20", date(2024, 5, 20)),
    ("2024.5.20", date(2024, 5, 20)),
    ("20240520", date(2024, 5, 20)),
    ("2024年5月20日", date(2024, 5, 20)),
    ("２０２４年５月２０號", date(2024, 5, 20)),
    ("2024/5/20 9:30", date(2024, 5, 20)),
    ("20-May-2024", date(2024, 5, 20)),
    ("May 20, 2024", date(2024, 5, 20)),
    ("45432", date(2024, 5, 20)),
    ("45432.75", date(2024, 5, 20)),
]


@pytest.mark.parametrize(("text", "day"), SHEET)
def test_a_date_of_one_meaning_is_read_in_a_sheet_whatever_its_format(text, day):
    assert dates(pl.Series([text]), (), SHANGHAI, [], Sheet()).values.to_list() == [day]
    strict = dates(pl.Series([text]), ("%m/%d/%Y",), SHANGHAI, [])
    assert (strict.values.to_list(), strict.faults["not_a_date"].to_list()) == ([None], [True])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("03/04/2024", "ambiguous_date"),
        ("13/04/2024", "ambiguous_date"),
        ("4.3.2024", "ambiguous_date"),
        ("24年5月20日", "two_digit_year"),
        ("24/5/20", "two_digit_year"),
        ("05-20-24", "two_digit_year"),
        ("2024-02-30", "not_a_date"),
        ("2024年13月", "not_a_date"),
        ("2024", "not_a_date"),
        ("2024.5", "not_a_date"),
        ("5月20日", "not_a_date"),
        ("99999", "not_a_date"),
        ("尽快", "not_a_date"),
    ],
)
def test_what_would_have_to_be_guessed_is_no_date(text, reason):
    parsed = dates(pl.Series([text]), ("%Y-%m-%d",), SHANGHAI, [], Sheet())
    assert parsed.values.to_list() == [None]
    assert [code for code, rows in parsed.faults.items() if rows[0]] == [reason]


def test_a_stated_format_settles_the_order_of_day_and_month():
    parsed = dates(pl.Series(["03/04/2024", "13/14/2024"]), ("%d/%m/%Y",), SHANGHAI, [], Sheet())
    assert parsed.values.to_list() == [date(2024, 4, 3), None]
    assert parsed.faults["not_a_date"].to_list() == [False, True]


def test_a_month_is_its_last_day_for_a_deadline_and_its_first_elsewhere_and_says_so():
    raw = pl.Series(["2024年2月", "2024-05", "2023/12", "2024-05-20", None])
    due = dates(raw, ("%Y-%m-%d",), SHANGHAI, [], Sheet(deadline=True))
    assert due.values.to_list() == [date(2024, 2, 29), date(2024, 5, 31), date(2023, 12, 31), date(2024, 5, 20), None]
    assert due.notices["month_only"].to_list() == [True, True, True, False, False]
    begun = dates(raw, ("%Y-%m-%d",), SHANGHAI, [], Sheet())
    assert begun.values.to_list() == [date(2024, 2, 1), date(2024, 5, 1), date(2023, 12, 1), date(2024, 5, 20), None]


def test_serial_numbers_count_from_the_epoch_of_their_workbook():
    # 1 January 2024 is day 45292 of the 1900 system and day 43830 of the 1904 system: 1,462 days lie between them.
    raw = pl.Series([45292])
    assert dates(raw, (), SHANGHAI, [], Sheet()).values.to_list() == [date(2024, 1, 1)]
    moved = dates(pl.Series([43830.0]), (), SHANGHAI, [], Sheet(date_1904=True))
    assert moved.values.to_list() == [date(2024, 1, 1)]
    assert moved.notices["serial_number"].to_list() == [True]
    at = moments(pl.Series([45292.5]), (), SHANGHAI, [], Sheet())
    assert at.values.to_list() == [datetime(2024, 1, 1, 4)]


def test_an_id_that_a_spreadsheet_rounded_stands_for_many_and_is_no_id():
    written = ["1.23457E+17", "1.234567890123457e+17", "1,23E+15", "123456789012345678", "E+10", "2e5", None]
    parsed = identifiers(pl.Series(written))
    assert parsed.faults["lost_digits"].to_list() == [True, True, True, False, False, False, False]
    assert parsed.values.to_list() == [None, None, None, "123456789012345678", "E+10", "2e5", None]

"""Numbers as people write them become exact decimals, or are refused."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ingest.amounts import UNITS, NumberFormat, decimals, floats, integers


def read(text: str, **written: str) -> Decimal | str:
    """The value of one text, or the reason it was refused."""
    parsed = decimals(pl.Series([text]), NumberFormat(**written), [])
    faults = [reason for reason, rows in parsed.faults.items() if rows[0]]
    assert len(faults) == (parsed.values[0] is None)
    return faults[0] if faults else parsed.values[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.5", "1234.50"),
        ("¥1,234.50", "1234.50"),
        ("￥ 1,234.50", "1234.50"),
        ("US$1,234", "1234.00"),
        ("USD 1,000", "1000.00"),
        ("1000 EUR", "1000.00"),
        ("£-3.10", "-3.10"),
        ("(3)", "-3.00"),
        ("（１２．５）", "-12.50"),  # noqa: RUF001
        ("5-", "-5.00"),
        ("−7", "-7.00"),  # noqa: RUF001
        ("120万", "1200000.00"),
        ("1.005万元", "10050.00"),
        ("RMB 5 万", "50000.00"),
        ("3亿", "300000000.00"),
        ("85w", "850000.00"),
        ("85萬", "850000.00"),
        ("3千万元", "30000000.00"),
        ("１，２３４．５万元", "12345000.00"),
        ("-1.2亿", "-120000000.00"),
        ("(85万)", "-850000.00"),
        ("1.5k", "1500.00"),
        ("2M", "2000000.00"),
        ("1e3", "1000.00"),
        ("300%", "3.00"),
        (".5", "0.50"),
        ("5.", "5.00"),
        ("000123", "123.00"),
        ("-0.00", "0.00"),
        ("1,23,456", "123456.00"),
        ("Rs. 1,23,456.00", "123456.00"),
        ("R$ 12.50", "12.50"),
        ("1,200 kr", "1200.00"),
        ("1.0000000000000000000000000000000000000000", "1.00"),
        ("9999999999999999.99", "9999999999999999.99"),
        ("1187.8500000000001", "1187.85"),
        ("2024.9899999999998", "2024.99"),
    ],
)
def test_a_number_as_people_write_it_is_read_exactly(text, value):
    assert str(read(text)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("待定", "not_a_number"),
        ("-", "not_a_number"),
        ("(5", "not_a_number"),
        ("1,5", "not_a_number"),
        ("12,34.5", "not_a_number"),
        ("1 000", "not_a_number"),
        ("500-1000", "range"),
        ("100-150万", "range"),
        ("100万～150万", "range"),  # noqa: RUF001
        ("￥100万至150万", "range"),
        ("约50万", "estimate"),
        ("约十五万", "estimate"),
        ("50万左右", "estimate"),
        ("50万+", "estimate"),
        ("about 50", "estimate"),
        ("≥50万", "estimate"),
        ("面议", "not_a_number"),
        ("十万", "not_a_number"),
        ("2024-05-20", "not_a_number"),
        ("٣", "not_a_number"),
        ("12.345", "too_many_decimals"),
        ("12.5%", "too_many_decimals"),
        ("1.234567890123456", "too_many_decimals"),
        ("1234567890123456.781", "too_many_decimals"),
        ("10000000000000000", "out_of_range"),
        ("9" * 40, "out_of_range"),
    ],
)
def test_what_is_no_exact_amount_is_refused_and_never_rounded(text, reason):
    assert read(text) == reason


def test_a_decimal_comma_is_read_only_where_configured():
    assert read("1.234,56", decimal=",", thousands=".") == Decimal("1234.56")
    assert read("1,5", decimal=",", thousands=".") == Decimal("1.50")
    assert read("1.5", decimal=",", thousands=".") == "not_a_number"


def test_a_unit_named_by_the_value_stands_above_the_unit_of_the_column():
    assert read("120万", unit="万元") == Decimal("1200000.00")
    assert read("120", unit="万元") == Decimal("1200000.00")
    assert read("120元", unit="万元") == Decimal("120.00")


@given(cents=st.integers(-(10**15), 10**15), unit=st.sampled_from(list(UNITS)))
def test_an_amount_survives_being_written_in_any_unit(cents, unit):
    amount = Decimal(cents).scaleb(-2)
    shown = f"{amount.scaleb(-UNITS[unit]):f}"
    assert read(shown, unit=unit) == amount


@given(st.lists(st.integers(-(10**13), 10**13)))
def test_floats_of_a_typed_file_become_the_cents_they_stand_for(cents):
    parsed = decimals(pl.Series([cent / 100 for cent in cents], dtype=pl.Float64), NumberFormat(), [])
    assert parsed.values.to_list() == [Decimal(cent).scaleb(-2) for cent in cents]


def test_typed_columns_keep_their_value_or_are_refused():
    wide = pl.Series([Decimal("1.2300"), Decimal("1.2345"), None])
    parsed = decimals(wide, NumberFormat(), [])
    assert parsed.values.to_list() == [Decimal("1.23"), None, None]
    assert parsed.faults["too_many_decimals"].to_list() == [False, True, False]
    whole = decimals(pl.Series([3, 10**17, None]), NumberFormat(), [])
    assert whole.values.to_list() == [Decimal("3.00"), None, None]
    assert whole.faults["out_of_range"].to_list() == [False, True, False]
    in_units = decimals(pl.Series([1.005, 1.0000001, float("nan"), None]), NumberFormat(unit="万元"), [])
    assert in_units.values.to_list() == [Decimal("10050.00"), None, None, None]
    assert in_units.faults["too_many_decimals"].to_list() == [False, True, False, False]
    assert in_units.faults["not_a_number"].to_list() == [False, False, True, False]


def test_reading_leaves_the_source_column_as_it_was():
    raw = pl.Series(["1,000", "2"])
    decimals(raw, NumberFormat(), [])
    assert raw.to_list() == ["1,000", "2"]


def test_whole_numbers_and_measures():
    counts = integers(pl.Series(["1,000", "3.0", "3.5", "many"]), NumberFormat(), [])
    assert counts.values.to_list() == [1000, 3, None, None]
    assert counts.faults["not_whole"].to_list() == [False, False, True, False]
    shares = floats(pl.Series(["1,000.5", "30%", ".1", "x"]), NumberFormat(), [])
    assert shares.values.to_list() == [1000.5, 0.3, 0.1, None]
    assert shares.faults["not_a_number"].to_list() == [False, False, False, True]

"""Reading numbers as people and programs write them, exactly: no amount that a person wrote passes through a float.

A decimal is rebuilt from its digits: the digits as written, the point moved by the unit (万元: four places), and
the result cut at the scale of the column. Digits that would be cut must be zeros; a number that needs more is a
fault, since rounding it would change the amount in silence. The noise of a binary float is no such digit, be the float
typed or printed as text (``1187.8500000000001``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from flows.ingest.headers import simplified
from flows.ingest.values import Parsed, as_text

UNITS = {"元": 0, "百": 2, "千": 3, "k": 3, "万": 4, "万元": 4, "百万": 6, "m": 6, "亿": 8}
"""Places by which a unit moves the decimal point."""
_INLINE = {**UNITS, "百元": 2, "千元": 3, "w": 4, "百万元": 6, "千万": 7, "千万元": 7, "亿元": 8}
_CODES = (
    "CNY|RMB|USD|EUR|GBP|JPY|HKD|TWD|MOP|SGD|KRW|INR|AUD|NZD|CAD|CHF|SEK|NOK|DKK|THB|MYR|IDR|PHP|VND|BRL|MXN|AED|SAR|"
    "RUB|ZAR|PLN|TRY"
)
_SIGN = rf"(?:(?:US|HK|NT|S|A|C|R)?\$|[¥€£₩₹₫฿]|(?i:Rs\.?|kr\.?)|zł|{_CODES})"
_HEDGE = (
    r"约|大概|大致|将近|接近|近|左右|上下|以上|以下|以内|之内|超过|不足|不到|不低于|不少于|不超过|至少|至多|最多|最少|多|余|几|数|暂估|"
    r"预估|估计|[~≈><≥≤+]|\b(?:about|approx|approximately|ca|circa|around|up to|at (?:least|most)|over|under|less than|"
    r"more than|nearly|roughly|est|estimated)\b"
)
_RANGE = r"[0-9][^0-9]{0,6}(?:-|~|–|—|至|到|\bto\b)\s*[^0-9]{0,4}[0-9]"
_DATE = r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
_PRECISION = 18
_PRINTED_FLOAT = 16
"""Nobody writes 16 significant digits with a fraction of a cent: programs do, when they print a binary float."""
_EXACT_FLOAT = 2.0**53
"""Beyond this a float cannot tell two neighbouring hundredths apart."""
_DIGITS = 60
_LONGEST = 30


@dataclass(frozen=True)
class NumberFormat:
    """How numbers of a column are written: marks, and the unit they are in where they do not name one."""

    decimal: str = "."
    thousands: str = ","
    unit: str | None = None

    @property
    def places(self) -> int:
        """Places by which the column's unit moves the point."""
        return UNITS[self.unit] if self.unit else 0

    def pattern(self) -> str:
        """A regular expression with a group for each part of a number."""
        point = re.escape(self.decimal)
        grouped = ""
        if self.thousands:
            mark = "['’]" if self.thousands == "'" else re.escape(self.thousands)
            # Groups of three (or two before the last, as in India): "1,5" is no grouping and must not become 15.
            grouped = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|[0-9]{{1,2}}(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}|"
        units = "|".join(sorted(_INLINE, key=len, reverse=True))
        return (
            rf"^(?<open>\()?\s*(?<minus>[-+])?\s*{_SIGN}?\s*(?<minus2>[-+])?\s*(?<whole>{grouped}[0-9]*)(?:{point}(?<fraction>[0-9]*))?"
            rf"(?:[eE](?<exponent>[-+]?[01]?[0-9]))?\s*(?<unit>(?i:{units}))?\s*(?<percent>%)?\s*{_SIGN}?\s*(?<minus3>-)?\s*(?<close>\))?$"
        )


def decimals(raw: pl.Series, written: NumberFormat, nulls: Sequence[str], scale: int = 2) -> Parsed:
    """Exact decimals of 18 digits with ``scale`` places.

    Faults: ``not_a_number``, ``estimate``, ``range``, ``too_many_decimals``, ``out_of_range``.
    """
    dtype = pl.Decimal(_PRECISION, scale)
    if raw.dtype.is_float():
        return _from_floats(raw, written.places, dtype, scale)
    if raw.dtype.is_integer() and written.places == 0:
        fits = (raw.cast(pl.Int64, strict=False).abs() < 10 ** (_PRECISION - scale)) | raw.is_null()
        fits = fits.fill_null(value=False)
        return Parsed(raw.set(~fits, None).cast(pl.Int64).cast(dtype), {"out_of_range": ~fits})
    if raw.dtype == dtype and written.places == 0:
        return Parsed(raw)
    text = as_text(raw, nulls)
    if raw.dtype.is_decimal() or raw.dtype.is_integer():
        written = NumberFormat(unit=written.unit, thousands="")
    exact, faults = _canonical(text, written, scale)
    values = exact.cast(dtype, strict=False)
    faults["out_of_range"] = faults["out_of_range"] | (exact.is_not_null() & values.is_null())
    printed = faults["too_many_decimals"] & (_significant(text) >= _PRINTED_FLOAT)
    if printed.any():
        measured = floats(text.filter(printed), written, nulls).values
        mended = _from_floats(measured, 0, dtype, scale).values
        values = values.scatter(printed.arg_true(), mended)
        faults["too_many_decimals"] = faults["too_many_decimals"] & values.is_null()
    return Parsed(values, _told_apart(text, faults))


def _told_apart(text: pl.Series, faults: dict[str, pl.Series]) -> dict[str, pl.Series]:
    """What is no number because it is a range or an estimate, apart from the rest: 100-150万, 约50万, 50万左右."""
    words = faults["not_a_number"]
    if not words.any():
        return faults
    plain = [simplified(word) for word in text.filter(words)]
    folded = pl.Series(plain, dtype=pl.String).str.normalize("NFKC").str.to_lowercase()
    written = folded.str.contains("[0-9一二三四五六七八九十百两]")
    is_range = folded.str.contains(_RANGE) & ~folded.str.contains(_DATE)
    is_estimate = written & folded.str.contains(_HEDGE) & ~is_range
    none = pl.repeat(value=False, n=len(text), eager=True)
    at = words.arg_true()
    ranges, estimates = none.clone().scatter(at, is_range), none.clone().scatter(at, is_estimate)
    return {**faults, "not_a_number": words & ~ranges & ~estimates, "range": ranges, "estimate": estimates}


def _significant(text: pl.Series) -> pl.Series:
    """Number of significant digits written."""
    digits = text.str.replace("[eE].*$", "").str.replace_all("[^0-9]", "")
    return digits.str.strip_chars_start("0").str.len_chars()


def integers(raw: pl.Series, written: NumberFormat, nulls: Sequence[str]) -> Parsed:
    """Whole numbers. Faults: those of ``decimals``, with ``not_whole``."""
    if raw.dtype.is_integer():
        values = raw.cast(pl.Int64, strict=False)
        return Parsed(values, {"out_of_range": raw.is_not_null() & values.is_null()})
    parsed = decimals(raw, written, nulls, scale=0)
    faults = {
        ("not_whole" if reason == "too_many_decimals" else reason): rows for reason, rows in parsed.faults.items()
    }
    return Parsed(parsed.values.cast(pl.Int64), faults)


def floats(raw: pl.Series, written: NumberFormat, nulls: Sequence[str]) -> Parsed:
    """Measures, for which a float is exact enough. Faults: ``not_a_number``."""
    if raw.dtype.is_numeric():
        values = raw.cast(pl.Float64)
        values = values * 10**written.places if written.places else values
        unusable = raw.is_not_null() & ~values.is_finite().fill_null(value=False)
        return Parsed(values.set(unusable, None), {"not_a_number": unusable})
    text = as_text(raw, nulls)
    parts = _parts(text, written)
    number = pl.format(
        "{}{}.{}e{}",
        pl.when("negative").then(pl.lit("-")).otherwise(pl.lit("")),
        pl.when(pl.col("whole") == "").then(pl.lit("0")).otherwise("whole"),
        pl.when(pl.col("fraction") == "").then(pl.lit("0")).otherwise("fraction"),
        pl.col("places"),
    )
    values = parts.select(pl.when("is_number").then(number).cast(pl.Float64, strict=False)).to_series()
    return Parsed(values, {"not_a_number": text.is_not_null() & values.is_null()})


def _from_floats(raw: pl.Series, places: int, dtype: pl.Decimal, scale: int) -> Parsed:
    """A float stands for a decimal; what lies off the scale by more than a float's noise is a fault."""
    scaled = raw.cast(pl.Float64) * 10.0 ** (places + scale)
    finite = scaled.is_finite()
    fits = scaled.abs() < _EXACT_FLOAT
    nearest = scaled.round(0)
    noise = (scaled.abs() * 1e-12).clip(lower_bound=1e-6, upper_bound=1e-3)
    on_scale = (scaled - nearest).abs() <= noise
    usable = (finite & fits & on_scale).fill_null(value=False)
    values = (nearest / 10.0**scale).set(~usable, None).cast(dtype, strict=False)
    stated = raw.is_not_null()
    faults = {
        "not_a_number": stated & ~finite,
        "out_of_range": stated & finite & ~(fits & (values.is_not_null() | ~on_scale)),
        "too_many_decimals": stated & finite & fits & ~on_scale,
    }
    return Parsed(values, faults)


def _canonical(text: pl.Series, written: NumberFormat, scale: int) -> tuple[pl.Series, dict[str, pl.Series]]:
    """Text of the exact value with at most ``scale`` places; plain numbers, nearly all, are left as they are."""
    none = pl.repeat(value=False, n=len(text), eager=True)
    faults = {"not_a_number": none, "too_many_decimals": none, "out_of_range": none}
    rest = text.is_not_null()
    if written.places == 0 and written.decimal == ".":
        places = rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""
        rest = rest & ~text.str.contains(rf"^-?[0-9]{{1,{_PRECISION - scale}}}{places}$").fill_null(value=True)
    if not rest.any():
        return text, faults
    slow = _rebuild(_parts(text.filter(rest), written), scale)
    at = rest.arg_true()
    # scatter writes in place, hence the clones.
    marked = {reason: none.clone().scatter(at, slow[reason]) for reason in faults}
    return text.clone().scatter(at, slow["exact"]), marked


def _parts(text: pl.Series, written: NumberFormat) -> pl.DataFrame:
    """``is_number``, ``negative``, ``whole`` and ``fraction`` digits, and ``places`` by which the point moves."""
    folded = text.str.normalize("NFKC").str.replace_all("[\u2212\u2013]", "-").str.replace_all("萬", "万")
    folded = folded.str.replace_all("億", "亿").str.strip_chars()
    groups = folded.str.extract_groups(written.pattern()).struct.unnest()
    unit = pl.col("unit").str.to_lowercase().replace_strict(_INLINE, default=None, return_dtype=pl.Int64)
    digits = pl.col("whole").str.replace_all(r"\D", "").fill_null("")
    fraction = pl.col("fraction").fill_null("").str.strip_chars_end("0")
    signs = pl.concat_str(pl.col("minus", "minus2", "minus3").fill_null(""))
    return groups.select(
        is_number=pl.col("whole").is_not_null()
        & ((digits != "") | (pl.col("fraction").fill_null("") != ""))
        & (pl.col("open").is_null() == pl.col("close").is_null()),
        negative=signs.str.contains("-", literal=True) | pl.col("open").is_not_null(),
        whole=digits.str.strip_chars_start("0"),
        fraction=fraction,
        places=pl.col("exponent").cast(pl.Int64).fill_null(0)
        + pl.when(pl.col("unit").is_null()).then(written.places).otherwise(unit)
        - pl.when(pl.col("percent").is_null()).then(0).otherwise(2),
    )


def _rebuild(parts: pl.DataFrame, scale: int) -> pl.DataFrame:
    """``exact`` text and the three faults, from the parts of numbers."""
    measured = parts.with_columns(
        shift=pl.col("places") - pl.col("fraction").str.len_chars() + scale,
        fine=pl.col("fraction").str.len_chars() > _LONGEST,
        huge=pl.col("whole").str.len_chars() > _LONGEST,
    )
    readable = pl.col("is_number") & ~pl.col("fine") & ~pl.col("huge")
    all_digits = pl.concat_str("whole", "fraction").str.zfill(_DIGITS)
    kept = pl.min_horizontal(pl.col("shift"), pl.lit(0)) + _DIGITS
    cut = all_digits.str.slice(kept)
    moved = all_digits.str.head(kept).str.pad_end(pl.max_horizontal(pl.col("shift"), pl.lit(0)) + _DIGITS, "0")
    moved = pl.when(pl.col("shift") < 0).then(all_digits.str.head(kept)).otherwise(moved)
    point = pl.col("moved").str.len_chars() - scale
    number = pl.concat_str(
        pl.when("negative").then(pl.lit("-")).otherwise(pl.lit("")),
        pl.col("moved").str.head(point).str.strip_chars_start("0").str.zfill(1),
        *([pl.lit("."), pl.col("moved").str.slice(point)] if scale else []),
    )
    return (
        measured.with_columns(readable=readable)
        .with_columns(
            moved=pl.when("readable").then(moved),
            remainder=pl.when("readable").then(cut.str.strip_chars("0") != "").fill_null(value=False),
        )
        .select(
            exact=pl.when(pl.col("readable") & ~pl.col("remainder")).then(number),
            not_a_number=~pl.col("is_number").fill_null(value=False),
            too_many_decimals=(pl.col("is_number") & pl.col("fine")) | (pl.col("readable") & pl.col("remainder")),
            out_of_range=pl.col("is_number") & pl.col("huge") & ~pl.col("fine"),
        )
        .with_columns(pl.exclude("exact").fill_null(value=False))
    )

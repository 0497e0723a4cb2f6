"""Columns as an export writes them: ids, words by number, moments, dates and amounts as text, all without row loops."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from flows.demo import vocabulary as words
from flows.demo.calendar import Ints

UTC_OFFSET = 8 * 3600


def numbered(prefix: str, numbers: Ints, digits: int = 7) -> pl.Series:
    """Ids such as ``OPP-0000042``."""
    return pl.select(pl.lit(prefix) + pl.lit(pl.Series(numbers)).cast(pl.String).str.zfill(digits)).to_series()


def word(names: Sequence[str], numbers: Ints) -> pl.Series:
    """The word of each number; null for a negative number."""
    chosen = pl.Series(list(names), dtype=pl.String).gather(np.maximum(numbers, 0))
    return known(chosen, numbers >= 0)


def known(column: pl.Series, mask: np.ndarray) -> pl.Series:
    """The column where ``mask`` holds, null elsewhere."""
    return pl.select(pl.when(pl.lit(pl.Series(mask))).then(pl.lit(column))).to_series()


def moments(seconds: Ints, layout: str, *, utc: bool = False) -> pl.Series:
    """Local (or UTC) moments as text."""
    shifted = seconds - UTC_OFFSET if utc else seconds
    return pl.Series(shifted * 1000).cast(pl.Datetime("ms")).dt.strftime(layout)


def dates(days: Ints, layout: str = "%Y-%m-%d") -> pl.Series:
    """Epoch days as text."""
    return pl.Series(days.astype(np.int32)).cast(pl.Date).dt.strftime(layout)


def grouped(hundredths: Ints, prefixes: Sequence[str] | None = None, currency: Ints | None = None) -> pl.Series:
    """Amounts such as ``￥1,234,567.00``; without prefixes just ``1,234,567.00``."""
    whole = pl.col("whole")
    part = [(whole // 1000**power) % 1000 for power in range(4)]
    padded = [piece.cast(pl.String).str.zfill(3) for piece in part]
    text = (
        pl.when(whole >= 1000**3)
        .then(pl.concat_str(part[3].cast(pl.String), padded[2], padded[1], padded[0], separator=","))
        .when(whole >= 1000**2)
        .then(pl.concat_str(part[2].cast(pl.String), padded[1], padded[0], separator=","))
        .when(whole >= 1000)
        .then(pl.concat_str(part[1].cast(pl.String), padded[0], separator=","))
        .otherwise(whole.cast(pl.String))
    )
    cents = (pl.col("hundredths") % 100).cast(pl.String).str.zfill(2)
    frame = pl.DataFrame({"hundredths": hundredths}).with_columns(whole=pl.col("hundredths") // 100)
    result = frame.select(text + "." + cents).to_series()
    return result if prefixes is None or currency is None else word(prefixes, currency) + result


def plain(hundredths: Ints) -> pl.Series:
    """Amounts such as ``1234567.00``."""
    frame = pl.DataFrame({"hundredths": hundredths})
    cents = (pl.col("hundredths") % 100).cast(pl.String).str.zfill(2)
    return frame.select((pl.col("hundredths") // 100).cast(pl.String) + "." + cents).to_series()


def account_names(numbers: Ints, region: Ints) -> pl.Series:
    """A name for each customer: a city, two characters and a trade; English in the international region."""
    mixed = (numbers * 40_503 + 12_345) % 65_536
    more = numbers // 65_536
    city = word([name for cities in words.CITIES for name in cities], region * 8 + mixed % 8)
    first, second, suffix = (mixed // 8) % 32, (mixed // 256) % 32, (mixed // 8192) % 8
    extra = np.where(more > 0, more % 32, -1)
    chinese = (
        city + word(words.WORDS_ZH, first) + word(words.WORDS_ZH, second)
        + word(words.WORDS_ZH, extra).fill_null("") + word(words.SUFFIXES_ZH, suffix)
    )  # fmt: skip
    english = (
        city + " " + word(words.WORDS_EN, first) + word([name.lower() for name in words.WORDS_EN], second)
        + word(words.WORDS_EN, extra).fill_null("") + word(words.SUFFIXES_EN, suffix)
    )  # fmt: skip
    abroad = pl.Series(region == words.INTERNATIONAL)
    return pl.select(pl.when(pl.lit(abroad)).then(pl.lit(english)).otherwise(pl.lit(chinese))).to_series()


def contact_names(numbers: Ints, region: Ints) -> pl.Series:
    """A name for each contact."""
    mixed = (numbers * 7_919 + 17) % 15_400
    chinese = word([name for name, _ in words.SURNAMES], mixed % 28) + word(
        [name for name, _ in words.GIVEN_NAMES], (mixed // 28) % 25
    )
    english = word(words.FIRST_NAMES, mixed % 25) + " " + word(words.LAST_NAMES, (mixed // 25) % 23)
    abroad = pl.Series(region == words.INTERNATIONAL)
    return pl.select(pl.when(pl.lit(abroad)).then(pl.lit(english)).otherwise(pl.lit(chinese))).to_series()

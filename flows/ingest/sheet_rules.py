"""What holds for sheets that people keep, beside the mapping of their columns."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from flows.ingest.values import folded

_NO_DATE = frozenset(
    "待签订 待签 待签约 待签署 未签 未签订 未签约 未签署 暂未签订 待定 未定 待确认 待确定 待补 "
    "暂无 暂未 暂缺 无 未知 不详 空 "
    "- -- --- — —— – / \\ n/a na #n/a tbd tbc tba none nil null pending unsigned notsigned".split()
)
"""What stands in a date column for a date that is not known yet. An unsigned contract has no date and is not booked."""
_NARROW = [*"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"]
_WIDE = [chr(ord(letter) + 0xFEE0) for letter in _NARROW]
_DEADLINES = ("expected_", "due_")
_LONGEST_WORD = 20
_BARE_NUMBER = r"^[0-9]+(?:\.[0-9]+)?$"
_MARKS: dict[str, frozenset[str]] = {
    "$": frozenset("USD HKD TWD SGD AUD CAD NZD MXN BRL".split()),
    "¥": frozenset(("CNY", "JPY")),
    "€": frozenset(("EUR",)),
    "£": frozenset(("GBP",)),
    "₩": frozenset(("KRW",)),
    "₹": frozenset(("INR",)),
    "US$": frozenset(("USD",)),
    "HK$": frozenset(("HKD",)),
    "NT$": frozenset(("TWD",)),
    "S$": frozenset(("SGD",)),
    "A$": frozenset(("AUD",)),
    "C$": frozenset(("CAD",)),
    "R$": frozenset(("BRL",)),
    "RS": frozenset("INR PKR LKR NPR".split()),
    "KR": frozenset("SEK NOK DKK".split()),
    "RMB": frozenset(("CNY",)),
}
_MARK = r"((?:US|HK|NT|S|A|C|R)?\$|[¥€£₩₹]|RMB|\b(?:RS|KR)\b|[A-Z]{3})"
_MORE_THAN_A_NUMBER = r"[^0-9.,\s()+-]"
_CODES = frozenset("CNY USD EUR GBP JPY HKD TWD SGD KRW INR AUD NZD CAD CHF SEK NOK DKK THB MYR".split())


@dataclass(frozen=True)
class SheetRules:
    """Rules for one recognised sheet.

    Attributes:
        required: canonical columns that this sheet has to fill though the entity does not ask for them.
        units: by canonical text column the unit that its header names, for numbers that stand alone (30, 交付周期(天)).
        unit_not_stated: canonical amount whose header names no unit.
    """

    required: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    unit_not_stated: str | None = None


def is_deadline(column: str) -> bool:
    """Whether a canonical date column is a deadline: of a mere month its last day counts."""
    return column.startswith(_DEADLINES)


def no_date_words(raw: pl.Series) -> list[str]:
    """Those texts of a date column that say that there is no date yet: 待签订, 未簽, TBD, -."""
    if raw.dtype != pl.String:
        return []
    texts = raw.drop_nulls().str.strip_chars().unique()
    return [text for text in texts.filter(texts.str.len_chars() <= _LONGEST_WORD) if folded(text) in _NO_DATE]


def typed_ids(ids: pl.Series) -> pl.Series:
    """Ids as they are meant where people type them: full-width letters and digits, and what cannot be seen, make none.

    A word that says that there is no id yet (待定, 无, -) is none either: it would make one record of all that have it.
    """
    plain = ids.str.replace_many(_WIDE, _NARROW).str.replace_all(r"\p{Cf}+", "")
    words = no_date_words(plain)
    return plain.set(plain.is_in(words), None) if words else plain


def with_unit(text: pl.Series, unit: str | None) -> pl.Series:
    """Numbers that stand alone, with the unit that their header names."""
    if unit is None:
        return text
    alone = text.str.contains(_BARE_NUMBER).fill_null(value=False)
    return (text + unit).zip_with(alone, text)


def digests(parts: pl.DataFrame) -> pl.Series:
    """A short id for each row, the same for the same texts on every night; null where all of them are empty."""
    joined = parts.select(
        pl.when(pl.any_horizontal(pl.all().is_not_null())).then(pl.concat_str(pl.all().fill_null(""), separator="\x1f"))
    ).to_series()
    distinct = joined.drop_nulls().unique()
    ids = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in distinct]
    return joined.replace_strict(distinct, pl.Series(ids, dtype=pl.String), default=None, return_dtype=pl.String)


def names_other_currency(amounts: pl.Series, currencies: pl.Series) -> pl.Series:
    """True where an amount as written names a currency, and not that of its row: US$100 in a column of CNY."""
    other = pl.repeat(value=False, n=len(amounts), eager=True)
    marked = amounts.str.contains(_MORE_THAN_A_NUMBER).fill_null(value=False)
    if not marked.any():
        return other
    mark = amounts.filter(marked).str.normalize("NFKC").str.to_uppercase().str.extract(_MARK)
    stated = currencies.filter(marked)
    wrong = pl.repeat(value=False, n=len(mark), eager=True)
    for word in mark.drop_nulls().unique():
        possible = _MARKS.get(word, frozenset((word,)) & _CODES)
        if possible:
            wrong = wrong | ((mark == word) & ~stated.is_in(sorted(possible))).fill_null(value=False)
    return other.scatter(marked.arg_true(), wrong)

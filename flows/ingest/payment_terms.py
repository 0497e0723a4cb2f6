"""Terms of payment and delivery as contracts word them, read into instalments and periods.

``30%预付款,70%验收款`` says what is due after which event; it is read, and its shares have to add up to 100 %. 分期付款
says only that there will be instalments: no share and no day follows from it, and none is made up. What is not
understood keeps its text and gives nothing. Neither does a contract number ever give a date.
"""

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Literal

import polars as pl

from flows.ingest.headers import simplified

Kind = Literal["advance", "delivery", "acceptance", "warranty", "milestone", "full", "unknown"]
"""The event after which an instalment is due.

advance: the contract is signed or in force; delivery: delivered, shipped or invoiced; acceptance: accepted by the
customer, or gone live; warranty: the warranty is over; milestone: a step or date that the contract names; full: all of
it at once, the text names no event; unknown: a part of it, the text names no event.
"""
Unit = Literal["calendar", "working", "month"]

WHOLE = 10_000
"""All of a contract, in basis points."""
INSTALMENTS: dict[str, pl.DataType] = {
    "payment_terms": pl.String(),
    "installment": pl.Int64(),
    "kind": pl.String(),
    "share_bp": pl.Int64(),
    "days": pl.Int64(),
}
"""Columns of ``instalments_of``: one row per distinct text and instalment; ``days`` after the event of ``kind``."""
PERIODS: dict[str, pl.DataType] = {"delivery_terms": pl.String(), "length": pl.Int64(), "unit": pl.String()}
"""Columns of ``delivery_periods``: ``length`` in ``unit`` (calendar days, working days or months)."""


@dataclass(frozen=True)
class Instalment:
    """One part of what is due: ``share_bp`` of 10,000, calendar ``days`` after the event of ``kind`` where stated."""

    kind: Kind
    share_bp: int
    days: int | None = None


@dataclass(frozen=True)
class Terms:
    """What a text of terms says.

    Attributes:
        instalments: the parts in their order; empty where the text names no shares, or they do not add up.
        is_whole: False where the shares that it names do not add up to 100 %.
    """

    instalments: tuple[Instalment, ...] = ()
    is_whole: bool = True


@dataclass
class _Part:
    """A share, None for what remains, with the words that belong to it."""

    share: Fraction | None
    words: str


_DIGITS = {digit: number for number, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_HAN_NUMBER = "[零〇一二两三四五六七八九十百]"
# The order counts: what is due when the warranty after acceptance is over is due after the warranty, and where nothing
# is shipped before it is paid (款到发货), all is paid in advance.
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("advance", re.compile(r"款到发货|付款发货|款到交货")),
    ("warranty", re.compile(r"质保|保修|保质|质量保证|warrant|retention|retainage")),
    ("acceptance", re.compile(r"验收|初验|终验|上线|竣工|\baccept|\bgo[- ]?live|\bcompletion|\bsign[- ]?off")),
    ("delivery", re.compile(
        r"到货|交货|发货|提货|收货|货到|到付|交付|送达|开票|发票|票到|\bdeliver|\bship|\binvoice|\breceipt|\bcod\b")),
    ("advance", re.compile(
        r"预付|首付|定金|订金|首款|首期|预收|启动|签约|签订|签署|签字|生效|"
        r"\bup ?front|\badvance|\bdeposit|\bdown\b|\bsign|\bprepa|\binitial|\bon order")),
    ("milestone", re.compile(
        r"进度|中期|阶段|里程碑|节点|[二三四五]期|第[二三四五]|[0-9]月|\bmilestone|\bprogress|\binterim|\bphase")),
)  # fmt: skip
_SHARE = re.compile(
    rf"(?P<percent>[0-9]+(?:\.[0-9]+)?)\s*(?:%|percent|pct)|百分之(?P<spoken>{_HAN_NUMBER}+)|"
    rf"(?P<tenths>[一二三四五六七八九十]|[1-9])成(?P<half>半)?|(?P<part>一半|\bhalf\b)"
)
_REST = re.compile(r"余款|余额|剩余|其余|余下|尾款|\bbalance|\bremain|\brest\b")
_RATIO = re.compile(r"(?<![0-9.:/])[0-9]+(?:\s*:\s*[0-9]+)+(?![0-9.:/])|(?<![0-9.:/])[0-9]+(?:/[0-9]+)+(?![0-9.:/])")
_DAYS = re.compile(
    rf"(?<![0-9月])(?P<days>[0-9]{{1,3}}|{_HAN_NUMBER}+)\s*个?(?:日历|自然)?(?P<unit>天|日|\s?days?|周|\s?weeks?)"
)
_NET = re.compile(r"(?:\bnet|月结|[账帐]期)\s*:?\s*(?P<days>[0-9]{1,3})")
_AT_ONCE = re.compile(r"全款|全额|一次性|付清|\blump ?sum|\bin full|\bfull payment|\bone[- ]off")
_WHOLE_LATER = re.compile(
    r"月结|[账帐]期|\bnet\s*[0-9]|货到付款|到付|款到发货|付款发货|\bcod\b|cash on delivery|\bprepa(?:id|yment)\b"
)
_IN_PARTS = re.compile(
    r"分期|分批|分次|分阶段|分[二两三四五六七八九十0-9]+[期次批笔]|instal?ment|按[进阶月季年]|\bmonthly|\bquarterly"
)
_OTHER_RATE = re.compile(r"利率|利息|违约|滞纳|税|折|discount|interest|penalty|\bvat\b|\btax")
_APART = re.compile(r"[,;、。\n+]|\b(?:and|then)\b")
_PERIOD = re.compile(
    rf"(?<![0-9.月])(?P<number>[0-9]{{1,3}}|{_HAN_NUMBER}+|半)\s*"
    r"(?P<unit>个?工作[日天]|working days?|business days?|个?日历[日天]|个?自然[日天]|天|日|(?:calendar )?days?|"
    r"个?周|个?星期|weeks?|个月|months?|年|years?)"
)
_SPAN = re.compile(r"[0-9]\s*(?:-|~|至|到|\bto\b)\s*[0-9]")
_DATE = re.compile(r"[0-9]{4}\s*[-/.年]|[0-9]\s*月")


def instalments_of(texts: pl.Series) -> pl.DataFrame:
    """The instalments of every distinct text, columns ``INSTALMENTS``.

    A text that names no shares, or shares that do not add up, has no rows.
    """
    rows = [
        (text, number, part.kind, part.share_bp, part.days)
        for text in texts.drop_nulls().unique().sort()
        for number, part in enumerate(read_terms(text).instalments, start=1)
    ]
    return pl.DataFrame(rows, schema=INSTALMENTS, orient="row")


def delivery_periods(texts: pl.Series) -> pl.DataFrame:
    """The period that every distinct text of delivery terms names, columns ``PERIODS``; no row where it names none."""
    found = [(text, delivery_days(text)) for text in texts.drop_nulls().unique().sort()]
    return pl.DataFrame([(text, *period) for text, period in found if period], schema=PERIODS, orient="row")


def shares_not_whole(texts: pl.Series) -> pl.Series:
    """True where the shares that a text names do not add up to 100 %."""
    distinct = texts.drop_nulls().unique()
    wrong = pl.Series([not read_terms(text).is_whole for text in distinct], dtype=pl.Boolean)
    return texts.replace_strict(distinct, wrong, default=None, return_dtype=pl.Boolean).fill_null(value=False)


@lru_cache(maxsize=65_536)
def read_terms(text: str) -> Terms:
    """What a text of payment terms says; no instalments where it is not understood."""
    folded = _folded(text)
    if _OTHER_RATE.search(folded):
        return Terms()
    parts = _by_share(folded) or _by_ratio(folded)
    if parts:
        return _settled(parts)
    if _IN_PARTS.search(folded) or not (_AT_ONCE.search(folded) or _WHOLE_LATER.search(folded)):
        return Terms()
    return Terms((Instalment(_kind(folded, "full"), WHOLE, _days(folded)),))


def delivery_days(text: str) -> tuple[int, Unit] | None:
    """How long a delivery takes by its terms.

    (30, "calendar") for ``30天``, (3, "month") for ``3个月``, (45, "working") for ``合同签订后45个工作日``. None where
    the text names no period, a date, a span, or several periods: which of them counts is not known.
    """
    folded = _folded(text)
    found = {_period(match) for match in _PERIOD.finditer(folded)}
    if len(found) != 1 or _SPAN.search(folded) or _DATE.search(folded):
        return None
    return found.pop()


def _folded(text: str) -> str:
    return simplified(unicodedata.normalize("NFKC", text)).casefold().strip()


def _by_share(text: str) -> list[_Part]:
    """The shares of a text with their words: those of their clause, and of clauses without a share beside it."""
    if not _SHARE.search(text):
        return []
    clauses = [clause.strip() for clause in _APART.split(text) if clause.strip()]
    condition_first = not _SHARE.search(clauses[0])
    parts: list[_Part] = []
    waiting = ""
    for clause in clauses:
        found = _around_shares(clause)
        if not found and _REST.search(clause):
            found = [_Part(None, clause)]
        if found:
            found[0].words = f"{waiting} {found[0].words}"
            parts += found
            waiting = ""
        elif condition_first:
            waiting = f"{waiting} {clause}"
        else:
            parts[-1].words += f" {clause}"
    parts[-1].words += f" {waiting}"
    return parts


def _around_shares(clause: str) -> list[_Part]:
    """Shares of one clause. Where it names several, the words of each follow it, or stand before it."""
    found = list(_SHARE.finditer(clause))
    if not found:
        return []
    if found[0].start() == 0:
        edges = [*(match.start() for match in found), len(clause)]
    else:
        edges = [0, *(match.end() for match in found[:-1]), len(clause)]
    return [_Part(_share(match), clause[start:end]) for match, (start, end) in zip(found, pairwise(edges), strict=True)]


def _share(match: re.Match[str]) -> Fraction:
    """A share in basis points."""
    if match["percent"]:
        return Fraction(match["percent"]) * 100
    if match["spoken"]:
        return Fraction(_number(match["spoken"]) * 100)
    if match["tenths"]:
        return Fraction(_number(match["tenths"]) * 1000 + (500 if match["half"] else 0))
    return Fraction(WHOLE, 2)


def _by_ratio(text: str) -> list[_Part]:
    """The parts of 3:6:1 or 50/50, with the events that the text names beside it where there is one for each."""
    found = list(_RATIO.finditer(text))
    if len(found) != 1:
        return []
    numbers = [int(number) for number in re.findall("[0-9]+", found[0][0])]
    tenths = all(number < 10 for number in numbers)
    if "/" in found[0][0] and sum(numbers) != (10 if tenths else 100):
        return []  # 3/6 may be many things
    words = [word for word in re.split(r"[\s,;、:=/()\-]+", text.replace(found[0][0], " ")) if _kind(word) != "unknown"]
    named = words if len(words) == len(numbers) else [""] * len(numbers)
    return [
        _Part(Fraction(number * (1000 if tenths else 100)), word) for number, word in zip(numbers, named, strict=True)
    ]


def _settled(parts: list[_Part]) -> Terms:
    """The instalments, if their shares add up; one that takes what remains gets it."""
    stated = sum((part.share for part in parts if part.share is not None), Fraction(0))
    open_parts = [part for part in parts if part.share is None]
    if len(open_parts) == 1 and stated < WHOLE:
        open_parts[0].share, stated = WHOLE - stated, Fraction(WHOLE)
    shares = [part.share for part in parts if part.share is not None]
    if stated != WHOLE or len(shares) < len(parts) or not all(shares):
        return Terms(is_whole=False)
    # Thirds of a basis point: differences of rounded running sums add up to the whole.
    due = [0, *(round(total) for total in accumulate(shares))]
    unnamed: Kind = "full" if len(parts) == 1 else "unknown"
    return Terms(
        tuple(
            Instalment(_kind(part.words, unnamed), end - start, _days(part.words))
            for part, (start, end) in zip(parts, pairwise(due), strict=True)
        )
    )


def _kind(words: str, unnamed: Kind = "unknown") -> Kind:
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), unnamed)


def _days(words: str) -> int | None:
    """Calendar days after the event; None where none, working days or several periods are named."""
    net = _NET.search(words)
    if net:
        return int(net["days"])
    found = {
        _number(match["days"]) * (7 if match["unit"].strip()[0] in "周w" else 1) for match in _DAYS.finditer(words)
    }
    return found.pop() if len(found) == 1 else None


def _period(match: re.Match[str]) -> tuple[int, Unit] | None:
    unit = match["unit"]
    if match["number"] == "半":
        return (6, "month") if unit == "年" else None
    number = _number(match["number"])
    if "工作" in unit or unit.startswith(("working", "business")):
        return number, "working"
    if "月" in unit or unit.startswith("month"):
        return number, "month"
    if unit.startswith(("年", "year")):
        return 12 * number, "month"
    return number * (7 if "周" in unit or "星期" in unit or unit.startswith("week") else 1), "calendar"


def _number(text: str) -> int:
    """A whole number in digits or in Chinese up to 999: 三十, 一百二十, 十五."""
    if text.isdecimal():
        return int(text)
    hundreds, _, below = text.rpartition("百")
    tens, ten, ones = below.rpartition("十")
    return (
        100 * (_DIGITS.get(hundreds, 0))
        + 10 * (_DIGITS.get(tens.lstrip("零〇"), 1) if ten else 0)
        + _DIGITS.get(ones.lstrip("零〇"), 0)
    )

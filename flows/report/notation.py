"""How figures are written for people, in Chinese and English: money, counts, shares, periods, names."""

import unicodedata
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from flows.config.fiscal import FiscalCalendar, Period, PeriodKind
from flows.config.settings import Language
from flows.warehouse.glossary import Metric, load_glossary

_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "JP¥", "HKD": "HK$", "SGD": "S$", "AUD": "A$"}
_UNITS_ZH = {"CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元", "SGD": "新加坡元"}
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS_IN = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_COUNTS: dict[str, dict[Language, str]] = {"won_count": {"zh": "单", "en": "deals"}}
_ONE: dict[str, dict[Language, str]] = {"won_count": {"zh": "单", "en": "deal"}}
_NODE_KINDS: dict[str, dict[Language, str]] = {
    "company": {"zh": "公司", "en": "company"},
    "region": {"zh": "大区", "en": "region"},
    "team": {"zh": "团队", "en": "team"},
    "rep": {"zh": "销售", "en": "rep"},
}
_BIDI_CONTROLS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
WAN = Decimal(10_000)
CENT = Decimal("0.01")


def exact_money(amount: Decimal, currency: str) -> str:
    """To the cent: ``¥1,234,000.00``."""
    sign = "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    return f"{sign}{symbol}{abs(amount).quantize(CENT, ROUND_HALF_UP):,.2f}"


def short_money(amount: Decimal, currency: str) -> str:
    """Whole units: ``¥1,234,000``."""
    sign = "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    return f"{sign}{symbol}{abs(amount).quantize(Decimal(1), ROUND_HALF_UP):,}"


def money(amount: Decimal, currency: str, language: Language) -> str:
    """As a reader of the language says it: ``123.40 万元``, ``¥1,234,000.00``."""
    if language == "zh" and abs(amount) >= WAN:
        unit = _UNITS_ZH.get(currency, f" {currency}")
        return f"{(amount / WAN).quantize(CENT, ROUND_HALF_UP):,} 万{unit}"
    return exact_money(amount, currency)


def is_money(metric: str) -> bool:
    """Whether the metric is an amount; else it is a count."""
    return metric not in _COUNTS


def quantity(metric: str, value: Decimal | None, currency: str, language: Language) -> str:
    """A figure of ``metric`` in words, exact: ``123.40 万元（¥1,234,000.00）``, ``12 deals``; a dash for none."""
    if value is None:
        return "–"
    if not is_money(metric):
        return _count(metric, value, language)
    said, exact = money(value, currency, language), exact_money(value, currency)
    return exact if said == exact else f"{said}（{exact}）"


def short_quantity(metric: str, value: Decimal | None, currency: str, language: Language) -> str:
    """The same in few characters: ``¥1,234,000``, ``12 单``."""
    if value is None:
        return "–"
    return short_money(value, currency) if is_money(metric) else _count(metric, value, language)


def share(value: float | Decimal | None, digits: int = 1) -> str:
    """A ratio as a percentage: ``78%``, ``89.6%``; a dash for none."""
    if value is None:
        return "–"
    percent = (Decimal(str(value)) * 100).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{_plain(percent)}%"


def metric_name(metric: str, language: Language) -> str:
    """The metric in the reader's language, as within a sentence; its key where the glossary does not define it."""
    defined = glossary().get(metric)
    if defined is None:
        return metric
    name = defined.name.said(language)
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


@cache
def glossary() -> dict[str, Metric]:
    """The glossary by key, read once."""
    return {metric.key: metric for metric in load_glossary()}


def node_kind_name(node_kind: str, language: Language) -> str:
    """Company, region, team or rep in the reader's language."""
    return _NODE_KINDS.get(node_kind, {}).get(language, node_kind)


def period_name(
    period_kind: PeriodKind,
    start_on: date,
    language: Language,
    *,
    with_year: bool = True,
    fiscal: FiscalCalendar,
) -> str:
    """A period by its months, so that a fiscal quarter cannot be taken for a calendar one: ``2026年4–6月``.

    Months of weeks are no months that have a name, so there they are counted: ``FY26 P3``, ``2026财年第3期``.
    """
    if fiscal.pattern != "months":
        return _counted_name(fiscal.period_of(start_on, period_kind), language, with_year=with_year)
    last_month = (start_on.month + _MONTHS_IN[period_kind] - 2) % 12 + 1
    if period_kind == "year":
        return _year_name(start_on, last_month, language)
    if language == "zh":
        months = f"{start_on.month}月" if period_kind == "month" else f"{start_on.month}–{last_month}月"
        return f"{start_on.year}年{months}" if with_year else months
    first, last = _MONTHS_EN[start_on.month - 1], _MONTHS_EN[last_month - 1]
    months = first if period_kind == "month" else f"{first}–{last}"
    return f"{months} {start_on.year}" if with_year else months


def _counted_name(period: Period, language: Language, *, with_year: bool) -> str:
    if language == "en":
        year, _, rest = period.title.partition(" ")
        return period.title if with_year or not rest else rest
    year = f"{period.fiscal_year}财年"
    rest = {
        "month": f"第{period.number}期",
        "quarter": f"第{period.number}季度",
        "half": "上半年" if period.number == 1 else "下半年",
        "year": "",
    }[period.kind]
    return f"{year}{rest}" if with_year or not rest else rest


def one_line(text: str | None, limit: int = 80) -> str:
    """CRM text fit for a subject, a header or a label: no control or direction characters, one line, ``limit`` long."""
    kept = "".join(
        " " if unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} else char
        for char in text or ""
        if char not in _BIDI_CONTROLS
    )
    line = " ".join(kept.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _year_name(start_on: date, last_month: int, language: Language) -> str:
    if start_on.month == 1:
        return f"{start_on.year}年" if language == "zh" else str(start_on.year)
    if language == "zh":
        return f"{start_on.year}年{start_on.month}月–{start_on.year + 1}年{last_month}月"
    return f"{_MONTHS_EN[start_on.month - 1]} {start_on.year}–{_MONTHS_EN[last_month - 1]} {start_on.year + 1}"


def _count(metric: str, value: Decimal, language: Language) -> str:
    return f"{_plain(value)} {(_ONE if value == 1 else _COUNTS)[metric][language]}"


def _plain(value: Decimal) -> str:
    """Thousands separators, at most two decimals, and none that say nothing."""
    text = f"{value.quantize(CENT, ROUND_HALF_UP):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

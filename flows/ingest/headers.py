"""Headers as people write them, and as they are compared: 「*客戶名稱（必填）」 and "客户名称 KHMC" are one header.

The key of a header is what is left once width, case, spaces, marks, brackets, units and pinyin are gone and traditional
characters are simplified. It decides only which column a sheet means; the name shown to people stays as it was written.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib import resources

import yaml

from schemas import TEMPLATES

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe0e\ufe0f\ufeff]")
_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_IS_HAN = re.compile(f"[{_HAN}]")
_LATIN = "A-Za-z\u00c0-\u024f"
_BRACKETS = re.compile(r"[(\[{<【〔《「『〖]([^()\[\]{}<>【】〔〕《》「」『』〖〗]*)(?:[)\]}>】〕》」』〗]|$)")
# Written beside Chinese, these are part of the name (客户ID); other Latin words are its pinyin or its translation.
_NAMED_IN_LATIN = (
    r"(?:ids?|no|nr|code|key|qq|url|www|e-?mail|mail|wechat|crm|erp|oa|kpi|app|vip|tel|fax|sku|arr|mrr|tcv)\b"
)
_BESIDE_HAN = re.compile(
    rf"(?<=[{_HAN}])[\s_/|\\.\-]*(?!{_NAMED_IN_LATIN})[{_LATIN}][{_LATIN}'’]+(?:[\s_/.\-]+[{_LATIN}'’]+)*(?![{_LATIN}0-9])",
    re.IGNORECASE,
)
_BEFORE_HAN = re.compile(rf"^[{_LATIN}][{_LATIN}\s'’.\-]*[/|\n]\s*(?=[{_HAN}])")
_REQUIRED = re.compile(
    r"\*\s*(?:必填项?|选填项?|required|mandatory)|^(?:必填项?|选填项?)[\s:*]|[\s*](?:必填项?|选填项?)$", re.I
)
_BARE_UNIT = re.compile(
    rf"(?<=[{_HAN}])[\s:/,\-]*(?:单位[\s:]*)?(百万元|千元|万元|亿元)$|[\s:/,\-]+(?:单位[\s:]*)?(元|万|亿|%)$"
)
_NO_MEANING = re.compile(r"[\s_*:;,.·•\-–—/\\|、。'\"`’“”!?★☆●○■□▲△◆◇※]+")

_UNITS = {
    "元": ("元", "rmb", "cny", "yuan", "¥", "人民币"),
    "百": ("百元", "百"),
    "千": ("千元", "千", "thousand", "thousands", "000", "000s", "千人民币"),
    "k": ("k",),
    "万元": ("万元", "万", "w", "10k", "wan", "万人民币"),
    "百万": ("百万元", "百万", "million", "millions", "mn", "mm"),
    "m": ("m",),
    "亿": ("亿元", "亿"),
    "%": ("%", "百分比", "percent", "pct"),
    "天": ("天", "日", "日历天", "自然日", "days", "day"),
    "工作日": ("工作日", "working days", "business days"),
    "周": ("周", "星期", "weeks", "week"),
    "月": ("月", "个月", "months", "month"),
}
_UNIT = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings}
_CURRENCIES = {
    "CNY": "人民币|rmb|cny|yuan|¥|￥",
    "USD": r"美元|美金|usd|us\$|\$",
    "EUR": "欧元|eur|€",
    "HKD": r"港元|港币|港幣|hkd|hk\$",
    "JPY": "日元|日圆|jpy",
    "GBP": "英镑|gbp|£",
    "TWD": r"新台币|台币|twd|nt\$|ntd",
    "SGD": r"新加坡元|新币|sgd|s\$",
    "AUD": r"澳元|aud|a\$",
    "KRW": "韩元|krw|₩",
}
_CURRENCY = {code: re.compile(pattern, re.IGNORECASE) for code, pattern in _CURRENCIES.items()}
_AMOUNTS_ARE_IN = re.compile(r"(?:金额|货币|计量|计价)?(?:单位|unit)s?\s*:\s*(\S+(?: \S+)?)", re.IGNORECASE)
_UNIT_WORDS = re.compile(r"^(?:单位|unit|in|以)[\s:]*|[\s:]*(?:为单位|计)$|['’]", re.IGNORECASE)


def header_name(text: object) -> str:
    """A header as it is shown: NFKC, no invisible characters, single spaces, none at either end."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", str(text))).split())


@lru_cache(maxsize=8192)
def header_key(text: str) -> str:
    """A header as it is compared; empty where nothing but marks and notes is written.

    Gone are width, case, spaces and marks, what stands in brackets, units, ``必填``, and Latin words beside Chinese
    ones (pinyin such as 客户名称kehumingcheng or KHMC, or a translation). Traditional characters become simplified.
    """
    plain = _REQUIRED.sub(" ", simplified(_plain(text)))
    without = _BRACKETS.sub(" ", plain).strip()
    # 「(客户名称)」 stands in brackets as a whole: they are decoration.
    plain = without if _NO_MEANING.sub("", without) else " ".join(_BRACKETS.findall(plain))
    plain = _BARE_UNIT.sub("", plain.strip(" :*"))
    if _IS_HAN.search(plain):
        plain = _BESIDE_HAN.sub("", _BEFORE_HAN.sub("", plain))
    return _NO_MEANING.sub("", plain).casefold()


@lru_cache(maxsize=8192)
def header_unit(text: str) -> str | None:
    """The unit that a header names: 元 千 万元 百万 亿 k m % 天 工作日 周 月, or None.

    ``合同金额(万元)``, ``合同金额:万元``, ``Amount (RMB million)`` and ``金额（单位：万美元）`` name one.
    """
    for words in _unit_texts(text):
        spelling = words
        for pattern in _CURRENCY.values():
            spelling = pattern.sub("", spelling)
        spelling = spelling.strip(" /:,-")
        unit = _UNIT.get(words) or _UNIT.get(spelling)
        if unit:
            return unit
        if not spelling:
            return "元"
    return None


@lru_cache(maxsize=8192)
def header_currency(text: str) -> str | None:
    """The currency that a header names, as an ISO 4217 code: ``金额(万美元)`` USD, ``合同金额(元)`` CNY; else None."""
    for words in _unit_texts(text):
        found = next((code for code, pattern in _CURRENCY.items() if pattern.search(words)), None)
        if found:
            return found
        if _UNIT.get(words) in {"元", "百", "千", "万元", "百万", "亿"} and words.endswith("元"):
            return "CNY"
    return None


@lru_cache(maxsize=1024)
def unit_note(text: str) -> str:
    """The part of a text above a table that says in which unit its amounts are, as a header would hold it in brackets.

    ``单位：万元``, ``2024年台账（金额单位：万美元）`` and ``Unit: RMB million`` have one; empty where there is none.
    """
    plain = simplified(_plain(text))
    for part in (plain, *_BRACKETS.findall(plain)):
        words = _AMOUNTS_ARE_IN.fullmatch(part.strip())
        if words and header_unit(note := f"({words[1]})"):
            return note
    return ""


def _unit_texts(text: str) -> list[str]:
    """What may be a unit: the contents of the brackets, and a unit at the end without brackets."""
    plain = simplified(_plain(text))
    inside = [part for found in _BRACKETS.findall(plain) for part in (found, *re.split(r"[,;/、]", found))]
    outside = _BARE_UNIT.search(_BRACKETS.sub("", plain).strip(" :*"))
    bare = [outside[1] or outside[2]] if outside else []
    return [_UNIT_WORDS.sub("", part.strip()).strip().casefold() for part in (*inside, *bare)]


def _plain(text: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", str(text))).strip()


def simplified(text: str) -> str:
    """Traditional Chinese characters as simplified ones; everything else as it is."""
    return _converter()(text) if _IS_HAN.search(text) else text


@cache
def _converter() -> Callable[[str], str]:
    # Loaded on first use: most exports have no Chinese header at all.
    from opencc import OpenCC

    return OpenCC("t2s").convert


@cache
def synonyms() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Known headers by entity and column, as ``schemas/synonyms.yaml`` lists them."""
    text = resources.files("schemas").joinpath("synonyms.yaml").read_text(encoding="utf-8")
    return {
        entity: {column: tuple(str(word) for word in words) for column, words in columns.items()}
        for entity, columns in yaml.safe_load(text).items()
    }


@cache
def columns_by_key(entity: str) -> Mapping[str, str]:
    """Canonical column by header key, for one entity."""
    return {header_key(word): column for column, words in synonyms()[entity].items() for word in words}


@cache
def template_keys() -> frozenset[str]:
    """Header keys of all process templates: what marks a row of a sheet as a header."""
    return frozenset(key for entity in TEMPLATES for key in columns_by_key(entity))

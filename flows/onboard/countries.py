"""Which country a company works in: as a person names it, or as its time zone or currency tell; never a guess.

Only what leaves no doubt counts: a zone lies in one country, and most currencies are one country's; dollar and euro
are not.
"""

import difflib
import zoneinfo
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from holidays.registry import COUNTRIES

from flows.errors import ConfigError

EURO = frozenset("AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK".split())
_CURRENCIES = dict(
    pair.split(":")
    for pair in (
        "AED:AE AUD:AU BRL:BR CAD:CA CHF:CH CLP:CL CNY:CN COP:CO CZK:CZ DKK:DK EGP:EG GBP:GB HKD:HK HUF:HU IDR:ID "
        "ILS:IL INR:IN JPY:JP KRW:KR MXN:MX MYR:MY NGN:NG NOK:NO NZD:NZ PEN:PE PHP:PH PKR:PK PLN:PL RON:RO RUB:RU "
        "SAR:SA SEK:SE SGD:SG THB:TH TRY:TR TWD:TW UAH:UA VND:VN ZAR:ZA"
    ).split()
)
_CHINESE = dict(
    pair.split(":")
    for pair in (
        "中国:CN 中国大陆:CN 香港:HK 中国香港:HK 澳门:MO 中国澳门:MO 台湾:TW 中国台湾:TW 美国:US 英国:GB "
        "德国:DE 法国:FR 日本:JP 韩国:KR 新加坡:SG 马来西亚:MY 泰国:TH 越南:VN 印度尼西亚:ID 印尼:ID 菲律宾:PH "
        "印度:IN 澳大利亚:AU 新西兰:NZ 加拿大:CA 墨西哥:MX 巴西:BR 意大利:IT 西班牙:ES 葡萄牙:PT 荷兰:NL "
        "比利时:BE 瑞士:CH 奥地利:AT 瑞典:SE 挪威:NO 丹麦:DK 芬兰:FI 爱尔兰:IE 波兰:PL 捷克:CZ 匈牙利:HU "
        "俄罗斯:RU 土耳其:TR 阿联酋:AE 沙特阿拉伯:SA 以色列:IL 埃及:EG "
        "南非:ZA"
    ).split()
)


def country_named(text: str) -> str:
    """The code of a country by its code or its name: ``DE``, ``Germany``, ``德国``.

    Raises:
        ConfigError: no country is called so, or its holidays are not known.
    """
    names = _names()
    found = names.get(_folded(text))
    if found is None:
        close = difflib.get_close_matches(_folded(text), names, n=1)
        perhaps = f"; perhaps {names[close[0]]}" if close else ""
        raise ConfigError(
            [f"country: expected a name or ISO 3166 code such as Germany, DE or 德国; found {text!r}{perhaps}"]
        )
    return found


def country_of(zone: str | None, currency: str | None) -> str | None:
    """The country that a time zone lies in, else whose currency it is; None where neither tells."""
    return _of_zones().get(zone or "") or _CURRENCIES.get(currency or "")


def zone_of(country: str) -> str:
    """The first time zone of a country, where most of its people live; UTC where none is listed."""
    return next((zone for zone, code in _of_zones().items() if code == country), "UTC")


def currency_of(country: str) -> str:
    """What a country pays in; US dollars where that is not known here."""
    own = next((currency for currency, code in _CURRENCIES.items() if code == country), "USD")
    return "EUR" if country in EURO else own


def _folded(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


@cache
def _names() -> dict[str, str]:
    """Code by every name."""
    names = {_folded(name): code for name, code in _CHINESE.items()}
    for key, (_, code, *aliases) in COUNTRIES.items():
        names |= {_folded(name): code for name in (key, code, *aliases)}
    return names


@cache
def _of_zones() -> dict[str, str]:
    """The country of each time zone, by the table that comes with them; the first of a country leads."""
    for text in _zone_tables():
        rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
        return {row[2]: row[0] for row in rows}
    return {}


def _zone_tables() -> Iterator[str]:
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / "zone.tab"
        if path.is_file():
            yield path.read_text(encoding="utf-8")
    try:
        yield (resources.files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        return

"""Amounts, shares and names of nodes and periods as people write them in a plan."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

_UNITS = {"": 0, "k": 3, "千": 3, "万": 4, "万元": 4, "m": 6, "百万": 6, "千万": 7, "亿": 8, "亿元": 8}
_WRITTEN = re.compile(
    r"(?P<sign>-?)(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*(?P<unit>[a-z]|[千万元百亿]+)?",
    re.IGNORECASE,
)
_THOUSANDS_OR_NOT = re.compile(r"\.\d{3,}$")
_EXPECTED = "expected an amount such as 12000000, 1,200万, 1.2亿 or 850k, of at most two decimal places"
_MOST = Decimal(10) ** 15
"""Above every amount of a plan; in hundredths it still is an exact integer wherever it is kept or shown."""
_NOT_SHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def exact_amount(written: Any) -> Decimal:
    """The exact amount of what a person wrote; units move the point, nothing is rounded.

    Raises:
        ValueError: it is no amount, or has more than two decimal places.
    """
    if isinstance(written, bool) or not isinstance(written, int | float | str | Decimal):
        raise ValueError(_EXPECTED)  # noqa: TRY004 (pydantic reports ValueError)
    match = _WRITTEN.fullmatch(str(written).strip())
    if isinstance(written, str) and match and not match["unit"] and _THOUSANDS_OR_NOT.search(match["number"]):
        raise ValueError(f"{_EXPECTED}; whether the point parts thousands cannot be told: write 700,000 or 700.00")
    try:
        places = _UNITS[(match["unit"] or "").lower()] if match else -1
        amount = Decimal(match["sign"] + match["number"].replace(",", "")).scaleb(places) if match else Decimal(written)
    except (KeyError, InvalidOperation) as error:
        raise ValueError(_EXPECTED) from error
    if not amount.is_finite() or abs(amount) >= _MOST:
        raise ValueError(f"{_EXPECTED} and below {_MOST:,}")
    cents = amount * 100
    if cents != cents.to_integral_value():
        raise ValueError(_EXPECTED)
    return amount.quantize(Decimal("0.01"))


def plain_text(written: str) -> str:
    """A text without blanks at its ends and with one kind of line break.

    Raises:
        ValueError: nothing is left, or it holds characters that no page or workbook can show.
    """
    text = written.replace("\r\n", "\n").strip()
    if not text or _NOT_SHOWN.search(text):
        raise ValueError("expected a text of letters, digits and marks, not empty")
    return text


def _in_one_line(key: str) -> str:
    if len(key.split("\n")) > 1 or key != plain_text(key):
        raise ValueError("expected one line without blanks at its ends")
    return key


def exact_share(written: Any) -> Decimal:
    """A share written as 0.25 or as 25%.

    Raises:
        ValueError: it is neither.
    """
    text = str(written).strip()
    try:
        return Decimal(text[:-1]).scaleb(-2) if text.endswith("%") else Decimal(text)
    except InvalidOperation as error:
        raise ValueError("expected a share such as 0.25 or 25%") from error


def _written(pattern: str, expected: str) -> AfterValidator:
    """A text of a form that is told in words."""

    def checked(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"expected {expected}")
        return text

    return AfterValidator(checked)


def _period(written: Any) -> Any:
    """Months by number, however many digits it has: M7 and P7 are M07."""
    month = re.fullmatch(r"[MP](\d{1,2})", written) if isinstance(written, str) else None
    return f"M{int(month[1]):02}" if month else written


Amount = Annotated[Decimal, BeforeValidator(exact_amount), Field(ge=0)]
"""Money in whole cents, a count, or a percentage."""
Share = Annotated[Decimal, BeforeValidator(exact_share), Field(ge=0, le=1)]
Rate = Annotated[Decimal, BeforeValidator(exact_share), Field(ge=0)]
Growth = Annotated[Decimal, BeforeValidator(exact_share), Field(gt=-1)]
Text = Annotated[str, AfterValidator(plain_text)]
Name = Annotated[str, AfterValidator(plain_text), AfterValidator(_in_one_line)]
"""A text of one line: what names a person, a region, a team."""
Id = Annotated[str, _written(r"[A-Za-z0-9][A-Za-z0-9_.-]*", "an id of letters a to z, digits, dots, dashes: 2026-v1")]
Currency = Annotated[str, _written(r"[A-Z]{3}", "the code of a currency such as CNY")]
Node = Annotated[
    str,
    _written(
        r"company|region:[^/]+|team:[^/]+/.+|rep:.+",
        "company, region:<name>, team:<region>/<name> or rep:<user_id>",
    ),
    AfterValidator(_in_one_line),
]
"""A key of ``dim_node``: company, region:<name>, team:<region>/<name> (``-`` for no region), rep:<user_id>."""
PeriodName = Annotated[
    str,
    BeforeValidator(_period),
    _written(
        r"year|H[12]|Q[1-4]|M(0[1-9]|1[0-2])|\d{4}-(0[1-9]|1[0-2])",
        "a period such as year, H1, Q3, M07 (the seventh month; P7 is read, too), or the calendar month 2026-07",
    ),
]
"""A period within the plan's fiscal year: year, H1, Q3, M07 (its seventh month), or the calendar month 2026-07."""

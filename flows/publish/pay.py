"""Pay slips as the newest published night shows them: a person's lines by rule and pay period, and their sum."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from flows.config.fiscal import PERIOD_KINDS, FiscalCalendar, Period
from flows.config.settings import Language
from flows.errors import ConfigError, PermanentError

_LINES = """
    select user_id, user_name, rule_name_en, rule_name_zh, rule_id, period_kind, period_start_on, period_end_on,
        is_final, target_base, credited_value, credited_attainment,
        line_no, line_kind, base_amount, rate, amount, line_en, line_zh
    from marts.mart_incentive
    where ($person is null or user_id = $person or user_name = $person)
        and case
            when $kind is null then not is_final
            else period_kind = $kind and period_start_on = $start_on
        end
    order by user_id, period_start_on, period_kind, rule_id = '(draw)', rule_id, line_no
"""
_WORDS: dict[str, dict[Language, str]] = {
    "open": {"en": "if it ended tonight", "zh": "按今晚结算"},
    "final": {"en": "final", "zh": "已结束"},
    "total": {"en": "Total", "zh": "合计"},
}


@dataclass(frozen=True)
class PaySlip:
    """All lines of one person and pay period, in order; each a row of ``mart_incentive``."""

    user_id: str
    user_name: str | None
    period_kind: str
    start_on: date
    end_on: date
    is_final: bool
    lines: tuple[dict[str, Any], ...]

    @property
    def total(self) -> Decimal:
        """The sum of the lines."""
        return sum((line["amount"] for line in self.lines), Decimal(0))


def pay_period(calendar: FiscalCalendar, name: str) -> Period:
    """The period that a person calls 2026-Q1, 2026-M03, 2026-H1, 2026-year, or by its calendar month 2026-03.

    Raises:
        ConfigError: it is no such name.
    """
    year, _, part = name.partition("-")
    if year.isdigit() and len(year) == len("2026"):
        for fiscal_year in (int(year), int(year) + 1):
            found = calendar.named(fiscal_year, name if part.isdigit() else part)
            if found and (part.isdigit() or fiscal_year == int(year)):
                return found
    expected = "2026-Q1, 2026-M03, 2026-H1, 2026-year or 2026-03"
    raise ConfigError([f"--period: expected a fiscal period such as {expected}, found {name!r}"])


def read_pay(database: Path, person: str | None = None, period: Period | None = None) -> list[PaySlip]:
    """Pay slips of a person (user_id or name) or of everybody; without a period, of those that are not over.

    Raises:
        PermanentError: nothing has been published yet.
        ConfigError: nobody of that id or name is paid in the published night.
    """
    if not database.exists():
        raise PermanentError(f"Expected a published night at {database}, found none; planloop refresh makes one")
    asked = {"person": person, "kind": period and period.kind, "start_on": period and period.start_on}
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(_LINES, asked).pl().to_dicts()
        known = "select count(*) from marts.mart_incentive where user_id = $person or user_name = $person"
        if person is not None and not rows and connection.execute(known, {"person": person}).fetchone() == (0,):
            raise ConfigError([f"--person: expected the user_id or name of somebody who is paid, found {person!r}"])
    slips: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        slips.setdefault((row["user_id"], row["period_start_on"], PERIOD_KINDS.index(row["period_kind"])), []).append(
            row
        )
    return [_slip(lines) for _, lines in sorted(slips.items())]


def worded(slip: PaySlip, language: Language) -> list[str]:
    """A pay slip as lines of text: whose and when, the lines under the name of their rule, the total."""
    state = _WORDS["final" if slip.is_final else "open"][language]
    text = [f"{slip.user_name or ''} ({slip.user_id})  {slip.start_on} – {slip.end_on}  ({state})"]
    rule = None
    for line in slip.lines:
        if line["rule_id"] != rule:
            rule = line["rule_id"]
            text.append(f"  {line[f'rule_name_{language}']}{_measured(line, language)}")
        text.append(f"    {line[f'line_{language}']}")
    return [*text, f"  {_WORDS['total'][language]}: {slip.total:,.2f}"]


def _measured(line: dict[str, Any], language: Language) -> str:
    """What the tiers of a rule go by, where there is a target."""
    if line["credited_attainment"] is None:
        return ""
    credited, target = (f"{line[name]:,.2f}" for name in ("credited_value", "target_base"))
    share = f"{line['credited_attainment']:.2%}"
    return f"（{credited} ÷ {target} = {share}）" if language == "zh" else f" ({credited} ÷ {target} = {share})"


def _slip(lines: list[dict[str, Any]]) -> PaySlip:
    first = lines[0]
    return PaySlip(
        first["user_id"],
        first["user_name"],
        first["period_kind"],
        first["period_start_on"],
        first["period_end_on"],
        first["is_final"],
        tuple(lines),
    )

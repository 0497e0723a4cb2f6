"""The lead funnel, counted lead by lead, as a person would do it with the rows at hand."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil, floor
from typing import Any

from tests.reference.company import Company, Period, dimension, is_above_reps, nodes_of, periods_of

DIMENSIONS = ("source", "quality", "industry", "segment")
GIVEN_UP = {"disqualified", "无效"}
Cell = tuple[str, date, str, str, str, str, str]
"""Period kind, its first day, node, source, quality, industry, segment."""


def funnel(company: Company) -> dict[Cell, dict[str, Any]]:
    """Every row of the mart by its key, without the columns that every mart has."""
    leads = [lead for lead in company.now("lead") if lead["created_on"] <= company.as_of]
    first = _bringers(company, leads)
    rows: dict[Cell, list[dict[str, Any]]] = defaultdict(list)
    for lead in leads:
        judged = _judged(company, lead) | {"brings": first.get(_deal_of(company, lead)) == lead["lead_id"]}
        for period, node in product(
            periods_of(company, lead["created_on"], ("month", "quarter")), nodes_of(company, lead)
        ):
            for values in _cells(period, [dimension(lead.get(name)) for name in DIMENSIONS]):
                rows[(period.kind, period.start, node, *values)].append(judged)
    costs = _costs(company)
    for kind, start, source in costs:
        rows.setdefault((kind, start, "company", source, "all", "all", "all"), [])
    return {cell: _row(company, cell, members, rows, costs) for cell, members in rows.items()}


def _cells(period: Period, values: list[str]) -> Iterator[tuple[str, ...]]:
    yield ("all",) * 4
    for place, value in enumerate(values):
        yield tuple(value if at == place else "all" for at in range(4))
    if period.kind == "quarter":
        yield (values[0], values[1], "all", "all")


def _deal_of(company: Company, lead: Mapping[str, Any]) -> str | None:
    stated = lead.get("opportunity_id")
    return company.merged_into.get(stated, stated)


def _bringers(company: Company, leads: Iterable[Mapping[str, Any]]) -> dict[str | None, str]:
    found: dict[str | None, Mapping[str, Any]] = {}
    for lead in leads:
        deal = _deal_of(company, lead)
        rival = found.get(deal)
        if rival is None or (lead["created_at"], lead["lead_id"]) < (rival["created_at"], rival["lead_id"]):
            found[deal] = lead
    return {deal: lead["lead_id"] for deal, lead in found.items() if deal is not None}


def _judged(company: Company, lead: Mapping[str, Any]) -> dict[str, Any]:
    touch = None
    if lead.get("first_touch_at"):
        touch = lead["first_touch_at"]
    else:
        calls = [row["occurred_at"] for row in company.now("activity") if row.get("lead_id") == lead["lead_id"]]
        touch = min(calls, default=None)
    if touch and touch.date() > company.as_of:
        touch = None
    stated = _deal_of(company, lead)
    deal = company.deals.get(stated)
    if deal and deal["created_on"] > company.as_of:
        deal = None
    converted_on = lead.get("converted_on")
    if converted_on is None or converted_on > company.as_of:
        converted_on = deal["created_on"] if deal else None
    status = (lead.get("status") or "").lower()
    converted = converted_on is not None or stated is not None or status == "converted"
    result: dict[str, Any] = {"converted": converted, "given_up": status in GIVEN_UP and not converted}
    result["qualified"] = converted or status == "合格"
    result["days"] = max(0, (converted_on - lead["created_on"]).days) if converted_on else None
    result["deal"] = deal if deal and not deal["is_deleted"] else None
    result["minutes"] = result["working_days"] = None
    if touch:
        result["minutes"] = max(0, floor((touch - lead["created_at"]).total_seconds() / 60))
        days = (touch.date() - lead["created_on"]).days
        later = [lead["created_on"] + timedelta(number) for number in range(1, days + 1)]
        result["working_days"] = sum(day in company.working_days for day in later)
    return result


def _row(
    company: Company,
    cell: Cell,
    members: list[dict[str, Any]],
    rows: Mapping[Cell, list[Any]],
    costs: Mapping[Any, int],
) -> dict[str, Any]:
    kind, start, node, *values = cell
    n = len(members)
    in_all = len(rows.get((kind, start, node, *("all",) * 4), ()))
    deals = [member["deal"] for member in members if member["brings"] and member["deal"]]
    won = [deal for deal in deals if deal["stage"] == "won"]
    lost = [deal for deal in deals if deal["stage"] == "lost"]
    age = (company.as_of - next(p.end for p in periods_of(company, start, (kind,)))).days
    converted = sum(member["converted"] for member in members)
    given_up = sum(member["given_up"] for member in members)
    row: dict[str, Any] = {
        "leads": n,
        "lead_share": _rate(n, in_all),
        "touched": sum(member["working_days"] is not None for member in members),
        "qualified": sum(member["qualified"] for member in members),
        "converted": converted,
        "disqualified": given_up,
        "unresolved": n - converted - given_up,
        "converted_undated": sum(member["converted"] and member["days"] is None for member in members),
        "lead_conversion": _rate(converted, n),
        "opportunities": len(deals),
        "won": len(won),
        "lost": len(lost),
        "open_opportunities": len(deals) - len(won) - len(lost),
        "amount_won": sum((deal["value"] for deal in won), Decimal(0)),
        "amount_open": sum((deal["value"] for deal in deals if deal not in won and deal not in lost), Decimal(0)),
    }
    for days in (30, 60, 90):
        within = sum(member["days"] is not None and member["days"] <= days for member in members)
        row[f"converted_{days}d"] = within if age >= days else None
        row[f"lead_conversion_{days}d"] = _rate(within, n) if age >= days else None
    total, single = values.count("all") == 4, values.count("all") == 3
    shown = total or (single and kind == "quarter" and is_above_reps(company, node))
    for name, share in (("median", Fraction(1, 2)), ("p80", Fraction(4, 5))):
        minutes = _quantile([m["minutes"] for m in members if m["minutes"] is not None], share) if shown else None
        days = (
            _quantile([m["working_days"] for m in members if m["working_days"] is not None], share) if shown else None
        )
        row[f"touch_{name}_hours"] = None if minutes is None else round(minutes / 60, 2)
        row[f"touch_{name}_working_days"] = days
    cost = costs.get((kind, start, values[0])) if node == "company" and values[1:] == ["all"] * 3 else None
    row["cost_amount"] = None if cost is None else Decimal(cost) / 100
    row["cost_per_lead"] = None if cost is None or not n else Decimal(_half_up(Fraction(cost, n))) / 100
    row["cost_per_won"] = None if cost is None or not won else Decimal(_half_up(Fraction(cost, len(won)))) / 100
    return row


def _costs(company: Company) -> dict[tuple[str, date, str], int]:
    spent: dict[tuple[str, date, str], int] = defaultdict(int)
    for budget in company.now("initiative"):
        if budget.get("lead_source") is None or budget.get("budget") is None:
            continue
        start, end = budget.get("starts_on") or budget["due_on"], budget.get("due_on") or budget["starts_on"]
        days = (end - start).days + 1
        cents = int(budget["budget"] * 100)
        for number in range(days):
            day = start + timedelta(number)
            if day > company.as_of:
                break
            part = _half_up(Fraction(cents * (number + 1), days)) - _half_up(Fraction(cents * number, days))
            for period in periods_of(company, day, ("month", "quarter")):
                spent[(period.kind, period.start, dimension(budget["lead_source"]))] += part
                spent[(period.kind, period.start, "all")] += part
    return spent


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _quantile(values: list[int], share: Fraction) -> int | None:
    """The smallest value that at least ``share`` of the values do not exceed."""
    return sorted(values)[ceil(share * len(values)) - 1] if values else None


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))

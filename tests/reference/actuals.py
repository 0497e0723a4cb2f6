"""What really happened, by metric, period and node: event by event, as a person would do it with the rows at hand."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.reference.channel import store_states
from tests.reference.company import Company, Period, Row, periods_of

KINDS = ("month", "quarter", "year")
QUALIFIED = {"qualified", "合格"}


@dataclass(frozen=True)
class Event:
    """One thing that happened: by how much the metric grows, and of a rate its denominator."""

    metric: str
    owner: str | None
    day: date
    hundredths: int | None
    of: int | None = None
    counts: int = 1


Key = tuple[str, str, date, str]
"""Metric, period kind, its first day, node."""


def actuals(company: Company) -> dict[Key, tuple[int | None, int, int | None]]:
    """Hundredths, the number of cases and the denominator of every cell."""
    cells: dict[Key, list[Event]] = defaultdict(list)
    for event in _events(company):
        if event.day > company.as_of:
            continue
        for period in periods_of(company, event.day, KINDS):
            for node in _path(company, event.owner, event.day):
                cells[(event.metric, period.kind, period.start, node)].append(event)
    cells |= _distribution(company)
    return {key: _sum(events) for key, events in cells.items()}


def _sum(events: list[Event]) -> tuple[int | None, int, int | None]:
    known = [event.hundredths for event in events if event.hundredths is not None]
    whole = [event.of for event in events if event.of is not None]
    n, total = sum(event.counts for event in events), sum(known) if known else None
    if not whole or total is None:
        return total, n, None
    rate = Decimal(total * 10_000) / sum(whole) if sum(whole) else None
    return None if rate is None else int(rate.to_integral_value(ROUND_HALF_UP)), n, sum(whole)


def _path(company: Company, owner: str | None, day: date) -> tuple[str, ...]:
    """Whom an event counts for: where its owner stood that day; the first place known stands for all before it."""
    if owner not in company.path:
        return ("rep:(unassigned)", "company")
    mine = [row for row in company.log["user"] if row["user_id"] == owner]
    then = [row for row in mine if row.get("_valid_from", company.as_of) <= day] or mine[:1]
    region, team = then[-1].get("region"), then[-1].get("team")
    nodes = [f"rep:{owner}"]
    nodes += [f"team:{region or '-'}/{team}"] if team else []
    return (*nodes, *([f"region:{region}"] if region else []), "company")


def _events(company: Company) -> Iterator[Event]:
    yield from _deals(company)
    yield from _leads(company)
    yield from _bookings(company)
    yield from _cash(company)
    for row in company.now("activity"):
        yield Event("activities", row.get("owner_id"), row["occurred_on"], 100)
        if row["activity_type"].strip().lower() == "call":
            yield Event("activities:Call", row.get("owner_id"), row["occurred_on"], 100)
    stores = {row["store_id"]: row for row in company.log["store"]}
    for visit in company.now("store_visit"):
        if visit["is_done"] is False:
            continue
        store = stores.get(visit["store_id"])
        by = visit["owner_id"] if visit["owner_id"] in company.path else (store or {}).get("owner_id")
        yield Event("store_visits", by, visit["visited_on"], 100)
        if store and visit["sku_stocked"] is not None and visit["sku_sold"] is not None:
            sold, stocked = visit["sku_sold"] * 100, visit["sku_stocked"] * 100
            yield Event("sell_through", store["owner_id"], visit["visited_on"], sold, stocked)


def _deals(company: Company) -> Iterator[Event]:
    for deal in company.deals.values():
        if deal["is_deleted"]:
            continue
        yield Event("created_count", deal["owner_id"], deal["created_on"], 100)
        if deal["stage"] in ("won", "lost"):
            yield Event(f"{deal['stage']}_count", deal["owner_id"], deal["closed_on"], 100)
        if deal["stage"] == "won":
            cents = int(deal["value"] * 100)
            yield Event("won_amount", deal["owner_id"], deal["closed_on"], cents, counts=deal["amount"] is not None)


def _leads(company: Company) -> Iterator[Event]:
    for lead in company.now("lead"):
        if lead["created_on"] > company.as_of:
            continue
        yield Event("leads", lead["owner_id"], lead["created_on"], 100)
        day = _qualified_on(company, lead)
        if day:
            yield Event("qualified_leads", lead["owner_id"], day, 100)


def _qualified_on(company: Company, lead: Row) -> date | None:
    stated = lead.get("converted_on")
    deal = company.deals.get(company.merged_into.get(lead.get("opportunity_id"), lead.get("opportunity_id")))
    converted = stated if stated and stated <= company.as_of else None
    if converted is None and deal and deal["created_on"] <= company.as_of:
        converted = deal["created_on"]
    status = (lead["status"] or "").lower()
    if converted:
        return max(converted, lead["created_on"])
    if not (lead.get("opportunity_id") or status == "converted" or status in QUALIFIED):
        return None
    rows = [row for row in company.log["lead"] if row["lead_id"] == lead["lead_id"]]
    shown = next(row["_valid_from"] for row in rows if _shows(row))
    return shown if shown > rows[0]["_valid_from"] else lead["created_on"]


def _shows(lead: Row) -> bool:
    status = (lead["status"] or "").lower()
    stated = lead.get("converted_on") or lead.get("opportunity_id")
    return bool(stated) or status == "converted" or status in QUALIFIED


def _bookings(company: Company) -> Iterator[Event]:
    """The companies made up here book what they sign."""
    signed = sorted(
        (row for row in company.now("contract") if row["signed_on"] and row["signed_on"] <= company.as_of),
        key=lambda row: (row["signed_on"], row["contract_id"]),
    )
    customers = set()
    for row in signed:
        cents = _cents(company, row["amount"], row, row["signed_on"])
        cost = _cents(company, row["cost"], row, row["signed_on"])
        yield Event("bookings", row["owner_id"], row["signed_on"], cents)
        margin = None if cost is None or cents is None else cents - cost
        yield Event("margin", row["owner_id"], row["signed_on"], margin, counts=margin is not None)
        account = company.merged_accounts.get(row["account_id"], row["account_id"])
        if account and account not in customers:
            customers.add(account)
            yield Event("new_customers", row["owner_id"], row["signed_on"], 100)


def _cash(company: Company) -> Iterator[Event]:
    contracts = {row["contract_id"]: row for row in company.now("contract")}
    for row in company.now("payment"):
        contract = contracts.get(row["contract_id"], {})
        owner, signed = contract.get("owner_id"), contract.get("signed_on")
        paid = row["paid_amount"]
        if paid is None and row["paid_on"]:
            paid = row["amount"]
        came = row["paid_on"] or row["_valid_from"]
        if paid and came <= company.as_of:
            yield Event("cash_collected", owner, came, _cents(company, paid, row, came))
        if row["due_on"] and row["due_on"] <= company.as_of and signed and signed <= company.as_of:
            due = _cents(company, row["amount"], row, row["due_on"])
            yield Event("cash_due", owner, row["due_on"], due)
            in_time = paid is not None and (row["paid_on"] is None or row["paid_on"] <= company.as_of)
            taken = min(paid, row["amount"]) if in_time else Decimal(0)
            collected = _cents(company, taken, row, row["due_on"])
            yield Event("collection_rate", owner, row["due_on"], collected, due)


def _cents(company: Company, amount: Decimal | None, row: Mapping[str, Any], day: date) -> int | None:
    if amount is None:
        return None
    known = [rate for rate in company.log["fx_rate"] if rate["currency"] == row["currency"]]
    rate = [one["rate"] for one in known if one["valid_from"] <= day][-1] if known else Decimal(1)
    return int((amount * 100 * rate).to_integral_value(ROUND_HALF_UP))


def _distribution(company: Company) -> dict[Key, list[Event]]:
    """Of every month that has begun the stores at its end; of a longer period, those of its newest month."""
    found: dict[Key, list[Event]] = defaultdict(list)
    newest: dict[Period, date] = {}
    states = store_states(company)
    for month in states:
        for period in periods_of(company, month.start, KINDS):
            newest[period] = max(newest.get(period, month.start), month.start)
    for month, stores in states.items():
        seen_on = min(month.end, company.as_of)
        for owner, carries in stores:
            event = Event("numeric_distribution", owner, seen_on, 100 * carries, 100)
            for period in periods_of(company, month.start, KINDS):
                if newest[period] == month.start:
                    for node in _path(company, owner, seen_on):
                        found[(event.metric, period.kind, period.start, node)].append(event)
    return found

"""Stores and visits, counted store by store, as a person would do it with the rows at hand."""

from collections import defaultdict
from datetime import date
from fractions import Fraction
from typing import Any

from tests.reference.company import Company, Period, Row, dimension, nodes_of, periods_of

COUNTS = (
    *("stores", "stores_seen", "stores_carrying", "stores_visited", "store_visits", "visits_planned"),
    *("visits_planned_done", "sku_stocked", "sku_sold", "stores_counted", "units_opening", "units_received"),
    *("units_sold", "weight", "carrying"),
)


def channel(company: Company) -> dict[tuple[Any, ...], Row]:
    """Every row of mart_channel by its key."""
    cells: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0) | {"weighed": False})
    visits = sorted(
        (row for row in company.now("store_visit") if row["visited_on"] <= company.as_of),
        key=lambda row: (row["visited_on"], row["visit_id"]),
    )
    known = {row["store_id"]: row for row in company.log["store"]}
    periods = _periods(company, min((row["visited_on"] for row in visits if _is_done(row)), default=None))
    for store in known.values():
        mine = [row for row in visits if row["store_id"] == store["store_id"] and _is_done(row)]
        for period in periods:
            facts = _seen(company, store["store_id"], mine, period) | _found(mine, period)
            _add(cells, company, period, nodes_of(company, store), dimension(store["channel"]), facts)
    for visit in visits:
        if not visit["is_planned"]:
            continue
        store = known.get(visit["store_id"])
        owner = visit if visit["owner_id"] in company.path else store or {}
        for period in periods_of(company, visit["visited_on"], ("month", "quarter")):
            facts = {"visits_planned": 1, "visits_planned_done": int(_is_done(visit))}
            _add(
                cells,
                company,
                period,
                nodes_of(company, owner),
                dimension(store["channel"]) if store else "(none)",
                facts,
            )
    return {key: _row(facts) for key, facts in cells.items()}


def stores(company: Company) -> dict[tuple[Any, ...], Row]:
    """Every row of mart_store by store and first day of the month."""
    visits = sorted(
        (row for row in company.now("store_visit") if row["visited_on"] <= company.as_of),
        key=lambda row: (row["visited_on"], row["visit_id"]),
    )
    first = min((row["visited_on"] for row in visits if _is_done(row)), default=None)
    rows = {}
    for store in {row["store_id"]: row for row in company.log["store"]}.values():
        mine = [row for row in visits if row["store_id"] == store["store_id"]]
        months = {period for row in mine for period in periods_of(company, row["visited_on"], ("month",))}
        months |= {period for period in _periods(company, first) if period.kind == "month"}
        for month in months:
            seen = _seen(company, store["store_id"], [row for row in mine if _is_done(row)], month)
            inside = [row for row in mine if month.start <= row["visited_on"] <= month.end]
            if inside or (seen and first and month.end >= first):
                rows[(store["store_id"], month.start)] = _store(company, store, mine, month)
    return rows


def _store(company: Company, store: Row, visits: list[Row], month: Period) -> Row:
    """One store's month."""
    mine = [row for row in visits if _is_done(row)]
    seen, found = _seen(company, store["store_id"], mine, month), _found(mine, month)
    until = [row for row in mine if row["visited_on"] <= month.end]
    counted = [row for row in until if row["sku_stocked"] is not None]
    last_full = max((place for place, row in enumerate(counted) if row["sku_stocked"] > 0), default=None)
    empty_after = [] if last_full is None else counted[last_full + 1 :]
    inside = [row for row in mine if month.start <= row["visited_on"] <= month.end]
    both = [row for row in inside if row["sku_stocked"] is not None and row["sku_sold"] is not None]
    sold = [row for row in inside if row["units_sold"] is not None]
    planned = [row for row in visits if month.start <= row["visited_on"] <= month.end and row["is_planned"]]
    opening, received = found.get("units_opening"), sum(row["units_received"] or 0 for row in sold)
    units = sum(row["units_sold"] for row in sold)
    return {
        "name": store["name"],
        "channel": dimension(store["channel"]),
        "region": None,
        "city": None,
        "node_key": nodes_of(company, store)[0],
        "month_end_on": month.end,
        "is_in_universe": bool(seen),
        "weight": float(seen["weight"]) if seen and seen["weighed"] else None,
        "last_visited_on": until[-1]["visited_on"] if until else None,
        "is_carrying": bool(seen and seen["stores_carrying"]),
        "is_delisted": bool(empty_after) if counted else None,
        "delisted_on": empty_after[0]["visited_on"] if empty_after else None,
        "store_visits": len(inside),
        "visits_planned": len(planned),
        "visits_planned_done": sum(_is_done(row) for row in planned),
        "route_compliance": _rate(sum(_is_done(row) for row in planned), len(planned)),
        "sku_stocked": sum(row["sku_stocked"] for row in both) if both else None,
        "sku_sold": sum(row["sku_sold"] for row in both) if both else None,
        "sell_through_sku": _rate(sum(row["sku_sold"] for row in both), sum(row["sku_stocked"] for row in both)),
        "units_opening": opening,
        "units_received": received if sold else None,
        "units_sold": units if sold else None,
        "sell_through_units": None if opening is None else _rate(units, opening + received),
    }


def store_states(company: Company) -> dict[Period, list[tuple[str | None, int]]]:
    """Of every month the stores that were there at its end: whose each is, and 1 if it carried a product."""
    visits = sorted(
        (row for row in company.now("store_visit") if row["visited_on"] <= company.as_of and _is_done(row)),
        key=lambda row: (row["visited_on"], row["visit_id"]),
    )
    found: dict[Period, list[tuple[str | None, int]]] = defaultdict(list)
    for store in {row["store_id"]: row for row in company.log["store"]}.values():
        mine = [row for row in visits if row["store_id"] == store["store_id"]]
        for period in _periods(company, min((row["visited_on"] for row in visits), default=None)):
            if period.kind == "month":
                facts = _seen(company, store["store_id"], mine, period)
                found[period] += [(store["owner_id"], facts["stores_carrying"])] if facts else []
    return found


def _periods(company: Company, first: date | None) -> list[Period]:
    found = {period for period in periods_of(company, company.as_of, ("month", "quarter"))}
    day = company.as_of
    while first and day >= first.replace(day=1):
        found |= set(periods_of(company, day, ("month", "quarter")))
        day = date.fromordinal(day.toordinal() - 1)
    return sorted(found, key=lambda period: (period.kind, period.start))


def _seen(company: Company, store: str, mine: list[Row], period: Period) -> dict[str, Any]:
    """The store at the end of the period, if it was open then."""
    end = min(period.end, company.as_of)
    versions = [row for row in company.log["store"] if row["store_id"] == store]
    then = [row for row in versions if row["_valid_from"] <= end] or versions[:1]
    now = then[-1]
    if now.get("_change") == "deleted" or now["is_active"] is False or (now["opened_on"] and now["opened_on"] > end):
        return {}
    before = [row for row in mine if row["visited_on"] <= end]
    carries = bool(before and (before[-1]["sku_stocked"] or 0) > 0)
    weight = None if now["weight"] is None else Fraction(str(now["weight"]))
    return {
        "stores": 1,
        "stores_seen": int(bool(before)),
        "stores_carrying": int(carries),
        "weight": weight or 0,
        "weighed": weight is not None,
        "carrying": weight if carries and weight else 0,
    }


def _found(mine: list[Row], period: Period) -> dict[str, Any]:
    """What the visits of the period found at the store."""
    inside = [row for row in mine if period.start <= row["visited_on"] <= period.end]
    if not inside:
        return {}
    whole = [row for row in inside if row["sku_stocked"] is not None and row["sku_sold"] is not None]
    facts = {"stores_visited": 1, "store_visits": len(inside)}
    facts |= {
        "sku_stocked": sum(row["sku_stocked"] for row in whole),
        "sku_sold": sum(row["sku_sold"] for row in whole),
    }
    counted = [row for row in inside if row["units_sold"] is not None]
    opening = _opening(mine, counted[0]) if counted else None
    if opening is None:
        return facts
    received = sum(row["units_received"] or 0 for row in counted)
    sold = sum(row["units_sold"] for row in counted)
    return facts | {"stores_counted": 1, "units_opening": opening, "units_received": received, "units_sold": sold}


def _opening(mine: list[Row], visit: Row) -> int | None:
    place = mine.index(visit)
    if visit["units_opening"] is not None:
        return visit["units_opening"]
    if place and mine[place - 1]["units_on_hand"] is not None:
        return mine[place - 1]["units_on_hand"]
    if visit["units_on_hand"] is None:
        return None
    return max(0, visit["units_on_hand"] + visit["units_sold"] - (visit["units_received"] or 0))


def _is_done(visit: Row) -> bool:
    return visit["is_done"] is not False


def _add(cells: Any, company: Company, period: Period, nodes: Any, name: str, facts: dict[str, Any]) -> None:
    if not facts:
        return
    for node in nodes:
        for shown in (name, "all"):
            cell = cells[(period.kind, period.start, node, shown)]
            for key, value in facts.items():
                cell[key] = cell[key] or value if key == "weighed" else cell[key] + value


def _row(facts: dict[str, Any]) -> Row:
    whole = facts["weight"] if facts["weighed"] else 0
    rates = {
        "numeric_distribution": _rate(facts["stores_carrying"], facts["stores"]),
        "weighted_distribution": _rate(facts["carrying"], whole),
        "visits_per_store": _rate(facts["store_visits"], facts["stores"]),
        "route_compliance": _rate(facts["visits_planned_done"], facts["visits_planned"]),
        "sell_through_sku": _rate(facts["sku_sold"], facts["sku_stocked"]),
        "sell_through_units": _rate(facts["units_sold"], facts["units_opening"] + facts["units_received"]),
    }
    return {name: facts[name] for name in COUNTS[:-2]} | rates


def _rate(part: Any, whole: Any) -> float | None:
    return round(float(part / whole), 6) if whole else None

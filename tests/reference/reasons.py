"""Losses, objections and requirements, counted one by one, as a person would do it with the rows at hand."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil, sqrt
from typing import Any

from tests.reference.company import Company, Row, dimension, nodes_of, periods_of

Key = tuple[Any, ...]
OPEN_STAGES = ("qualification", "proposal", "negotiation")
PAIRS_OF_LOSSES = ((0, 1), (0, 2), (0, 3), (1, 2))
PAIRS_OF_OBJECTIONS = ((0, 1), (0, 2))
PAIRS_OF_REQUIREMENTS = ((0, 1), (0, 2))


def stays(company: Company, deal: str) -> list[tuple[str, date, date | None]]:
    """Stage, entry and leaving of each stay: the CRM's history tells all of it, or nothing, and then our nights do."""
    told = sorted((row for row in company.log["opportunity_history"] if row["opportunity_id"] == deal), key=_moment)
    if not told and company.deals[deal]["stage"] in OPEN_STAGES:
        return [(company.deals[deal]["stage"], company.deals[deal]["created_on"], None)]
    found = []
    for place, row in enumerate(told):
        if row["stage"] in OPEN_STAGES:
            left = told[place + 1]["changed_on"] if place + 1 < len(told) else None
            found.append((row["stage"], row["changed_on"], left))
    return found


def _is_entry_assumed(company: Company, deal: Row) -> bool:
    """Whether nobody saw the deal enter its stage: no history, and it was older than the night that first saw it."""
    name = deal["opportunity_id"]
    if any(row["opportunity_id"] == name for row in company.log["opportunity_history"]):
        return False
    first = next(row for row in company.log["opportunity"] if row["opportunity_id"] == name)
    return first["created_on"] < first["_valid_from"]


def losses(company: Company) -> dict[Key, Row]:
    """Every row of mart_loss by its key."""
    members: dict[Key, list[Row]] = defaultdict(list)
    for deal in company.deals.values():
        if deal["is_deleted"] or deal["stage"] != "lost":
            continue
        where = [stage for stage, _, _ in stays(company, deal["opportunity_id"])]
        stated = [dimension(deal.get(name)) for name in ("loss_reason", "competitor", "segment")]
        values = [where[-1] if where else "(unknown)", *stated]
        for period, node in product(
            periods_of(company, deal["closed_on"], ("month", "quarter", "year")), nodes_of(company, deal)
        ):
            pairs = () if period.kind == "month" else PAIRS_OF_LOSSES
            for cell in _cells(values, pairs):
                members[(period.kind, period.start, node, *cell)].append(deal)
    return {key: _loss(deals, members[(*key[:3], *("all",) * 4)]) for key, deals in members.items()}


def _loss(deals: list[Row], in_all: list[Row]) -> Row:
    amount = sum((deal["value"] for deal in deals), Decimal(0))
    whole = sum((deal["value"] for deal in in_all), Decimal(0))
    return {
        "losses": len(deals),
        "losses_without_amount": sum(deal["amount"] is None for deal in deals),
        "amount_lost": amount,
        "loss_share": round(len(deals) / len(in_all), 6),
        "loss_share_amount": round(float(amount) / float(whole), 6) if whole else None,
    }


def objections(company: Company) -> dict[Key, Row]:
    """Every row of mart_objection by its key."""
    members: dict[Key, list[Row]] = defaultdict(list)
    for row in company.now("objection"):
        if row["raised_on"] and row["raised_on"] > company.as_of:
            continue
        judged = row | {"deal": _deal(company, row), "outcome": row["outcome"] or "open"}
        values = [dimension(row.get(name)) for name in ("objection_type", "stage", "response")]
        for key in _keys(company, row["raised_on"], judged["deal"], values, PAIRS_OF_OBJECTIONS):
            members[key].append(judged)
    rows = {key: _objection(company, found) for key, found in members.items()}
    for key, row in rows.items():
        rivals = [
            other["resolved_share_low"] for at, other in rows.items() if at[:5] == key[:5] and _is_answer(at, other)
        ]
        better = sum(low > row["resolved_share_low"] for low in rivals) if _is_answer(key, row) else None
        row["response_rank"] = None if better is None else better + 1
    return rows


def _is_answer(key: Key, row: Row) -> bool:
    return key[5] not in ("all", "(none)") and row["n"] > 0


def _objection(company: Company, found: Sequence[Row]) -> Row:
    count = {outcome: sum(row["outcome"] == outcome for row in found) for outcome in ("resolved", "lost", "open")}
    n = count["resolved"] + count["lost"]
    settled, waiting = [], []
    for row in found:
        if row["outcome"] == "open":
            waiting += [(company.as_of - row["raised_on"]).days] if row["raised_on"] else []
        elif row["raised_on"] and row["resolved_on"] and row["resolved_on"] <= company.as_of:
            settled.append(max(0, (row["resolved_on"] - row["raised_on"]).days))
    low, high = _wilson(count["resolved"], n) if n else (None, None)
    return {
        "objections": len(found),
        "resolved": count["resolved"],
        "lost": count["lost"],
        "still_open": count["open"],
        "n": n,
        "resolved_share": round(count["resolved"] / n, 6) if n else None,
        "resolved_share_low": low,
        "resolved_share_high": high,
        "settle_median_days": _lasts([(days, True) for days in settled] + [(days, False) for days in waiting], 2),
        "settle_p80_days": _lasts([(days, True) for days in settled] + [(days, False) for days in waiting], 5),
        "n_settled_dated": len(settled),
        "n_open_dated": len(waiting),
        "open_median_days": _median(waiting),
        **_deals(found, "objection_win_rate"),
    }


def requirements(company: Company) -> dict[Key, Row]:
    """Every row of mart_requirement_outcome by its key."""
    members: dict[Key, list[Row]] = defaultdict(list)
    for row in company.now("requirement"):
        on = row["confirmed_on"] if row["confirmed_on"] and row["confirmed_on"] <= company.as_of else None
        judged = row | {"deal": _deal(company, row), "confirmed_on": on, "stay": None}
        for stay in stays(company, judged["deal"]["opportunity_id"]) if judged["deal"] and on else ():
            if stay[1] <= on and (stay[2] is None or on < stay[2]):
                judged["stay"] = stay
                judged["is_assumed"] = _is_entry_assumed(company, judged["deal"])
        stage = judged["stay"][0] if judged["stay"] else "(none)"
        values = [dimension(row["requirement_type"]), dimension(row["priority"]), stage]
        for key in _keys(company, on, judged["deal"], values, PAIRS_OF_REQUIREMENTS):
            members[key].append(judged)
    return {key: _requirement(company, found) for key, found in members.items()}


def _requirement(company: Company, found: Sequence[Row]) -> Row:
    seen = [row["stay"] for row in found if row["stay"] and not row["is_assumed"]]
    dwell = [(((left or company.as_of) - entered).days, left is not None) for _, entered, left in seen]
    to_win = [
        (row["deal"]["closed_on"] - row["confirmed_on"]).days
        for row in found
        if row["deal"] and row["deal"]["stage"] == "won" and row["confirmed_on"]
    ]
    to_win = [days for days in to_win if days >= 0]
    deals = _deals(found, "requirement_win_rate")
    return {
        "requirements": len(found),
        "confirmed": sum(row["confirmed_on"] is not None for row in found),
        **deals,
        "deals_open": deals["deals"] - deals["deals_won"] - deals["deals_lost"],
        "confirmed_stage_median_days": _lasts(dwell, 2),
        "confirmed_stage_p80_days": _lasts(dwell, 5),
        "n_confirmed_stage": sum(ended for _, ended in dwell),
        "n_confirmed_stage_open": sum(not ended for _, ended in dwell),
        "confirmed_to_win_median_days": _median(to_win),
        "n_confirmed_to_win": len(to_win),
    }


def _deal(company: Company, row: Row) -> Row | None:
    stated = row.get("opportunity_id")
    deal = company.deals.get(company.merged_into.get(stated, stated))
    return None if deal is None or deal["is_deleted"] else deal


def _deals(found: Sequence[Row], rate: str) -> Row:
    deals = {row["deal"]["opportunity_id"]: row["deal"]["stage"] for row in found if row["deal"]}
    won, lost = sum(stage == "won" for stage in deals.values()), sum(stage == "lost" for stage in deals.values())
    share = round(won / (won + lost), 6) if won + lost else None
    return {"deals": len(deals), "deals_won": won, "deals_lost": lost, rate: share}


def _keys(company: Company, on: date | None, deal: Row | None, values: list[str], pairs: Any) -> list[Key]:
    periods = [(period.kind, period.start) for period in periods_of(company, on, ("quarter", "year"))] if on else []
    nodes = nodes_of(company, deal or {})
    return [
        (*period, node, *cell)
        for period in [*periods, ("all", None)]
        for node in nodes
        for cell in _cells(values, pairs)
    ]


def _cells(values: Sequence[str], pairs: Sequence[tuple[int, int]]) -> list[tuple[str, ...]]:
    kept = [(), *((place,) for place in range(len(values))), *pairs]
    return [tuple(value if place in some else "all" for place, value in enumerate(values)) for some in kept]


def _median(values: Sequence[int]) -> int | None:
    return sorted(values)[ceil(Fraction(len(values), 2)) - 1] if values else None


def _lasts(lengths: Sequence[tuple[int, bool]], part: int) -> int | None:
    """Kaplan and Meier: the first length after which at most one of `part` still lasts; True for one that has ended."""
    lasting = Fraction(1)
    for length in sorted({length for length, _ in lengths}):
        at_risk = sum(other >= length for other, _ in lengths)
        lasting *= 1 - Fraction(sum(other == length and ended for other, ended in lengths), at_risk)
        if lasting <= Fraction(1, part):
            return length
    return None


def _wilson(successes: int, trials: int) -> tuple[float, float]:
    z, share = 1.959964, successes / trials
    centre, half = share + z**2 / (2 * trials), z * sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return round((centre - half) / (1 + z**2 / trials), 6), round((centre + half) / (1 + z**2 / trials), 6)


def _moment(row: Row) -> Any:
    return row["changed_at"]

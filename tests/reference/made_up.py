"""A made-up company by chance: every kind of row that these marts read, with what goes wrong in real exports."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.reference.company import Company, Row

AS_OF = date(2024, 11, 20)
START = date(2023, 7, 3)
KEYS = {
    "user": "user_id",
    "lead": "lead_id",
    "activity": "activity_id",
    "initiative": "initiative_id",
    "opportunity": "opportunity_id",
    "opportunity_history": "history_id",
    "objection": "objection_id",
    "requirement": "requirement_id",
    "store": "store_id",
    "store_visit": "visit_id",
    "account": "account_id",
    "contract": "contract_id",
    "payment": "payment_id",
    "fx_rate": "valid_from",
}
USERS = [
    {"user_id": "boss", "name": "老板", "role": "leader"},
    {"user_id": "mia", "name": "Mia", "role": "manager", "region": "华东", "team": "一队", "manager_id": "boss"},
    {"user_id": "ann", "name": "Ann", "role": "rep", "region": "华东", "team": "一队", "manager_id": "mia"},
    {
        **{"user_id": "bob", "name": "Bob", "role": "rep", "region": "华北", "manager_id": "boss"},
        "_valid_from": date(2024, 1, 15),
    },
    {
        **{"user_id": "bob", "name": "Bob", "role": "rep", "region": "华东", "team": "二队", "manager_id": "boss"},
        **{"_change": "changed", "_valid_from": date(2024, 6, 12)},
    },
    {"user_id": "cai", "name": "蔡", "role": "rep", "region": "华北", "manager_id": "boss"},
    {"user_id": "dee", "name": "Dee", "role": "rep"},
]
PATH = {
    "boss": ("rep:boss", "company"),
    "mia": ("rep:mia", "team:华东/一队", "region:华东", "company"),
    "ann": ("rep:ann", "team:华东/一队", "region:华东", "company"),
    "bob": ("rep:bob", "team:华东/二队", "region:华东", "company"),
    "cai": ("rep:cai", "region:华北", "company"),
    "dee": ("rep:dee", "company"),
}
OWNERS = (*PATH, "gone", None)


def company(seed: int, leads: int = 150) -> Company:
    """Deals, leads and all else of one seed."""
    random = Random(seed)
    deals = [_deal(random, number) for number in range(leads)]
    merged = {row["opportunity_id"]: "o-000" for row in deals if row.get("merged_into_id")}
    log: dict[str, list[Row]] = {"user": USERS, "opportunity": deals}
    log["opportunity"] += [
        row | {"_change": "deleted", "_valid_from": AS_OF} for row in deals[1:] if random.random() < 0.05
    ]
    log["lead"] = [row for number in range(leads) for row in _lead(random, number, leads)]
    log["activity"] = [_activity(random, number, leads) for number in range(leads)]
    log["opportunity_history"] = [row for deal in deals for row in _history(random, deal)]
    log["objection"] = [_objection(random, number, leads) for number in range(leads)]
    log["requirement"] = [_requirement(random, number, leads) for number in range(leads)]
    log["store"] = [row for number in range(leads // 5) for row in _store(random, number)]
    log["store_visit"] = [_visit(random, number, leads // 5) for number in range(leads * 2)]
    log["initiative"] = [_budget(random, number) for number in range(6)]
    fiscal_start = random.choice([1, 2, 4])
    log["account"] = [
        {
            "account_id": f"c-{number}",
            "name": "客户",
            "merged_into_id": "c-0" if number == 1 else None,
            "_valid_from": AS_OF,
        }
        for number in range(9)
    ]
    log["contract"] = [_contract(random, number) for number in range(leads // 3)]
    log["payment"] = [_payment(random, number, leads // 3) for number in range(leads)]
    log["fx_rate"] = [
        {"currency": "USD", "valid_from": day, "rate": Decimal(rate), "_valid_from": AS_OF}
        for day, rate in ((date(2021, 1, 1), "7.10000000"), (date(2024, 2, 7), "7.23450000"))
    ]
    holidays = frozenset({date(2024, 5, 1)})
    return Company(AS_OF, log, KEYS, PATH, merged, fiscal_start, holidays, {"c-1": "c-0"})


def _day(random: Random, last: date = AS_OF) -> date:
    return START + timedelta(random.randrange((last - START).days + 1))


def _moment(random: Random, day: date) -> datetime:
    return datetime.combine(day, time(random.randrange(24), random.randrange(60), random.randrange(60)))


def _money(random: Random) -> Decimal:
    """Of a company that counts in billions (rupiah, dong, won) one in three: there products of 64 bits end."""
    return Decimal(random.randrange(1, 10 ** random.choice([6, 7, 13]))) / 100


def _deal(random: Random, number: int) -> Row:
    created = _day(random)
    stage = random.choice(["qualification", "proposal", "negotiation", "won", "won", "lost", "lost"])
    row: Row = {"opportunity_id": f"o-{number:03d}", "owner_id": random.choice(OWNERS), "stage": stage}
    row |= {"amount": _money(random) if random.random() < 0.9 else None}
    row |= {"created_on": created, "created_at": _moment(random, created), "_valid_from": AS_OF - timedelta(1)}
    row |= {"segment": random.choice(["A", "B", None])}
    if stage in ("won", "lost"):
        row |= {"closed_on": min(AS_OF, created + timedelta(random.randrange(200)))}
    if stage == "lost":
        row |= {"loss_reason": random.choice(["价格", "竞争对手", "all", None])}
        row |= {"competitor": random.choice(["远图软件", "Stratia", None])}
    if number and random.random() < 0.04:
        row |= {"merged_into_id": "o-000"}
    return row


def _history(random: Random, deal: Row) -> list[Row]:
    """All that happened to a deal, from its creation to the stage in which it stands; of some, nothing is recorded."""
    closed = deal["stage"] in ("won", "lost")
    if random.random() < 0.1:
        return []
    last = deal["closed_on"] if closed else min(AS_OF, deal["created_on"] + timedelta(random.randrange(60)))
    between = sorted(
        random.sample(range((last - deal["created_on"]).days + 1), min(3, (last - deal["created_on"]).days))
    )
    days = [deal["created_on"], *(deal["created_on"] + timedelta(number) for number in between if number)]
    stages = [random.choice(["qualification", "proposal", "negotiation", "lost"]) for _ in days]
    stages[0] = "qualification"
    told = [(day, stage) for day, stage in zip(days, stages, strict=True) if day < last]
    told.append((last, deal["stage"]))
    told = [step for place, step in enumerate(told) if not place or step[1] != told[place - 1][1]]
    name = deal["opportunity_id"]
    return [
        {
            "history_id": f"{name}-{place}",
            "opportunity_id": name,
            "changed_at": datetime.combine(day, time(1, 0, place)),
            "changed_on": day,
            "stage": stage,
            "_valid_from": AS_OF,
        }
        for place, (day, stage) in enumerate(told)
    ]


def _contract(random: Random, number: int) -> Row:
    row: Row = {"contract_id": f"k-{number:03d}", "owner_id": random.choice(OWNERS), "_valid_from": AS_OF}
    row |= {"account_id": random.choice([None, *(f"c-{number}" for number in range(9))])}
    row |= {"amount": _money(random), "currency": random.choice(["CNY", "USD"])}
    row |= {"cost": random.choice([None, _money(random)])}
    return row | {"signed_on": _day(random, AS_OF + timedelta(9)) if random.random() < 0.9 else None}


def _payment(random: Random, number: int, contracts: int) -> Row:
    amount = _money(random)
    row: Row = {"payment_id": f"p-{number:03d}", "contract_id": f"k-{random.randrange(int(contracts * 1.1)):03d}"}
    row |= {"amount": amount, "currency": random.choice(["CNY", "USD"]), "_valid_from": AS_OF - timedelta(number % 40)}
    row |= {"due_on": _day(random, AS_OF + timedelta(30)) if random.random() < 0.9 else None}
    row |= {"paid_on": _day(random, AS_OF + timedelta(5)) if random.random() < 0.6 else None}
    return row | {"paid_amount": random.choice([None, amount, Decimal(int(amount)), amount * 2, Decimal(0)])}


def _objection(random: Random, number: int, deals: int) -> Row:
    raised = _day(random, AS_OF + timedelta(5)) if random.random() < 0.9 else None
    row: Row = {"objection_id": f"x-{number:03d}", "opportunity_id": f"o-{random.randrange(int(deals * 1.1)):03d}"}
    row |= {"objection_type": random.choice(["价格太高", "缺少案例"]), "raised_on": raised, "_valid_from": AS_OF}
    row |= {"stage": random.choice(["proposal", "negotiation", None])}
    row |= {"response": random.choice(["测算", "演示", "会面", None])}
    row |= {"outcome": random.choice(["resolved", "resolved", "open", "lost", None]), "resolved_on": None}
    if raised and random.random() < 0.7:
        row |= {"resolved_on": raised + timedelta(random.randrange(-3, 60))}
    return row


def _requirement(random: Random, number: int, deals: int) -> Row:
    row: Row = {"requirement_id": f"r-{number:03d}", "_valid_from": AS_OF}
    row |= {"opportunity_id": f"o-{random.randrange(int(deals * 1.1)):03d}" if random.random() < 0.9 else None}
    row |= {
        "requirement_type": random.choice(["功能需求", "集成需求", None]),
        "priority": random.choice(["高", "低", None]),
    }
    return row | {"confirmed_on": _day(random, AS_OF + timedelta(5)) if random.random() < 0.9 else None}


def _store(random: Random, number: int) -> list[Row]:
    row: Row = {"store_id": f"s-{number:03d}", "name": "店", "_valid_from": AS_OF - timedelta(120)}
    row |= {"channel": random.choice(["大卖场", "夫妻店", "all", None]), "owner_id": random.choice(OWNERS)}
    row |= {"weight": random.choice([None, random.randrange(1, 1000) / 10_000])}
    row |= {"opened_on": random.choice([None, _day(random)]), "is_active": random.choice([True, True, None])}
    rows = [row]
    if random.random() < 0.3:
        more: Row = random.choice([{"is_active": False}, {"weight": 0.5, "owner_id": "cai"}, {"_change": "deleted"}])
        rows.append(row | {"_change": "changed"} | more | {"_valid_from": AS_OF - timedelta(random.randrange(110))})
    return rows


def _visit(random: Random, number: int, stores: int) -> Row:
    row: Row = {"visit_id": f"v-{number:04d}", "store_id": f"s-{random.randrange(int(stores * 1.1)):03d}"}
    row |= {"owner_id": random.choice(OWNERS), "visited_on": _day(random, AS_OF + timedelta(5)), "_valid_from": AS_OF}
    row |= {"is_planned": random.choice([True, True, False, None]), "is_done": random.choice([True, True, False, None])}
    for name in ("sku_stocked", "sku_sold", "units_opening", "units_received", "units_sold", "units_on_hand"):
        row |= {name: None if random.random() < (0.8 if name == "units_opening" else 0.2) else random.randrange(9)}
    return row


def _lead(random: Random, number: int, deals: int) -> list[Row]:
    created = _day(random, AS_OF + timedelta(5))
    at = _moment(random, created)
    row: Row = {
        "lead_id": f"l-{number:03d}",
        "created_at": at,
        "created_on": created,
        "_valid_from": AS_OF - timedelta(1),
    }
    row |= {
        "source": random.choice(["官网", "展会", "all", None]),
        "quality": random.choice(["high", "medium", "low", None]),
    }
    row |= {"industry": random.choice(["制造业", "零售"]), "segment": random.choice(["A", "B", None])}
    row |= {"owner_id": random.choice(OWNERS)}
    row |= {"status": random.choice(["New", "Converted", "disqualified", "无效", "合格", None])}
    if random.random() < 0.5:
        touch = at + timedelta(minutes=random.choice([random.randrange(-90, 500), random.randrange(30_000)]))
        row |= {"first_touch_at": touch, "first_touch_on": touch.date()}
    if random.random() < 0.4:
        row |= {"opportunity_id": f"o-{random.randrange(int(deals * 1.1)):03d}"}
    if random.random() < 0.4:
        converted = at + timedelta(days=random.choice([random.randrange(-2, 40), random.randrange(150)]))
        row |= {"converted_at": converted, "converted_on": converted.date()}
    rows = [row]
    if random.random() < 0.2:
        rows.append(row | {"source": "转介绍", "_change": random.choice(["changed", "deleted"]), "_valid_from": AS_OF})
    return rows


def _activity(random: Random, number: int, leads: int) -> Row:
    day = _day(random, AS_OF + timedelta(3))
    row: Row = {
        "activity_id": f"a-{number:03d}",
        "activity_type": random.choice(["call", "Mail"]),
        "occurred_on": day,
        "_valid_from": AS_OF,
    }
    row |= {"occurred_at": _moment(random, day), "owner_id": random.choice(OWNERS)}
    return row | ({"lead_id": f"l-{random.randrange(leads):03d}"} if random.random() < 0.8 else {})


def _budget(random: Random, number: int) -> Row:
    first = _day(random)
    row: dict[str, Any] = {"initiative_id": f"i-{number}", "action": "a", "_valid_from": AS_OF}
    row |= {
        "lead_source": random.choice(["官网", "展会", "直播", "all", None]),
        "budget": _money(random),
    }
    row |= {"starts_on": random.choice([first, None]), "due_on": first + timedelta(random.randrange(200))}
    return row

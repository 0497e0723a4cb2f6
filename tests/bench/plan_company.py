"""A company of thousands of reps, made from the generated benchmark data: their deals, their plan, how they are paid.

The generator always writes 500 users. Here its deals, with their activities, leads and money, are handed to as many
reps as are asked for, some busier than others; teams of ten and regions of 25 teams have a head each. The fiscal year
begins in February, so that on the data's last day months, a quarter and the year are at different shares.
"""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.model import Plan
from flows.planning.files.plan_yaml import plan_text

DEALS_A_REP = 200
"""Over the three years of the data; 67 a year, of which about a quarter is won."""
REPS_A_TEAM, TEAMS_A_REGION = 10, 25
FISCAL, YEAR = FiscalCalendar(start_month=2), 2025
METRICS = ("bookings", "won_count", "cash_collected", "created_count", "leads", "activities")
YEARLY = {
    "bookings": 350_000,
    "won_count": 17,
    "cash_collected": 300_000,
    "created_count": 66,
    "leads": 130,
    "activities": 330,
}
"""What a rep brings in a year, about."""
_HEADS = {"opportunities": "opportunity_id", "activities": "opportunity_id"}


def scale_of(reps: int) -> float:
    """Millions of deals for so many reps."""
    return reps * DEALS_A_REP / 1_000_000


def write_data(generated: Path, data: Path, reps: int) -> None:
    """The generated files, with the deals in other hands."""
    data.mkdir(parents=True, exist_ok=True)
    for path in generated.glob("*.parquet"):
        if path.stem not in (*_HEADS, "leads", "users", "targets"):
            (data / path.name).hardlink_to(path)
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = '3GB'; set threads = 2; set preserve_insertion_order = true")
        for name, key in _HEADS.items():
            _copy(connection, generated, data, name, f"* replace ({_owner(key, reps)} as owner_id)")
        lead = "coalesce(converted_opportunity_id, cast(created_at as varchar))"
        _copy(connection, generated, data, "leads", f"* replace ({_owner(lead, reps)} as owner_id)")
    columns = ("owner_id", "name", "role", "region", "team", "since")
    pl.DataFrame(_users(reps), schema=columns, orient="row", infer_schema_length=None).write_parquet(
        data / "users.parquet"
    )


def _copy(connection: duckdb.DuckDBPyConnection, generated: Path, data: Path, name: str, columns: str) -> None:
    file = f"{name}.parquet"
    connection.execute(f"copy (select {columns} from '{generated / file}') to '{data / file}' (format parquet)")


def _owner(key: str, reps: int) -> str:
    """The same rep for the same key; the busiest have about three times what the quietest have."""
    share = f"(hash({key}) % 1000003) / 1000003.0"
    return f"printf('u%05d', cast(floor({reps} * pow({share}, 1.3)) as integer))"


def place_of(rep: int) -> tuple[str, str]:
    """Region and team."""
    team = rep // REPS_A_TEAM
    return f"R{team // TEAMS_A_REGION:02}", f"T{team:03}"


def _users(reps: int) -> list[tuple[Any, ...]]:
    users: list[tuple[Any, ...]] = [("head", "Head", "leader", None, None, None)]
    for rep in range(reps):
        region, team = place_of(rep)
        if rep % (REPS_A_TEAM * TEAMS_A_REGION) == 0:
            users.append((f"l-{region}", f"Leader {region}", "leader", region, None, None))
        if rep % REPS_A_TEAM == 0:
            users.append((f"m-{team}", f"Manager {team}", "manager", region, team, None))
        users.append((f"u{rep:05}", f"Rep {rep}", "rep", region, team, _hired_on(rep)))
    return users


def _hired_on(rep: int) -> date | None:
    """Each seventh is new in the planned year."""
    months = FISCAL.periods(YEAR, "month")
    return months[rep % len(months)].start_on + timedelta(days=14) if rep % 7 == 0 else None


def write_config(template: Path, folder: Path, data: Path, reps: int) -> None:
    """The benchmark's configuration, without the generator's targets and with the plan."""
    (folder / "plans").mkdir(parents=True, exist_ok=True)
    for name in ("alerts.yaml", "stages.yaml"):
        (folder / name).write_bytes((template / name).read_bytes())
    settings = yaml.safe_load((template / "settings.yaml").read_text(encoding="utf-8"))
    settings["fiscal_year_start_month"] = FISCAL.start_month
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    sources = yaml.safe_load((template / "sources.yaml").read_text(encoding="utf-8"))["sources"]
    del sources["targets"]
    columns = ("name", "role", "region", "team")
    sources["users"] |= {
        "columns": {"user_id": "owner_id", "hired_on": "since", **{column: column for column in columns}},
        "ignore": [],
    }
    (folder / "sources.yaml").write_text(yaml.safe_dump({"sources": sources}), encoding="utf-8")
    (folder / "plans" / f"{YEAR}.yaml").write_text(plan_text(plan_of(data, reps), "en"), encoding="utf-8")


def plan_of(data: Path, reps: int) -> Plan:
    """Six metrics; a version for the year, another one for its second half; rules for everybody; splits and draws."""
    months = FISCAL.periods(YEAR, "month")
    targets = [
        {
            "metric": metric,
            "base": YEARLY[metric] * reps,
            "stretch_ratio": "1.1",
            "dri": "head",
            "due_on": months[-1].end_on,
        }
        for metric in METRICS
    ]
    first = {
        "id": "2025-annual",
        "effective_on": months[0].start_on,
        "decided_by": "head",
        "reason": "annual plan",
        "people": [_person(rep) for rep in range(reps)],
        "ramps": [{"id": "new", "shares": ["0.25", "0.5", "0.75"]}],
        "seasonality": {"by": "history", "years": 2},
        "targets": targets,
        "pins": [
            {"metric": "bookings", "node": f"rep:u{rep:05}", "period": "Q3", "base": 70_000, "reason": "key account"}
            for rep in range(1, reps, 3 * REPS_A_TEAM)
        ],
        "incentives": RULES,
        "splits": _splits(data),
        "draws": [
            {"user_id": f"u{rep:05}", "monthly": 4_000, "from_on": _hired_on(rep), "until_on": months[-1].end_on}
            for rep in range(0, reps, 7)
        ],
    }
    second = {
        "id": "2025-second-half",
        "effective_on": months[6].start_on,
        "decided_by": "head",
        "reason": "more bookings in the second half",
        "targets": [{"metric": "bookings", "base": Decimal("1.05") * YEARLY["bookings"] * reps}],
    }
    return Plan.model_validate({"year": YEAR, "versions": [first, second]})


def _person(rep: int) -> dict[str, Any]:
    region, team = place_of(rep)
    person: dict[str, Any] = {
        "user_id": f"u{rep:05}",
        "region": region,
        "team": team,
        "active_share": "0.9",
        "potential": str(1 + rep % 4 / 8),
    }
    hired_on = _hired_on(rep)
    if hired_on is not None:
        person |= {"hired_on": hired_on, "ramp": "new"}
    return person


def _splits(data: Path) -> list[dict[str, Any]]:
    """Every twentieth deal won in the year is shared with the rep who has the one before it."""
    year = FISCAL.periods(YEAR, "year")[0]
    with duckdb.connect() as connection:
        found = connection.execute(
            f"""
            with won as (
                select opportunity_id, owner_id, lag(owner_id) over (order by opportunity_id) as other,
                    row_number() over (order by opportunity_id) as place
                from '{data / "opportunities.parquet"}'
                where is_won and closed_at between ? and ?
            )
            select opportunity_id, other from won where place % 20 = 0 and other <> owner_id order by opportunity_id
            """,
            [year.start_on, year.end_on],
        ).fetchall()
    return [
        {"record_id": deal, "user_id": other, "share": "0.3", "reason": "worked on it together"}
        for deal, other in found
    ]


RULES: list[dict[str, Any]] = [
    {
        "id": "commission",
        "name_en": "Commission",
        "name_zh": "签约提成",
        "metric": "bookings",
        "tiers": [
            {"at_least": 0, "rate": "0.02"},
            {"at_least": "0.8", "rate": "0.03"},
            {"at_least": 1, "rate": "0.045"},
            {"at_least": "1.2", "rate": "0.06"},
        ],
        "cap": 50_000,
    },
    {
        "id": "deals",
        "name_en": "Deals won",
        "name_zh": "赢单奖",
        "kind": "kicker",
        "metric": "won_count",
        "period": "month",
        "per_unit": 100,
        "conditions": [{"metric": "bookings", "attainment_at_least": "0.5"}],
    },
    {
        "id": "cash",
        "name_en": "Cash bonus",
        "name_zh": "回款奖金",
        "kind": "bonus",
        "metric": "cash_collected",
        "roles": ["rep", "manager", "leader"],
        "target_pay": 3_000,
        "tiers": [{"at_least": "0.8", "rate": "0.5"}, {"at_least": 1, "rate": 1}, {"at_least": "1.1", "rate": "1.3"}],
    },
    {
        "id": "team",
        "name_en": "Team commission",
        "name_zh": "团队提成",
        "metric": "bookings",
        "roles": ["manager", "leader"],
        "tier_mode": "whole",
        "tiers": [{"at_least": "0.7", "rate": "0.001"}, {"at_least": 1, "rate": "0.002"}],
    },
]
"""Tiers with accelerators and a cap, a kicker with a condition, a bonus for every role, a rule for who leads."""

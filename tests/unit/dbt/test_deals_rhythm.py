"""Health of deals and rhythm of reps of random companies: equal to a slow reference, to the day and the deal."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dbt_fixture import calendar_rows, failures, hygiene_rows, query, run_dbt, without_rows, write_build
from tests.reference.deals import GONE, LOST, WON, Chance, Deal, Past, RepWeek, Said, Stay, p80, rep_weeks, stays

STAGE = {1: "qualification", 2: "proposal", 3: "negotiation", WON: "won", LOST: "lost"}
REPS = ("ann", "bob", "cat", "dan", "left")
SEGMENTS = ("big", "small")
HOLIDAYS = [date(2024, 5, day) for day in (1, 2, 3)]
WORKED = [date(2024, 5, 11)]
MIN_N, NO_TOUCH, MAX_DAYS = 5, 7, 20


def company(seed: int, number: int) -> tuple[date, list[Deal]]:
    """Deals that go forward, skip, go back, change hands, close, are reopened, deleted, restored or merged."""
    random = Random(seed)
    as_of = date(2024, 5, 13) + timedelta(random.randrange(120))
    deals = [_deal(random, f"deal-{n:04d}", as_of) for n in range(number)]
    there = [deal.key for deal in deals if not deal.is_gone]
    for deal in deals:
        if deal.is_gone and random.random() < 0.5:
            deal.into = random.choice(there)
    return as_of, deals


def _deal(random: Random, key: str, as_of: date) -> Deal:
    day = as_of - timedelta(random.randrange(400))
    said = [Said(day, random.choice((1, 1, 1, 2)), random.choice(REPS))]
    while random.random() < 0.9:
        day += timedelta(random.choice((0, 1, 3, 9, 20, 45)))
        if day > as_of:
            break
        stage, rep = said[-1].stage, said[-1].rep
        kind = random.random()
        if stage >= WON:
            if kind > 0.1:
                break
            stage = random.choice((1, 2))
        elif kind < 0.5:
            stage = min(stage + random.choice((1, 1, 2)), WON)
        elif kind < 0.65:
            stage = LOST
        elif kind < 0.75:
            stage = max(1, stage - 1)
        if random.random() < 0.15:
            rep = random.choice(REPS)
        said.append(Said(day, stage, rep))
    if random.random() < 0.15 and said[-1].day < as_of:
        said += _gone(random, said[-1], as_of)
    touches = [said[0].day + timedelta(random.randrange(200)) for _ in range(random.randrange(4))]
    expected = random.choice((None, as_of + timedelta(random.randrange(-30, 60))))
    step = random.choice((None, "  ", "call", "call"))
    return Deal(key, random.choice(SEGMENTS), random.randrange(0, 9) * 10_000, said, touches, step, expected)


def _gone(random: Random, before: Said, as_of: date) -> list[Said]:
    """Its record goes, and may come back as it was."""
    on = before.day + timedelta(1 + random.randrange((as_of - before.day).days))
    if random.random() < 0.6 or on == as_of:
        return [Said(on, GONE, before.rep)]
    back_on = on + timedelta(1 + random.randrange((as_of - on).days))
    return [Said(on, GONE, before.rep), Said(back_on, before.stage, before.rep)]


def night(folder: Path, as_of: date, deals: list[Deal]) -> Path:
    """The company's build."""
    users = [{"user_id": rep, "name": rep, "role": "rep", "is_active": rep != "left"} for rep in REPS]
    log: dict[str, list] = {"user": users, "opportunity": [], "opportunity_history": [], "activity": []}
    for deal in deals:
        first, now = deal.told[0], deal.told[-1]
        record = {
            "opportunity_id": deal.key, "segment": deal.segment, "stage": STAGE[now.stage], "owner_id": now.rep,
            "amount": Decimal(deal.cents) / 100, "created_at": datetime.combine(first.day, time(1)),
            "created_on": first.day, "closed_on": _since(deal) if now.stage >= WON else None,
            "next_step": deal.next_step, "expected_close_on": deal.expected_on,
        }  # fmt: skip
        log["opportunity"].append(record | ({"_valid_from": deal.recorded[-1].day} if deal.gone_on else {}))
        if deal.gone_on:
            end = {"_change": "changed", "merged_into_id": deal.into} if deal.into else {"_change": "deleted"}
            log["opportunity"].append(record | end | {"_valid_from": deal.gone_on})
            if not deal.is_gone:
                log["opportunity"].append(record | {"_valid_from": now.day})
        for number, said in enumerate(deal.recorded):
            at = datetime.combine(said.day, time(1, number))
            row = {"history_id": f"{number:03d}", "changed_at": at, "changed_on": said.day, "stage": STAGE[said.stage]}
            log["opportunity_history"].append(
                row | {"opportunity_id": deal.key, "owner_id": said.rep, "amount": Decimal(deal.cents) / 100}
            )
        for number, day in enumerate(deal.touches):
            row = {"activity_id": f"{deal.key}-{number}", "activity_type": "call", "owner_id": REPS[number]}
            at = datetime.combine(day, time(2))
            log["activity"].append(row | {"opportunity_id": deal.key, "occurred_at": at, "occurred_on": day})
    usual = {"dwell_min_n": MIN_N, "no_touch_working_days": NO_TOUCH}
    inputs = {
        "calendar": calendar_rows(as_of, HOLIDAYS, WORKED),
        "hygiene_rule": hygiene_rows(
            **{stage: usual for stage in ("", "qualification", "proposal")}, negotiation=usual | {"max_days": MAX_DAYS}
        ),
    }
    write_build(folder, as_of=as_of, log=log, inputs=inputs)
    assert failures(run_dbt(folder, "run", "--select", "+mart_deal_health", "+mart_rep_rhythm", "+mart_rep_load")) == []
    return folder


def _since(deal: Deal) -> date:
    """First day of the state that holds tonight, or did when the deal went."""
    return [stay for stay in _runs(deal)][-1][1]


def _runs(deal: Deal) -> list[tuple[int, date]]:
    runs: list[tuple[int, date]] = []
    for said in deal.told:
        if not runs or runs[-1][0] != said.stage:
            runs.append((said.stage, said.day))
    return runs


def check(folder: Path, seed: int, number: int) -> None:
    as_of, deals = company(seed, number)
    build = night(folder, as_of, deals)
    _check_health(build, as_of, deals)
    _check_rhythm(build, as_of, deals)


def _check_health(build: Path, as_of: date, deals: list[Deal]) -> None:
    seen = [stay for deal in deals for stay in stays(deal)]
    there = [deal for deal in deals if not deal.is_gone]
    past = [stay for deal in there for stay in stays(deal)]
    lives = [
        Stay(0, d.segment, d.said[0].day, None if d.is_open else _since(d), _since(d) if d.now.stage == WON else None)
        for d in there
    ]
    touches = {deal.key: list(deal.touches) for deal in deals}
    for deal in deals:
        if deal.into:
            touches[deal.into] += deal.touches
    ends = _ends(as_of + timedelta(1))
    horizons = {kind: (end - as_of).days for kind, end in ends.items()}
    known = {
        (kind, stage): Past([s for s in past if s.stage == stage] if stage else lives, left, as_of)
        for kind, left in horizons.items()
        for stage in (0, 1, 2, 3)
    }
    expected = {}
    for deal in deals:
        if not deal.is_open:
            continue
        entered = [stay for stay in stays(deal) if stay.left is None][0].entered
        limit, basis = _limit(seen, deal, as_of)
        touched = max((day for day in touches[deal.key] if day <= as_of), default=None)
        idle = _working_days(touched or deal.said[0].day, as_of)
        planned = min((day for day in touches[deal.key] if day > as_of), default=None)
        no_step = (deal.next_step or "").strip() == "" and planned is None
        overdue = deal.expected_on is not None and deal.expected_on < as_of
        days = (as_of - entered).days
        row = [days, limit, basis, limit is not None and days > limit if limit is not None else None]
        row += [touched, planned, idle, idle >= NO_TOUCH, no_step, overdue, deal.expected_on is None, deal.cents == 0]
        row += [no_step + (idle >= NO_TOUCH) + overdue >= 2]
        for kind in ("month", "quarter"):
            chance, is_by_stage = _chance(known, kind, deal, days, (as_of - deal.said[0].day).days)
            row += [None] * 5 if chance is None else [
                "days_in_stage" if is_by_stage else "days_since_creation", chance.age, chance.n, chance.won,
                round(float(chance.chance), 6),
            ]  # fmt: skip
        expected[deal.key] = tuple(row)
    columns = (
        "days_in_stage, stage_limit_days, stage_limit_basis, is_stage_too_long, last_touch_on, next_activity_on,"
        " working_days_since_touch, is_untouched, is_next_step_missing, is_overdue, is_close_date_missing,"
        " is_amount_missing, is_lying"
    )
    for kind in ("month", "quarter"):
        columns += f", {kind}_basis, {kind}_basis_days, {kind}_n, {kind}_won_n, {kind}_chance"
    found = {key: row for key, *row in query(build, f"select opportunity_id, {columns} from marts.mart_deal_health")}  # noqa: S608
    assert set(found) == set(expected)
    for key, row in expected.items():
        assert tuple(found[key]) == pytest.approx(row, abs=1.1e-6), key


def _chance(known, kind: str, deal: Deal, days: int, age: int) -> tuple[Chance | None, bool]:
    by_stage = known[kind, deal.now.stage].chance(days, deal.segment)
    by_life = known[kind, 0].chance(age, deal.segment)
    if (by_stage and by_stage.n >= 20) or by_life is None:
        return by_stage, True
    return by_life, False


def _limit(past: list[Stay], deal: Deal, as_of: date) -> tuple[int | None, str | None]:
    if deal.now.stage == 3:
        return MAX_DAYS, "configured"
    for basis, segments in (("p80_segment", (deal.segment,)), ("p80_company", SEGMENTS)):
        alike = [stay for stay in past if stay.stage == deal.now.stage and stay.segment in segments]
        lengths = [(((stay.left or as_of) - stay.entered).days, stay.is_end_seen) for stay in alike]
        limit = p80(lengths)
        if sum(ended for _, ended in lengths) >= MIN_N and limit is not None:
            return limit, basis
    return None, None


def _working_days(after: date, until: date) -> int:
    days = (after + timedelta(n) for n in range(1, (until - after).days + 1))
    return sum((day.weekday() < 5 and day not in HOLIDAYS) or day in WORKED for day in days)


def _ends(day: date) -> dict[str, date]:
    def first(month: int) -> date:
        return date(day.year + (month - 1) // 12, (month - 1) % 12 + 1, 1)

    quarter = (day.month - 1) // 3 * 3 + 4
    return {"month": first(day.month + 1) - timedelta(1), "quarter": first(quarter) - timedelta(1)}


def _check_rhythm(build: Path, as_of: date, deals: list[Deal]) -> None:
    touched = [(REPS[number], day) for deal in deals for number, day in enumerate(deal.touches)]
    weeks = rep_weeks(deals, touched, as_of)
    monday = as_of - timedelta(as_of.weekday())
    moved = ("taken_in", "handed_over", "advanced", "won", "lost", "removed")
    expected = {}
    for start in (monday - timedelta(7 * number) for number in range(26)):
        reach = [start - timedelta(7 * number) for number in range(13)]
        sums = {rep: _sums(weeks, rep, reach) for rep in REPS if (rep, start) in weeks}
        sums = {rep: found for rep, found in sums.items() if found}
        for rep, (moves, steps, activities) in sums.items():
            week = weeks[rep, start]
            others = [other for other in sums if other not in (rep, "left")]
            row = [week.moved[what] for what in moved] + [week.open, week.cents, week.piled, week.activities]
            row += [moves, steps, activities]
            row += _scores(rep, sums, others, weeks, start) if rep != "left" else [None] * 4
            expected[rep, start] = row
    columns = f"{', '.join(moved)}, open_count, open_amount * 100, piled_count, activities, moves_13w, steps_13w"
    columns += ", activities_13w, expected_piled, piling_score, expected_steps, is_busy_not_effective"
    rows = query(build, f"select node_key, week_start_on, {columns} from marts.mart_rep_rhythm")  # noqa: S608
    found = {(node.removeprefix("rep:"), start): row for node, start, *row in rows}
    assert set(found) == set(expected)
    for key, row in expected.items():
        found[key][7] = int(found[key][7])
        assert found[key] == pytest.approx(row, abs=1.1e-6), key
    by_stage = query(build, "select node_key, week_start_on, sum(open_count) from marts.mart_rep_load group by all")
    assert {(node.removeprefix("rep:"), start): n for node, start, n in by_stage} == {
        key: row[6] for key, row in expected.items() if row[6]
    }


def _sums(weeks: dict[tuple[str, date], RepWeek], rep: str, reach: list[date]) -> tuple[int, int, int] | None:
    """Moves, steps forward and activities of 13 weeks; None where there was nothing in hand."""
    found = [weeks[rep, start] for start in reach]
    steps = sum(week.moved["advanced"] + week.moved["won"] for week in found)
    moves = steps + sum(week.moved["lost"] for week in found)
    activities = sum(week.activities for week in found)
    in_hand = sum(week.moved["taken_in"] + week.open for week in found)
    return (moves, steps, activities) if moves or activities or in_hand else None


def _scores(rep: str, sums, others: list[str], weeks, start: date) -> list:
    moves, steps, activities = sums[rep]
    total = defaultdict(int)
    for other in others:
        for name, value in zip(("moves", "steps", "activities"), sums[other], strict=True):
            total[name] += value
        total["piled"] += weeks[other, start].piled
    piled = moves * total["piled"] / total["moves"] if total["moves"] else None
    score = (weeks[rep, start].piled + 5) / (piled + 5) if piled is not None else None
    wanted = activities * total["steps"] / total["activities"] if total["activities"] else None
    is_busy = None
    if wanted is not None:
        is_busy = activities >= total["activities"] / len(others) and steps + 2 * wanted**0.5 < wanted
    return [piled, score, wanted, is_busy]


@settings(
    max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_health_and_rhythm_are_what_a_slow_reference_says(tmp_path_factory, seed):
    build = tmp_path_factory.mktemp("deals")
    check(build, seed, 250)
    assert without_rows(build, "mart_deal_health", "mart_rep_rhythm", "mart_rep_load") == []

"""Stays in stages, from the CRM's history, our nights and both: stories by hand, and hundreds of deals by chance.

The reference tells the life of one deal from the rows that are known of it, one after the other, with neither windows
nor joins. Deals by chance have a true life; nights and the CRM's history each show a part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dbt_fixture import failures, query, run_dbt, write_build

START, AS_OF = date(2024, 1, 1), date(2024, 3, 31)
STAGE_NO = {"qualification": 1, "proposal": 2, "negotiation": 3, "won": 4, "lost": 5}
START_OF_TIME = datetime(1, 1, 1)  # noqa: DTZ001 (moments are stored without zone)
CLOSED = ("won", "lost")
UNKNOWN, GONE, MERGED = 0, -1, -2
Spell = tuple[int, date, date | None]
"""Stage, day of entry, day of leaving."""


@dataclass
class Deal:
    """What is known of one deal: rows of the change log by day, and of the CRM's history by moment."""

    opportunity_id: str
    created_on: date | None
    nights: dict[date, tuple[str | None, date | None]] = field(default_factory=dict)
    """Stage and stated closing date by observed day; a stage of None is a deleted row."""
    history: list[tuple[datetime, str, str | None]] = field(default_factory=list)
    """Moment, history id, stage; None where only the amount changed."""
    merged_on: date | None = None

    def log(self) -> list[dict[str, Any]]:
        """Rows of the change log."""
        rows, known, last = [], False, ""
        for on, (stage, closed_on) in sorted(self.nights.items()):
            change = "deleted" if stage is None else "changed" if known else "new"
            known, last = stage is not None, stage or last
            row = {"opportunity_id": self.opportunity_id, "stage": last, "created_on": self.created_on}
            at = datetime.combine(self.created_on, time()) if self.created_on else None
            row |= {"created_at": at, "closed_on": closed_on, "_change": change, "_valid_from": on}
            row |= {"merged_into_id": "survivor"} if self.merged_on and on >= self.merged_on else {}
            rows.append(row)
        return rows

    def changes(self) -> list[dict[str, Any]]:
        """Rows of the CRM's history."""
        base = {"opportunity_id": self.opportunity_id, "_valid_from": AS_OF}
        return [
            base | {"changed_at": at, "changed_on": at.date(), "history_id": number, "stage": stage}
            for at, number, stage in self.history
        ]


def noon(day: date) -> datetime:
    """A moment of a day."""
    return datetime.combine(day, time(12))


def life(deal: Deal) -> list[tuple[date, int]]:
    """The stage from each day on, as far as it is known, a row for each statement that counts."""
    stated = sorted((at.date(), 0, at, (len(number), number), stage) for at, number, stage in deal.history if stage)
    first, last = (stated[0][0], stated[-1][0]) if stated else (date.max, date.min)
    told: list[tuple[date, date, int]] = []
    gone_on: date | None = None
    gaps: list[tuple[date, date]] = []
    begin = min(on for on in deal.nights)
    created = deal.created_on or begin
    for on, (stage, closed_on) in sorted(deal.nights.items()):
        is_first, is_back = on == begin, gone_on is not None
        if stage is None or (deal.merged_on and on >= deal.merged_on):
            gone_on = on
            told.append((on, on, GONE if stage is None else MERGED))
            continue
        if gone_on is not None:
            gaps.append((gone_on, on))
            gone_on = None
        if not (is_back or on < first or on > last):
            continue
        effective = (closed_on or on) if stage in CLOSED else created if is_first and on < first else on
        if is_first and on < first and stage in CLOSED:
            told.append((date.min, min(created, effective), UNKNOWN))
        told.append((on, effective, STAGE_NO[stage]))
    if gone_on is not None:
        gaps.append((gone_on, date.max))
    if stated and created < first <= begin:
        told.append((date.min, created, UNKNOWN))
    order = [(on, 1, START_OF_TIME, (0, ""), effective, number) for on, effective, number in told if on != date.min]
    latest, (record, _) = max(deal.nights.items())
    if record and gone_on is None and latest <= last and any(on == last and record != said for on, *_, said in stated):
        # The history's last word may be another than the record's, which no night has seen to change since.
        order.append((last, 2, START_OF_TIME, (0, ""), last, STAGE_NO[record]))
    order += [
        (on, 0, at, number, on, STAGE_NO[stage])
        for on, _, at, number, stage in stated
        if not any(gone < on <= back for gone, back in gaps)
    ]
    rows = [(effective, number) for on, effective, number in told if on == date.min]
    rows += [(effective, number) for *_, effective, number in sorted(order)]
    rows = [(max(day for day, _ in rows[: at + 1]), number) for at, (_, number) in enumerate(rows)]
    first_amount = min((at.date() for at, _, stage in deal.history if not stage), default=rows[0][0])
    return [(first_amount, UNKNOWN), *rows] if first_amount < rows[0][0] else rows


def moves(rows: Sequence[tuple[date, int]]) -> list[tuple[date, int]]:
    """The first row and those whose stage is another than that of the row before."""
    return [row for at, row in enumerate(rows) if not at or row[1] != rows[at - 1][1]]


def spells(rows: Sequence[tuple[date, int]]) -> list[Spell]:
    """Stays in open stages."""
    entries = [rows[at] for at in range(len(rows)) if rows[at][1] != (rows[at - 1][1] if at else UNKNOWN)]
    ends = [*(on for on, _ in entries[1:]), None]
    return [(number, on, end) for (on, number), end in zip(entries, ends, strict=True) if number in (1, 2, 3)]


def generated(random: Random, name: str) -> tuple[Deal, list[tuple[date, int]] | None]:
    """A deal, and its true life where the CRM's history tells all of it."""
    days = sorted(random.sample(range(85), random.randint(1, 6)))
    truth: list[tuple[date, str]] = []
    for number in days:
        choices = [stage for stage in STAGE_NO if not truth or stage != truth[-1][1]]
        truth.append((START + timedelta(number), random.choice(choices[:3] if not truth else choices)))
    created = truth[0][0]
    absent: tuple[date, date] | None = None
    if random.random() < 0.3:
        from_on = created + timedelta(random.randint(1, 40))
        absent = from_on, from_on + timedelta(random.randint(1, 40))
    deal = Deal(name, created if random.random() < 0.9 else None)
    previous: tuple[str | None, date | None] = (None, None)
    for night in sorted(random.sample(range(91), random.randint(2, 20)) + [90]):
        on = START + timedelta(night)
        now = [(day, stage) for day, stage in truth if day <= on]
        if not now:
            continue
        day, stage = now[-1]
        state: tuple[str | None, date | None] = (stage, day if stage in CLOSED else None)
        if absent and absent[0] <= on < absent[1]:
            state = (None, None)
        if state != previous and not (state[0] is None and not deal.nights):
            deal.nights[on] = state
        previous = state if deal.nights else previous
    mode = random.choice(["none", "all", "late", "lagging", "window", "amounts"])
    low = {"late": random.randint(0, 85), "window": random.randint(0, 60)}.get(mode, 0)
    high = {"lagging": random.randint(0, 85), "window": low + random.randint(0, 40)}.get(mode, 90)
    if mode != "none":
        inside = [(day, stage) for day, stage in truth if low <= (day - START).days <= high]
        stated = [(noon(day), str(at), None if mode == "amounts" else stage) for at, (day, stage) in enumerate(inside)]
        deal.history = stated
    is_told = mode == "all" and absent is None
    return deal, [(day, STAGE_NO[stage]) for day, stage in truth] if is_told else None


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the builds of this module."""
    return tmp_path_factory.mktemp("build")


def built(build: Path, deals: Sequence[Deal]) -> tuple[dict[str, list[Spell]], dict[str, list[tuple[date, date, int]]]]:
    """Spells, and events as (from, until, stage), by deal, as the models make them."""
    for path in (build / "log").glob("opportunity*/*.parquet"):
        path.unlink()
    rows = [row for deal in deals for row in deal.log()]
    history = [row for deal in deals for row in deal.changes()]
    write_build(build, as_of=AS_OF, log={"opportunity": rows, "opportunity_history": history})
    result = run_dbt(build, "run", "--select", "+int_stage_spells")
    assert failures(result) == []
    stays: dict[str, list[Spell]] = {deal.opportunity_id: [] for deal in deals}
    events: dict[str, list[tuple[date, date, int]]] = {deal.opportunity_id: [] for deal in deals}
    of_deal = "inner join basis.int_opportunities using (okey) order by opportunity_id"
    spells = "select opportunity_id, int_stage_spells.stage_no, entered_on, left_on"
    for name, *stay in query(build, f"{spells} from scratch.intermediate.int_stage_spells {of_deal}, spell_no"):
        stays[name].append(tuple(stay))
    states = "select opportunity_id, event_on, next_on, int_opportunity_events.stage_no"
    for name, on, until, number in query(build, f"{states} from basis.int_opportunity_events {of_deal}, event_no"):
        events[name].append((on, until, number))
    return stays, events


@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_spells_are_those_of_the_reference_and_their_union_is_the_life_of_the_deal(build, seed):
    random = Random(seed)
    made = [generated(random, f"deal-{number:03d}") for number in range(250)]
    made = [(deal, truth) for deal, truth in made if deal.nights]
    stays, events = built(build, [deal for deal, _ in made])
    for deal, truth in made:
        expected = life(deal)
        told = [(on, number) for on, _, number in events[deal.opportunity_id]]
        assert moves(told) == moves(expected), deal
        is_gone = expected[-1][1] in (GONE, MERGED)
        assert stays[deal.opportunity_id] == ([] if is_gone else spells(expected)), deal
        # Each state holds until the next one, the first from the creation or before: no day is told twice, or never.
        for (_, until, _), (on, _, _) in pairwise(events[deal.opportunity_id]):
            assert until == on, deal
        assert events[deal.opportunity_id][-1][1] is None
        first_known = [deal.created_on or AS_OF, *(at.date() for at, _, stage in deal.history if stage)]
        assert told[0][0] <= min([*first_known, *deal.nights]), deal
        if truth is not None:
            assert spells(told) == spells(truth), deal


def day(number: int) -> date:
    """A day of January 2024 and on."""
    return START + timedelta(number - 1)


STORIES: dict[str, tuple[Deal, list[Spell]]] = {
    "history was switched on late, and our nights knew the deal before": (
        Deal(
            "late",
            day(1),
            {day(3): ("qualification", None), day(10): ("proposal", None), day(20): ("negotiation", None)},
            [(noon(day(19)), "1", "negotiation")],
        ),
        [(1, day(1), day(10)), (2, day(10), day(19)), (3, day(19), None)],
    ),
    "history lags behind the record, which closed since": (
        Deal(
            "lags",
            day(1),
            {day(2): ("qualification", None), day(30): ("won", day(28))},
            [(noon(day(1)), "1", "qualification"), (noon(day(15)), "2", "proposal")],
        ),
        [(1, day(1), day(15)), (2, day(15), day(28))],
    ),
    "both tell the same, and it is told once": (
        Deal(
            "both",
            day(1),
            {day(1): ("qualification", None), day(6): ("proposal", None), day(9): ("negotiation", None)},
            [(noon(day(1)), "1", "qualification"), (noon(day(5)), "2", "proposal"), (noon(day(9)), "3", "negotiation")],
        ),
        [(1, day(1), day(5)), (2, day(5), day(9)), (3, day(9), None)],
    ),
    "history tells of amounts alone": (
        Deal(
            "amounts",
            day(1),
            {day(1): ("qualification", None), day(6): ("proposal", None)},
            [(noon(day(3)), "1", None), (noon(day(40)), "2", None)],
        ),
        [(1, day(1), day(6)), (2, day(6), None)],
    ),
    "nobody knows where it was before its history began": (
        Deal("unknown", day(1), {day(30): ("proposal", None)}, [(noon(day(20)), "1", "proposal")]),
        [(2, day(20), None)],
    ),
    "closed and opened again": (
        Deal(
            "reopened", day(1), {day(1): ("qualification", None), day(5): ("lost", day(4)), day(9): ("proposal", None)}
        ),
        [(1, day(1), day(4)), (2, day(9), None)],
    ),
    "deleted and restored in the same stage: the gap is no stay": (
        Deal("restored", day(1), {day(1): ("proposal", None), day(5): (None, None), day(9): ("proposal", None)}),
        [(2, day(1), day(5)), (2, day(9), None)],
    ),
    "what the history says of a deal that is gone does not bring it back": (
        Deal(
            "gap",
            day(1),
            {
                day(1): ("qualification", None),
                day(5): (None, None),
                day(9): ("proposal", None),
                day(12): ("negotiation", None),
            },
            [
                (noon(day(1)), "1", "qualification"),
                (noon(day(7)), "2", "proposal"),
                (noon(day(12)), "3", "negotiation"),
            ],
        ),
        [(1, day(1), day(5)), (2, day(9), day(12)), (3, day(12), None)],
    ),
    "history goes on where the record stands still, and the record is what everybody sees tonight": (
        Deal(
            "still",
            day(1),
            {day(2): ("proposal", None)},
            [(noon(day(1)), "1", "qualification"), (noon(day(2)), "2", "proposal"), (noon(day(6)), "3", "negotiation")],
        ),
        [(1, day(1), day(2)), (2, day(2), day(6)), (3, day(6), day(6)), (2, day(6), None)],
    ),
    "changes of one second go by number, not by spelling": (
        Deal(
            "second",
            day(1),
            {day(1): ("qualification", None), day(4): ("negotiation", None)},
            [
                (noon(day(1)), "9", "qualification"),
                (noon(day(4)), "10", "negotiation"),
                (noon(day(4)), "9", "proposal"),
            ],
        ),
        [(1, day(1), day(4)), (2, day(4), day(4)), (3, day(4), None)],
    ),
}


def test_stories(build):
    stays, _ = built(build, [deal for deal, _ in STORIES.values()])
    assert {story: stays[deal.opportunity_id] for story, (deal, _) in STORIES.items()} == {
        story: expected for story, (_, expected) in STORIES.items()
    }
    assert {story: spells(life(deal)) for story, (deal, _) in STORIES.items()} == {
        story: expected for story, (_, expected) in STORIES.items()
    }


def test_a_merged_deal_leaves_its_stage_as_merged_and_is_not_lost(build):
    survivor = Deal("survivor", day(1), {day(1): ("proposal", None)})
    merged = Deal("merged", day(1), {day(1): ("proposal", None), day(9): ("proposal", None)}, merged_on=day(9))
    stays, events = built(build, [survivor, merged])
    assert stays == {"survivor": [(2, day(1), None)], "merged": []}
    assert events["merged"] == [(day(1), day(9), 2), (day(9), None, MERGED)]

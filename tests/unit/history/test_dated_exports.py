"""Exports of past days, in any order: the history is the one that arrival in order would have given.

The reference reads the exports in the order of their days, one key at a time, and knows nothing of nights.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.history.conftest import Nights, Source

FIRST = date(2026, 3, 2)
NIGHT = date(2026, 4, 1)
KEYS = "abcdefgh"
FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
Export = Mapping[str, str | None]
Exports = Mapping[date, Export]


def day(number: int) -> date:
    """The day with a number, from 1."""
    return FIRST + timedelta(days=number - 1)


def in_order(exports: Exports, mode: str) -> list[tuple[str, date, str, str]]:
    """(key, day, change, value) as arrival in order would have recorded them."""
    rows = []
    for key in sorted({key for export in exports.values() for key in export}):
        value: str | None = None
        last = ""
        for on in sorted(exports):
            export = exports[on]
            if key in export:
                now = export[key]
            else:
                now = None if mode == "full" else value
            if now is not None and now != value:
                rows.append((key, on, "new" if value is None else "changed", now))
                last = now
            elif now is None and value is not None:
                rows.append((key, on, "deleted", last))
            value = now
    return rows


def take(nights: Nights, number: int, exports: Exports) -> date:
    """One night that takes dated exports."""
    as_of = NIGHT + timedelta(days=number)
    files = {f"crm/{on}.csv": sorted(export.items()) for on, export in exports.items()}
    nights.run(as_of, files, days={f"crm/{on}.csv": on for on in exports})
    return as_of


def dated(mode: str) -> Source:
    """A source whose files tell their day."""
    return Source(mode=mode, is_dated=True)


@st.composite
def arrivals(draw: st.DrawFn, *, deletions: bool = False) -> list[Exports]:
    """Exports of up to six days, in any order and batching; some days come again, corrected."""
    value = st.sampled_from(["x", "y", "z", *([None] if deletions else [])])
    export = st.dictionaries(st.sampled_from(KEYS), value, max_size=len(KEYS))
    numbers = draw(st.permutations(range(1, draw(st.integers(2, 6)) + 1)))
    again = [] if deletions else draw(st.lists(st.sampled_from(numbers), max_size=2))
    order = [*numbers, *again]
    ends = sorted(draw(st.sets(st.integers(1, len(order)), max_size=3)) | {len(order)})
    batches = [order[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return [{day(number): draw(export) for number in batch} for batch in batches]


@FEW
@given(batches=arrivals())
def test_full_exports_give_the_same_history_in_any_order_and_batching_and_after_corrections(nights_of, batches):
    nights = nights_of(dated("full"))
    arrived: dict[date, Export] = {}
    for number, batch in enumerate(batches):
        as_of = take(nights, number, batch)
        arrived |= batch
        assert nights.history(as_of) == in_order(arrived, "full")
        assert nights.state(as_of) == dict(arrived[max(arrived)])


@FEW
@given(batches=arrivals(deletions=True))
def test_deltas_by_day_give_the_same_history_in_any_order_and_batching(nights_of, batches):
    nights = nights_of(dated("delta"))
    arrived: dict[date, Export] = {}
    for number, batch in enumerate(batches):
        as_of = take(nights, number, batch)
        arrived |= batch
        assert nights.history(as_of) == in_order(arrived, "delta")


@FEW
@given(batches=arrivals())
def test_a_past_night_is_rebuilt_as_it_was_known_then(nights_of, batches):
    nights = nights_of(dated("full"))
    then = {}
    for number, batch in enumerate(batches):
        as_of = take(nights, number, batch)
        then[as_of] = nights.history(as_of)
    for as_of, history in then.items():
        assert nights.history(as_of) == history


@pytest.mark.parametrize("order", [[1, 2, 3], [3, 2, 1], [2, 3, 1], [3, 1, 2], [1, 3, 2]])
def test_an_export_that_comes_late_is_put_in_at_its_day(nights_of, order):
    """Day 2 shows a in y: changed on day 2, and x again on day 3; b is new on day 2, c gone on it and back on day 3."""
    exports = {day(1): {"a": "x", "c": "x"}, day(2): {"a": "y", "b": "x"}, day(3): {"a": "x", "b": "x", "c": "x"}}
    nights = nights_of(dated("full"))
    for number, on in enumerate(order):
        as_of = take(nights, number, {day(on): exports[day(on)]})
    assert nights.history(as_of) == [
        ("a", day(1), "new", "x"),
        ("a", day(2), "changed", "y"),
        ("a", day(3), "changed", "x"),
        ("b", day(2), "new", "x"),
        ("c", day(1), "new", "x"),
        ("c", day(2), "deleted", "x"),
        ("c", day(3), "new", "x"),
    ]


def test_a_late_export_counts_what_it_changed_and_not_what_is_said_again(nights_of):
    nights = nights_of(dated("full"))
    take(nights, 0, {day(1): {"a": "x"}, day(3): {"a": "x"}})
    [file] = nights.run(NIGHT + timedelta(days=1), {"crm/2.csv": [("a", "y"), ("b", "x")]}, days={"crm/2.csv": day(2)})
    assert (file.rows_new, file.rows_changed, file.rows_deleted) == (1, 1, 0)
    assert nights.change_rows(NIGHT + timedelta(days=1)) == [
        ("a", "y", "changed"),
        ("a", "x", "restated"),
        ("b", "x", "new"),
        ("b", "x", "withdrawn"),
    ]


def test_a_key_in_quarantine_on_the_next_day_keeps_what_the_late_export_says(nights_of):
    nights = nights_of(dated("full"))
    take(nights, 0, {day(1): {"a": "x"}})
    third = {"crm/3.csv": day(3)}
    nights.run(NIGHT + timedelta(days=1), {"crm/3.csv": []}, rejected={"crm/3.csv": ["a"]}, days=third)
    as_of = take(nights, 2, {day(2): {"a": "y"}})
    assert nights.history(as_of) == [("a", day(1), "new", "x"), ("a", day(2), "changed", "y")]


def test_a_late_export_that_has_shrunk_is_refused_and_the_days_around_it_stay(nights_of):
    nights = nights_of(Source(max_shrink=0.3, is_dated=True))
    full = {"a": "x", "b": "x", "c": "x"}
    take(nights, 0, {day(1): full, day(3): full})
    as_of = take(nights, 1, {day(2): {"a": "x"}})
    assert nights.history(as_of) == [(key, day(1), "new", "x") for key in "abc"]


def test_a_day_of_another_source_does_not_touch_what_this_one_says(nights_of):
    nights = nights_of(dated("full"), Source("sheet"))
    take(nights, 0, {day(1): {"a": "x"}, day(3): {"a": "y"}})
    nights.run(NIGHT + timedelta(days=1), {"sheet/1.csv": [("s", "x")]})
    as_of = take(nights, 2, {day(2): {"a": "z"}})
    assert nights.history(as_of) == [
        ("a", day(1), "new", "x"),
        ("a", day(2), "changed", "z"),
        ("a", day(3), "changed", "y"),
        ("s", NIGHT + timedelta(days=1), "new", "x"),
    ]


def runs(nights: Nights, deltas: Sequence[Export]) -> list[date]:
    """A night a delta, as pulled from a live CRM."""
    days = [NIGHT + timedelta(days=number) for number in range(len(deltas))]
    for as_of, delta in zip(days, deltas, strict=True):
        nights.run(as_of, {"crm/pull.jsonl": sorted(delta.items())})
    return days


def test_a_delta_changes_what_it_names_and_deletes_what_it_says(nights_of):
    nights = nights_of(Source(mode="delta", max_shrink=0.0))
    first, second, third = runs(nights, [{"a": "x", "b": "x"}, {"b": None, "c": "x", "unknown": None}, {"b": "y"}])
    assert nights.change_rows(second) == [("b", "x", "deleted"), ("c", "x", "new")]
    assert nights.change_rows(third) == [("b", "y", "new")]
    assert nights.state(third) == {"a": "x", "b": "y", "c": "x"}


def test_a_delta_deletes_what_another_source_delivered(nights_of):
    nights = nights_of(Source(), Source("live", mode="delta"))
    nights.run(NIGHT, {"crm/full.csv": [("a", "x"), ("b", "x")]})
    [file] = nights.run(NIGHT + timedelta(days=1), {"live/pull.jsonl": [("a", None)]})
    assert (file.source, file.rows_deleted) == ("live", 1)
    assert nights.state(NIGHT + timedelta(days=1)) == {"b": "x"}


@FEW
@given(
    deltas=st.lists(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["x", "y", None]), max_size=8), max_size=5)
)
def test_nightly_deltas_give_the_history_of_their_days(nights_of, deltas):
    nights = nights_of(Source(mode="delta"))
    days = runs(nights, deltas)
    if days:
        assert nights.history(days[-1]) == in_order(dict(zip(days, deltas, strict=True)), "delta")

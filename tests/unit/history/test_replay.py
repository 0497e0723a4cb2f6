"""Invariants over any sequence of exports: the state is the last export, and recorded nights stay as they are."""

from datetime import date, timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.history.assemble import assemble
from tests.unit.history.conftest import Nights, Source, tree

FIRST = date(2026, 3, 2)
EXPORTS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["x", "y", "'\"; --", "甲"]), max_size=5)
FEW = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def replayed(nights: Nights, exports: list[dict[str, str]]) -> list[date]:
    days = [FIRST + timedelta(days=number) for number in range(len(exports))]
    for day, rows in zip(days, exports, strict=True):
        nights.run_rows(day, rows)
    return days


@FEW
@given(exports=st.lists(EXPORTS, min_size=1, max_size=5))
def test_the_state_at_every_night_is_the_export_of_that_night(nights_of, exports):
    nights = nights_of()
    days = replayed(nights, exports)
    for day, rows in zip(days, exports, strict=True):
        assert nights.state(day) == rows


@FEW
@given(exports=st.lists(EXPORTS, min_size=1, max_size=5))
def test_the_state_of_an_append_source_is_the_union_with_the_newest_values(nights_of, exports):
    nights = nights_of(Source(mode="append"))
    days = replayed(nights, exports)
    union: dict[str, str] = {}
    for day, rows in zip(days, exports, strict=True):
        union |= rows
        assert nights.state(day) == union


@FEW
@given(exports=st.lists(EXPORTS, min_size=1, max_size=4), mistaken=EXPORTS)
def test_the_newest_night_run_again_gives_the_same_bytes_whatever_came_between(nights_of, exports, mistaken):
    nights = nights_of()
    last = replayed(nights, exports)[-1]
    before = tree(nights.workspace.history), tree(nights.workspace.quarantine)
    nights.run_rows(last, mistaken)
    nights.run_rows(last, exports[-1])
    assert (tree(nights.workspace.history), tree(nights.workspace.quarantine)) == before


def assembled(nights: Nights, as_of: date, *, rebuild: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the build reads: the log of contacts and the accounting."""
    assemble(nights.workspace, as_of, rebuild=rebuild)
    log = pl.read_parquet(nights.workspace.build_log("contact") / "*.parquet").sort("_valid_from", "contact_id")
    return log, pl.read_parquet(nights.workspace.build_input("source_file"))


@FEW
@given(exports=st.lists(EXPORTS, min_size=2, max_size=4))
def test_a_night_rebuilt_after_later_nights_reads_what_it_read_then(nights_of, exports):
    nights = nights_of()
    then = {}
    for number, rows in enumerate(exports):
        day = FIRST + timedelta(days=number)
        nights.stage(day, {"crm/contacts.csv": sorted(rows.items())})
        then[day] = assembled(nights, day, rebuild=False)
        nights.run_rows(day, rows)
    for day, (log, accounting) in then.items():
        log_now, accounting_now = assembled(nights, day, rebuild=True)
        assert log_now.equals(log)
        assert accounting_now.equals(accounting)


def test_two_threads_and_many_rows_give_the_same_bytes(nights_of):
    """Several row groups, sorted by two threads: the file must not depend on which of them was first."""
    rows = [(f"{number * 7919 % 300_007:06d}", f"name {number}") for number in range(300_000)]
    written = []
    for _ in range(2):
        nights = nights_of()
        from flows.history.record import stage_night

        files = nights.validate({"crm/contacts.csv": rows})
        stage_night(nights.workspace, FIRST, nights.sources, files, threads=2, memory_limit="200MB")
        written.append((nights.workspace.build / "night" / "contact.parquet").read_bytes())
    assert written[0] == written[1]

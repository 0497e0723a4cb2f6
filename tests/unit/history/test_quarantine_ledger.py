"""What is remembered of a quarantined row: from the first night to its healing and beyond, whatever happens between."""

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.config.sources import Source
from flows.history.commit import commit_night
from flows.history.quarantine import QUARANTINE
from flows.history.quarantine_ledger import read_ledger, with_row_id
from flows.history.record import stage_night
from flows.ingest.accounting import FileAccount
from flows.workspace import Workspace
from schemas.registry import ENTITIES

FIRST = date(2026, 3, 2)


class Company:
    """Nights of one source of contacts. Each night states, by key, what became of the row: ok or faulty."""

    def __init__(self, root: Path, mode: str = "full") -> None:
        self.workspace = Workspace(root / "workspace")
        self.workspace.prepare()
        source = {"name": "crm", "entity": "contact", "path": "contacts.csv", "columns": {"contact_id": "id"}}
        self.source = Source.model_validate({**source, "mode": mode, "max_shrink": 1})

    def stage(self, as_of: date, rows: dict[str, str] | None, keyless: tuple[str, ...] = ()) -> None:
        """``rows``: by key, ok or faulty; None is a file that could not be used. ``keyless``: texts of faulty rows."""
        import shutil

        shutil.rmtree(self.workspace.build, ignore_errors=True)
        file, cells, accepted = "contacts.csv", [], []
        place = {"as_of_date": as_of, "source": "crm", "entity": "contact", "file": file}
        for number, (key, fate) in enumerate((rows or {}).items(), start=2):
            if fate == "ok":
                accepted.append({"contact_id": key, "name": key, "_source": "crm", "_file": file, "_row": number})
            else:
                cell = {"row": number, "reason_code": "required", "column": "name", "raw": f'{{"id":"{key}"}}'}
                cells.append({**place, **cell, "key": json.dumps({"contact_id": key})})
        for number, text in enumerate(keyless, start=2 + len(rows or {})):
            cells.append({**place, "row": number, "reason_code": "required", "column": "id", "raw": text, "key": None})
        status = "refused" if rows is None else "accepted"
        if rows is None:
            cells.append({**place, "row": None, "reason_code": "file_refused"})
        schema = {**ENTITIES["contact"].dtypes(), "_source": pl.String(), "_file": pl.String(), "_row": pl.Int64()}
        schema["_observed_on"] = pl.Date()
        for folder in ("accepted/contact", "rejected"):
            (self.workspace.build / folder).mkdir(parents=True)
        if accepted:
            frame = pl.DataFrame([{**row, "_observed_on": as_of} for row in accepted], schema=schema)
            frame.write_parquet(self.workspace.build / "accepted/contact/1.parquet")
        pl.DataFrame(cells, schema=QUARANTINE).write_parquet(self.workspace.build / "rejected" / "1.parquet")
        good, bad = len(accepted), len(cells) if rows is not None else 0
        account = FileAccount("crm", file, "contact", "csv", "0", status, None, good + bad, good, bad)
        stage_night(self.workspace, as_of, [self.source], [account], threads=1)

    def run(self, as_of: date, rows: dict[str, str] | None, keyless: tuple[str, ...] = ()) -> None:
        """One night, committed."""
        self.stage(as_of, rows, keyless)
        commit_night(self.workspace, as_of)

    def lines(self) -> dict[str, tuple]:
        """By key (or text): first seen, last seen, healed on, how, relapses; days counted from the first."""
        found = {}
        for line in read_ledger(self.workspace).iter_rows(named=True):
            days = [line[name] and (line[name] - FIRST).days for name in ("first_seen_on", "last_seen_on", "healed_on")]
            name = json.loads(line["key"])["contact_id"] if line["key"] else line["reason_code"]
            found[name] = (*days, line["healed_by"], line["relapses"])
        return found


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company with full exports."""
    return Company(tmp_path)


def nights(company: Company, *rows: dict[str, str] | None) -> dict[str, tuple]:
    for number, night in enumerate(rows):
        company.run(FIRST + timedelta(days=number), night)
    return company.lines()


def test_a_mended_row_heals_as_accepted_and_its_record_stays(company):
    assert nights(company, {"a": "bad"}, {"a": "bad"}, {"a": "ok"}, {"a": "ok"}) == {"a": (0, 1, 2, "accepted", 0)}


def test_a_row_that_leaves_its_full_export_is_gone(company):
    assert nights(company, {"a": "bad", "b": "ok"}, {"b": "ok"}) == {"a": (0, 0, 1, "gone", 0)}


def test_a_row_that_is_faulty_again_relapses(company):
    lines = nights(company, {"a": "bad"}, {"a": "ok"}, {"a": "bad"}, {"a": "bad"}, {"a": "ok"})
    assert lines == {"a": (0, 3, 4, "accepted", 1)}


def test_a_file_that_cannot_be_used_heals_nothing_and_is_mended_once_it_can_be(company):
    lines = nights(company, {"a": "bad"}, None)
    assert lines == {"a": (0, 0, None, None, 0), "file_refused": (1, 1, None, None, 0)}
    company.run(FIRST + timedelta(days=2), {"a": "bad"})
    assert company.lines() == {"a": (0, 2, None, None, 0), "file_refused": (1, 1, 2, "mended", 0)}


def test_what_a_delta_leaves_out_has_not_healed(tmp_path):
    company = Company(tmp_path, "delta")
    assert nights(company, {"a": "bad"}, {"b": "ok"}) == {"a": (0, 0, None, None, 0)}
    company.run(FIRST + timedelta(days=2), {"a": "ok"})
    assert company.lines() == {"a": (0, 0, 2, "accepted", 0)}


def test_a_row_without_a_key_is_known_by_its_content_wherever_it_moves(company):
    company.run(FIRST, {"b": "ok"}, ("x", "x", "y"))
    company.run(FIRST + timedelta(days=1), {"b": "ok", "c": "ok"}, ("x", "y"))
    lines = read_ledger(company.workspace).sort("row", "healed_by")
    assert lines.select("row", "healed_by").rows() == [(4, None), (4, "gone"), (5, None)]
    # On the next night x is given its key where it stands: an accepted row is in its place.
    company.run(FIRST + timedelta(days=2), {"b": "ok", "c": "ok", "x": "ok"}, ("y",))
    lines = read_ledger(company.workspace)
    assert sorted(lines["healed_by"].drop_nulls()) == ["gone", "mended"]
    assert lines.filter(pl.col("healed_on").is_null())["row"].to_list() == [5]


def test_a_night_that_was_not_committed_leaves_nothing(company):
    company.run(FIRST, {"a": "bad"})
    before = read_ledger(company.workspace)
    company.stage(FIRST + timedelta(days=1), {"a": "ok", "b": "bad"})
    assert read_ledger(company.workspace).equals(before)


def test_a_night_that_is_run_again_replaces_what_it_said(company):
    nights(company, {"a": "bad"}, {"a": "ok", "b": "bad"})
    company.run(FIRST + timedelta(days=1), {"a": "bad", "b": "ok"})
    assert company.lines() == {"a": (0, 1, None, None, 0)}


def test_cells_of_one_row_have_one_id_and_rows_of_other_sources_another():
    rows = [
        {"source": "a", "file": "f", "row": 2, "column": "x", "key": '{"id":"1"}'},
        {"source": "a", "file": "f", "row": 2, "column": "y", "key": '{"id":"1"}'},
        {"source": "b", "file": "f", "row": 2, "column": "x", "key": '{"id":"1"}'},
        {"source": "a", "file": "f", "row": 3, "column": "x", "raw": "{}"},
    ]
    ids = with_row_id(pl.DataFrame(rows, schema=QUARANTINE))["row_id"].to_list()
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


FATES = st.sampled_from(["ok", "bad"])
NIGHTS = st.lists(st.none() | st.dictionaries(st.sampled_from(["a", "b", "c"]), FATES), min_size=1, max_size=6)


def _expected(plan: list[dict[str, str] | None], mode: str) -> dict[str, tuple]:
    """The same, told row by row and night by night."""
    lines: dict[str, tuple] = {}
    for day, rows in enumerate(plan):
        if rows is None:
            first, _, healed, _, relapses = lines.get("file_refused", (day, day, None, None, 0))
            lines["file_refused"] = (first, day, None, None, relapses + (healed is not None))
            continue
        for name, (first, last, healed, _, relapses) in list(lines.items()):
            if healed is not None:
                continue
            if name == "file_refused":
                lines[name] = (first, last, day, "mended", relapses)
            elif rows.get(name) == "ok":
                lines[name] = (first, last, day, "accepted", relapses)
            elif name not in rows and mode == "full":
                lines[name] = (first, last, day, "gone", relapses)
        for key, fate in rows.items():
            if fate == "bad":
                first, _, healed, _, relapses = lines.get(key, (day, day, None, None, 0))
                lines[key] = (first, day, None, None, relapses + (healed is not None))
    return lines


@given(plan=NIGHTS, mode=st.sampled_from(["full", "append", "delta"]))
@settings(max_examples=25, deadline=None)
def test_every_sequence_of_faults_and_mendings_is_told_as_it_was(tmp_path_factory, plan, mode):
    company = Company(tmp_path_factory.mktemp("company"), mode)
    assert nights(company, *plan) == _expected(plan, mode)

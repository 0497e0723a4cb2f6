"""One call makes a candidate what everybody reads; the same content gives the same bytes."""

import errno
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import PermanentError, TransientError
from flows.publish import layout
from flows.publish.manifest import read_manifest
from flows.publish.swap import publish
from flows.publish.versions import versions
from flows.workspace import Workspace
from tests.unit.publish.conftest import AS_OF, META, write_candidate


def read(path, query: str):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def run_id_seen(workspace) -> str:
    return read(workspace.published / "marts.duckdb", "select distinct run_id from marts.fct_opportunity")[0][0]


def hashes(manifest) -> dict[str, str]:
    return {table.name: table.sha256 for table in manifest.tables}


def test_a_published_version_is_read_through_every_fixed_link(workspace, make_candidate):
    manifest = publish(make_candidate("20250331-01"), workspace, "20250331-01", AS_OF, META)
    for name in ("marts.duckdb", "planloop.duckdb"):
        assert read(workspace.published / name, "select count(*) from marts.fct_opportunity") == [(300,)]
    with duckdb.connect() as connection:
        parquet = workspace.published / "parquet" / "fct_opportunity.parquet"
        assert connection.execute(
            "select count(*), sum(amount)::varchar from read_parquet(?)", [str(parquet)]
        ).fetchall() == [(300, "560625.00")]
    assert read_manifest(workspace.published / "manifest.json") == manifest
    assert manifest.rows == {"fct_opportunity": 300, "mart_deviation": 0, "mart_target_attainment": 300}
    assert manifest.versions == {"dbt": "1.11.16", "duckdb": duckdb.__version__}
    assert (manifest.as_of_date, manifest.sequence, manifest.config_hash) == (AS_OF, 1, "c0ffee")


def test_an_empty_mart_keeps_its_columns_and_no_rows_in_parquet(workspace, make_candidate):
    publish(make_candidate("20250331-01"), workspace, "20250331-01", AS_OF, META)
    with duckdb.connect() as connection:
        parquet = str(workspace.published / "parquet" / "mart_deviation.parquet")
        relation = connection.execute("select * from read_parquet(?)", [parquet])
        assert [column[0] for column in relation.description] == ["run_id", "n"]
        assert relation.fetchall() == []


def test_a_version_is_read_only_and_has_no_write_ahead_log(workspace, make_candidate):
    publish(make_candidate("20250331-01"), workspace, "20250331-01", AS_OF, META)
    folder = workspace.published / "v" / "20250331-01"
    modes = {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}
    assert {mode for name, mode in modes.items() if name in ("20250331-01", "parquet")} == {0o555}
    assert {mode for name, mode in modes.items() if "." in name} == {0o444}
    assert not [name for name in modes if name.endswith(".wal")]
    assert not workspace.candidate.exists()


def test_rows_left_in_the_write_ahead_log_of_a_candidate_are_published(workspace, make_candidate):
    candidate = make_candidate("20250331-01")
    # Leaves a .wal behind as a process that died after its commit does.
    script = (
        f"import duckdb, os; c = duckdb.connect({str(candidate)!r}); c.execute(\"set checkpoint_threshold = '1GB'\");"
        "c.execute(\"insert into marts.mart_deviation values ('20250331-01', 7)\"); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert candidate.with_name("candidate.duckdb.wal").exists()
    manifest = publish(candidate, workspace, "20250331-01", AS_OF, META)
    assert manifest.rows["mart_deviation"] == 1
    assert not list(workspace.published.rglob("*.wal"))


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), threads=st.integers(1, 4))
def test_the_order_of_insertion_and_the_number_of_threads_leave_no_trace_in_the_parquet_bytes(
    tmp_path_factory, seed, threads
):
    found = []
    for order, engine in (("number", {"threads": 1}), (f"hash(number + {seed})", {"threads": threads})):
        space = Workspace(tmp_path_factory.mktemp("order"))
        candidate = write_candidate(space.candidate, "20250331-01", rows=200, order=order)
        found.append(hashes(publish(candidate, space, "20250331-01", AS_OF, META, engine=engine)))
    assert found[0] == found[1]


def test_different_content_gives_different_bytes(workspace, make_candidate):
    first = publish(make_candidate("20250331-01", rows=300), workspace, "20250331-01", AS_OF, META)
    second = publish(make_candidate("20250331-01", rows=301), workspace, "20250331-02", AS_OF, META)
    assert hashes(first)["fct_opportunity"] != hashes(second)["fct_opportunity"]


def test_a_reader_in_the_same_process_keeps_its_version_and_a_new_one_sees_the_next(workspace, make_candidate):
    publish(make_candidate("20250331-01"), workspace, "20250331-01", AS_OF, META)
    link = str(workspace.published / "marts.duckdb")
    with duckdb.connect(link, read_only=True) as holder:
        publish(make_candidate("20250401-01"), workspace, "20250401-01", date(2025, 4, 1), META)
        assert run_id_seen(workspace) == "20250401-01"
        assert holder.execute("select distinct run_id from marts.fct_opportunity").fetchall() == [("20250331-01",)]


def test_publishing_a_finished_run_again_changes_nothing(workspace, make_candidate):
    first = publish(make_candidate("20250331-01"), workspace, "20250331-01", AS_OF, META)
    assert publish(workspace.candidate, workspace, "20250331-01", AS_OF, META) == first
    assert [version.run_id for version in versions(workspace)] == ["20250331-01"]


def test_the_version_that_readers_see_is_never_replaced(workspace, make_candidate):
    publish(make_candidate("20250331-01"), workspace, "20250331-01", AS_OF, META)
    candidate = make_candidate("20250331-01", rows=5)
    with pytest.raises(PermanentError, match="never changed"):
        publish(candidate, workspace, "20250331-01", AS_OF, META)
    assert candidate.exists()
    assert read(workspace.published / "marts.duckdb", "select count(*) from marts.fct_opportunity") == [(300,)]


def test_a_rebuild_of_a_past_night_is_listed_and_readers_stay(workspace, make_candidate):
    publish(make_candidate("20250401-01"), workspace, "20250401-01", date(2025, 4, 1), META)
    publish(make_candidate("20250331-02"), workspace, "20250331-02", AS_OF, META, make_current=False)
    assert run_id_seen(workspace) == "20250401-01"
    assert [(version.run_id, version.is_current) for version in versions(workspace)] == [
        ("20250331-02", False),
        ("20250401-01", True),
    ]


@pytest.mark.parametrize("as_of", [date(2025, 4, 1), date(2025, 4, 2)])
def test_a_rebuild_of_the_published_date_or_a_later_one_becomes_current(workspace, make_candidate, as_of):
    publish(make_candidate("20250401-01"), workspace, "20250401-01", date(2025, 4, 1), META)
    publish(make_candidate("rebuilt"), workspace, "rebuilt", as_of, META, make_current=False)
    assert run_id_seen(workspace) == "rebuilt"


def test_a_rebuild_is_published_where_nothing_was(workspace, make_candidate):
    publish(make_candidate("20250331-01"), workspace, "20250331-01", AS_OF, META, make_current=False)
    assert run_id_seen(workspace) == "20250331-01"


def test_a_missing_candidate_is_named(workspace):
    with pytest.raises(PermanentError, match=r"candidate\.duckdb, found none"):
        publish(workspace.candidate, workspace, "20250331-01", AS_OF, META)


def test_a_storage_version_that_older_drivers_cannot_open_is_refused(workspace, make_candidate):
    candidate = make_candidate("20250331-01", storage="v1.5.0")
    with pytest.raises(PermanentError, match=r"v1\.2\.0 or older.*storage_compatibility_version"):
        publish(candidate, workspace, "20250331-01", AS_OF, META)


@pytest.mark.parametrize(
    "statement",
    [
        "create table main.leftover (x integer)",
        "create schema basis; create view basis.v as select 1 as x",
        "drop schema marts cascade",
        "drop schema marts cascade; create schema basis; create table basis.numbers (x integer)",
    ],
)
def test_only_marts_and_the_tables_they_show_are_published(workspace, make_candidate, statement):
    candidate = make_candidate("20250331-01")
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(statement)
    with pytest.raises(PermanentError, match="only tables that they show in basis"):
        publish(candidate, workspace, "20250331-01", AS_OF, META)
    assert not (workspace.published / "current").is_symlink()


def test_a_view_is_published_and_exported_as_a_table_is(workspace, make_candidate):
    candidate = make_candidate("20250331-01")
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(
            "create schema basis; create table basis.deal as select 7 as deal_no, 'O-7' as opportunity_id"
        )
        connection.execute("create table basis.state as select 7 as deal_no, 1250 as amount_cents")
        connection.execute(
            "create view marts.fct_state as select opportunity_id, (amount_cents / 100)::decimal(18, 2) as amount"
            " from basis.state inner join basis.deal using (deal_no)"
        )
    manifest = publish(candidate, workspace, "20250331-01", AS_OF, META)
    assert manifest.rows["fct_state"] == 1
    assert "deal" not in manifest.rows
    row = [("O-7", Decimal("12.50"))]
    with duckdb.connect() as connection:
        assert connection.execute(f"from '{workspace.published / 'parquet' / 'fct_state.parquet'}'").fetchall() == row
        connection.execute(f"attach '{workspace.published / 'marts.duckdb'}' as anything (read_only)")
        assert connection.execute("from anything.marts.fct_state").fetchall() == row


def test_a_view_that_names_its_own_file_is_refused(workspace, make_candidate):
    candidate = make_candidate("20250331-01")
    with duckdb.connect(str(candidate)) as connection:
        connection.execute("attach ':memory:' as scratch; create table scratch.main.numbers as select 1 as x")
        connection.execute("create view marts.v as select * from scratch.main.numbers")
    with pytest.raises(PermanentError, match=r"whatever the file is called.*\bv: .*in_version"):
        publish(candidate, workspace, "20250331-01", AS_OF, META)


def test_a_candidate_that_another_process_holds_can_be_tried_again(workspace, make_candidate):
    candidate = make_candidate("20250331-01")
    script = f"import duckdb, sys; c = duckdb.connect({str(candidate)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(TransientError, match="in use"):
            publish(candidate, workspace, "20250331-01", AS_OF, META)
        holder.communicate("")
    publish(candidate, workspace, "20250331-01", AS_OF, META)
    assert run_id_seen(workspace) == "20250331-01"


@pytest.mark.parametrize("run_id", ["../escape", "", ".hidden", "a/b"])
def test_a_run_id_cannot_lead_out_of_the_versions_folder(workspace, make_candidate, run_id):
    with pytest.raises(PermanentError, match="Expected a run id"):
        publish(make_candidate("x"), workspace, run_id, AS_OF, META)


def test_a_candidate_on_another_file_system_is_copied_whole(workspace, make_candidate, monkeypatch):
    rename = os.rename

    def across(source, target):
        if os.fspath(source).endswith("candidate.duckdb"):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr("flows.publish.swap.os.rename", across)
    publish(make_candidate("20250331-01"), workspace, "20250331-01", AS_OF, META)
    assert run_id_seen(workspace) == "20250331-01"
    assert not workspace.candidate.exists()
    assert not list(workspace.published.rglob("*.partial"))


def test_a_path_with_a_quote_is_written_to(tmp_path):
    space = Workspace(tmp_path / "o'neill 公司")
    manifest = publish(write_candidate(space.candidate, "a"), space, "a", AS_OF, META)
    assert manifest.rows["fct_opportunity"] == 300
    layout.remove_tree(space.published)

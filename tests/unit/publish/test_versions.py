"""Versions are kept, listed, checked and gone back to."""

from datetime import timedelta

import duckdb
import pytest

from flows.errors import PermanentError
from flows.publish.swap import publish
from flows.publish.versions import current_manifest, prune, rollback, verify, versions
from tests.unit.publish.conftest import AS_OF, META


@pytest.fixture
def publish_nights(workspace, make_candidate):
    """Publishes ``n`` nights named 20250331-01, 20250401-01 and so on."""

    def nights(n: int, keep_versions: int = 7, first: int = 0) -> list[str]:
        names = []
        for night in range(first, first + n):
            as_of = AS_OF + timedelta(days=night)
            run_id = f"{as_of:%Y%m%d}-01"
            publish(make_candidate(run_id, rows=50), workspace, run_id, as_of, META, keep_versions=keep_versions)
            names.append(run_id)
        return names

    return nights


def run_id_seen(workspace) -> str:
    with duckdb.connect(str(workspace.published / "marts.duckdb"), read_only=True) as connection:
        return connection.execute("select any_value(run_id) from marts.fct_opportunity").fetchone()[0]


def change_byte(path, position: int) -> None:
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)


def test_only_the_newest_versions_stay(workspace, publish_nights):
    names = publish_nights(4, keep_versions=3)
    assert [version.run_id for version in versions(workspace)] == names[:0:-1]
    assert not [path.name for path in (workspace.published / "v").iterdir() if path.name.startswith(".")]


def test_at_least_the_version_before_the_current_one_stays(workspace, publish_nights):
    names = publish_nights(3, keep_versions=1)
    assert [version.run_id for version in versions(workspace)] == [names[2], names[1]]


def test_the_version_that_readers_see_stays_however_old_it_is(workspace, publish_nights):
    names = publish_nights(4)
    rollback(workspace, names[0])
    assert prune(workspace, 2) == [names[1]]
    assert run_id_seen(workspace) == names[0]


def test_a_reader_goes_on_reading_a_version_that_was_dropped(workspace, publish_nights):
    names = publish_nights(1)
    with duckdb.connect(str(workspace.published / "marts.duckdb"), read_only=True) as holder:
        publish_nights(3, keep_versions=2, first=1)
        assert names[0] not in [version.run_id for version in versions(workspace)]
        assert holder.execute("select count(*), any_value(run_id) from marts.fct_opportunity").fetchone() == (
            50,
            names[0],
        )


def test_rollback_goes_to_the_version_published_before(workspace, publish_nights):
    names = publish_nights(3)
    assert rollback(workspace).run_id == names[1]
    assert run_id_seen(workspace) == names[1]
    assert rollback(workspace).run_id == names[0]
    with pytest.raises(PermanentError, match="older than the current one"):
        rollback(workspace)


def test_rollback_by_name_goes_back_and_forth_and_the_next_night_publishes_as_usual(
    workspace, publish_nights, make_candidate
):
    names = publish_nights(2)
    rollback(workspace, names[0])
    assert run_id_seen(workspace) == names[0]
    rollback(workspace, names[1])
    assert run_id_seen(workspace) == names[1]
    rollback(workspace, names[0])
    manifest = publish(make_candidate("20250402-01"), workspace, "20250402-01", AS_OF + timedelta(days=2), META)
    assert run_id_seen(workspace) == "20250402-01"
    assert manifest.sequence == 3


def test_an_unknown_version_is_refused_with_those_there_are(workspace, publish_nights):
    names = publish_nights(2)
    for call in (rollback, verify):
        with pytest.raises(PermanentError, match=rf"'20200101-01'.*{names[1]} \(current\), {names[0]}"):
            call(workspace, "20200101-01")


def test_before_the_first_publication_every_command_says_so(workspace):
    assert versions(workspace) == []
    assert current_manifest(workspace) is None
    for call in (rollback, verify):
        with pytest.raises(PermanentError, match="Nothing is published yet"):
            call(workspace)


def test_an_untouched_version_verifies_with_its_counts(workspace, publish_nights):
    names = publish_nights(2)
    for run_id in (None, *names):
        result = verify(workspace, run_id)
        assert (result.passed, result.faults, result.files, result.rows) == (True, (), 4, 100)


@pytest.mark.parametrize(
    ("file", "position"),
    [("planloop.duckdb", 20_000), ("parquet/fct_opportunity.parquet", 100), ("parquet/mart_deviation.parquet", -1)],
)
def test_one_changed_byte_is_found_and_such_a_version_is_not_gone_back_to(workspace, publish_nights, file, position):
    names = publish_nights(2)
    change_byte(workspace.published / "v" / names[0] / file, position)
    result = verify(workspace, names[0])
    assert not result.passed
    assert file in result.faults[0]
    assert "sha256" in result.faults[0]
    with pytest.raises(PermanentError, match="as it was published"):
        rollback(workspace, names[0])
    assert run_id_seen(workspace) == names[1]


@pytest.mark.parametrize("damage", ["{}", "", "not json"])
def test_a_damaged_manifest_is_listed_as_such_and_not_gone_back_to(workspace, publish_nights, damage):
    names = publish_nights(2)
    manifest = workspace.published / "v" / names[0] / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(damage)
    listed = {version.run_id: version for version in versions(workspace)}
    assert listed[names[0]].manifest is None
    assert "Expected a planloop manifest" in listed[names[0]].fault
    assert not verify(workspace, names[0]).passed
    with pytest.raises(PermanentError, match="Expected a planloop manifest"):
        rollback(workspace, names[0])


def test_a_missing_file_and_one_too_many_are_found(workspace, publish_nights):
    (name,) = publish_nights(1)
    folder = workspace.published / "v" / name
    folder.chmod(0o755)
    (folder / "parquet").chmod(0o755)
    (folder / "parquet" / "mart_deviation.parquet").unlink()
    (folder / "planloop.duckdb.wal").write_bytes(b"")
    faults = "\n".join(verify(workspace).faults)
    assert "mart_deviation.parquet: missing" in faults
    assert "planloop.duckdb.wal: not part of the version" in faults


def test_row_counts_that_are_not_the_manifests_are_found(workspace, publish_nights):
    (name,) = publish_nights(1)
    path = workspace.published / "v" / name / "manifest.json"
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"rows": 50', '"rows": 51', 1))
    assert verify(workspace).faults == ("fct_opportunity: rows in manifest 51, in DuckDB 50, in Parquet 50",)


def test_a_fixed_link_that_leads_elsewhere_is_found_and_mended_by_a_rollback(workspace, publish_nights):
    names = publish_nights(2)
    link = workspace.published / "marts.duckdb"
    link.unlink()
    link.symlink_to(f"v/{names[0]}/planloop.duckdb")
    assert "expected a link to current/planloop.duckdb" in verify(workspace).faults[0]
    rollback(workspace, names[1])
    assert verify(workspace).passed

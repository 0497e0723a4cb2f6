"""A publication killed anywhere leaves the last version readable, and the next call finishes the work."""

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.publish import layout
from flows.publish.swap import publish
from flows.publish.versions import verify, versions
from flows.workspace import Workspace
from tests.unit.publish.conftest import AS_OF, META, write_candidate

NEXT = date(2025, 4, 1)
# Kills itself at the n-th change of a file under published/; one fork a moment, so that libraries are loaded once.
DRIVER = """
import os, signal, sys
from datetime import date
from pathlib import Path
from flows.publish.manifest import Provenance
from flows.publish.swap import publish
from flows.workspace import Workspace

CHANGES = {"os.rename", "os.chmod", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "open"}

def night(root, moment):
    seen = 0
    def count(event, arguments):
        nonlocal seen
        if event in CHANGES and "/published" in str(arguments[0]):
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    workspace = Workspace(Path(root))
    meta = Provenance(code_version="0.1.0", config_hash="c0ffee")
    publish(workspace.candidate, workspace, "20250401-01", date(2025, 4, 1), meta, keep_versions=2)

for argument in sys.argv[1:]:
    root, moment = argument.rsplit("@", 1)
    child = os.fork()
    if child == 0:
        night(root, int(moment))
        os._exit(0)
    print(root, os.waitpid(child, 0)[1], flush=True)
"""
MOMENTS = range(1, 80, 2)


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> list[Workspace]:
    """One workspace for each moment at which a publication over two older versions was killed."""
    base = tmp_path_factory.mktemp("killed")
    first = Workspace(base / "first")
    first.prepare()
    for run_id in ("20250330-01", "20250331-01"):
        publish(write_candidate(first.candidate, run_id, rows=40), first, run_id, AS_OF, META)
    write_candidate(first.candidate, "20250401-01", rows=40)
    spaces = {}
    for moment in MOMENTS:
        space = Workspace(base / f"{moment:02}")
        shutil.copytree(first.root, space.root, symlinks=True)
        spaces[f"{space.root}@{moment}"] = space
    command = [sys.executable, "-c", DRIVER, *spaces]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    ends = [int(line.split()[1]) for line in done.stdout.splitlines()]
    yield [space for space, end in zip(spaces.values(), ends, strict=True) if end == 9]
    layout.remove_tree(base)


def run_id_seen(workspace: Workspace) -> str:
    with duckdb.connect(str(workspace.published / "marts.duckdb"), read_only=True) as connection:
        counts = connection.execute(
            "select min(run_id), max(run_id), count(*) from marts.fct_opportunity"
            " union all select min(run_id), max(run_id), count(*) from marts.mart_target_attainment"
        ).fetchall()
    assert len(set(counts)) == 1
    assert counts[0][2] == 40
    return counts[0][0]


def test_the_kills_are_spread_over_the_whole_publication(killed):
    assert 12 < len(killed) < len(MOMENTS), "fewer: the kills did not strike; all: widen MOMENTS"
    stages = {(run_id_seen(space), (space.published / "v" / "20250401-01").is_dir()) for space in killed}
    assert stages == {("20250331-01", False), ("20250331-01", True), ("20250401-01", True)}


def test_what_readers_see_stays_whole(killed):
    for space in killed:
        assert verify(space).faults == ()


def test_the_next_call_finishes_the_publication_and_leaves_nothing_behind(killed):
    for space in killed:
        finished = Workspace(space.root.with_name(f"{space.root.name}-finished"))
        shutil.copytree(space.root, finished.root, symlinks=True)
        manifest = publish(finished.candidate, finished, "20250401-01", NEXT, META, keep_versions=2)
        assert run_id_seen(finished) == manifest.run_id == "20250401-01"
        assert verify(finished).passed
        assert [version.run_id for version in versions(finished)] == ["20250401-01", "20250331-01"]
        assert not [path for path in finished.published.rglob(".*")]


def test_another_night_published_instead_sweeps_the_remains(killed):
    for space in killed[::3]:
        other = Workspace(space.root.with_name(f"{space.root.name}-other"))
        shutil.copytree(space.root, other.root, symlinks=True)
        other.candidate.unlink(missing_ok=True)
        publish(write_candidate(other.candidate, "20250402-01", rows=40), other, "20250402-01", NEXT, META)
        assert run_id_seen(other) == "20250402-01"
        assert verify(other).passed
        assert not [path for path in other.published.rglob(".*")]


def test_the_same_night_built_again_replaces_what_the_kill_left(killed):
    for space in killed[::3]:
        if run_id_seen(space) == "20250401-01":
            continue
        again = Workspace(space.root.with_name(f"{space.root.name}-again"))
        shutil.copytree(space.root, again.root, symlinks=True)
        again.candidate.unlink(missing_ok=True)
        candidate = write_candidate(again.candidate, "20250401-01", rows=40, order="-number")
        publish(candidate, again, "20250401-01", NEXT, META)
        assert run_id_seen(again) == "20250401-01"
        assert verify(again).passed

"""Readers in other processes while nights are published: who stays sees one version, who comes anew the newest."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.publish import layout
from flows.publish.manifest import Provenance
from flows.publish.swap import publish
from flows.publish.versions import verify
from flows.workspace import Workspace

TABLES = 12
NIGHTS = [date(2025, 3, 31) + timedelta(days=night) for night in range(4)]
META = Provenance(code_version="0.1.0", config_hash="c0ffee")

# Both readers open the published link as a BI driver does, and say as JSON what they see: run ids and rows by table.
LOOK = """
import json, sys
import duckdb
link = sys.argv[1]
def look(connection):
    names = [row[0] for row in connection.execute("select table_name from information_schema.tables").fetchall()]
    return {name: connection.execute(f"select min(run_id), max(run_id), count(*) from marts.{name}").fetchone()
            for name in sorted(names)}
def say(value):
    print(json.dumps(value), flush=True)
"""
# Holds one connection open. `look` reads by it, `anew` by a second connection of the same process.
HOLDER = f"""{LOOK}
held = duckdb.connect(link, read_only=True)
say("open")
for command in sys.stdin:
    if command == "look\\n":
        say(look(held))
    else:
        with duckdb.connect(link, read_only=True) as anew:
            say(look(anew))
"""
# Connects anew all the time until told to stop; says each look once it differs from the one before.
COMER = f"""{LOOK}
import threading
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
last, looks = None, 0
while True:
    stopping = stop.is_set()
    with duckdb.connect(link, read_only=True) as connection:
        seen = look(connection)
    looks += 1
    if seen != last:
        say(seen)
        last = seen
    if stopping:
        break
say(looks)
"""


def write_candidate(path: Path, night: int) -> Path:
    """Twelve tables that all say which night they are of; every night has other row counts and one table more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.2.0"}) as connection:
        connection.execute("create schema marts")
        for table in range(TABLES + night):
            connection.execute(
                f"create table marts.mart_{table:02} as select '{run_id(night)}' as run_id, range as n"
                f" from range({1000 * (night + 1)})"
            )
    return path


def run_id(night: int) -> str:
    return f"{NIGHTS[night]:%Y%m%d}-01"


def expected(night: int) -> dict[str, list]:
    name, rows = run_id(night), 1000 * (night + 1)
    return {f"mart_{table:02}": [name, name, rows] for table in range(TABLES + night)}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    space = Workspace(tmp_path / "workspace")
    space.prepare()
    publish_night(space, 0)
    yield space
    layout.remove_tree(space.published)


def publish_night(space: Workspace, night: int) -> None:
    publish(write_candidate(space.candidate, night), space, run_id(night), NIGHTS[night], META, keep_versions=2)


@contextmanager
def reader(space: Workspace, script: str) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-c", script, str(space.published / "marts.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.stdin.close()


def ask(process: subprocess.Popen, command: str) -> object:
    process.stdin.write(f"{command}\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def test_a_reader_that_stays_through_three_publications_sees_its_version_and_anew_the_newest(workspace):
    with reader(workspace, HOLDER) as holder:
        assert json.loads(holder.stdout.readline()) == "open"
        for night in (1, 2, 3):
            publish_night(workspace, night)
            assert ask(holder, "look") == expected(0), "the version it opened, though it has been dropped from the disk"
            assert ask(holder, "anew") == expected(night)
    assert verify(workspace).passed


def test_readers_that_connect_all_the_time_see_whole_versions_in_order_and_end_on_the_newest(workspace):
    with reader(workspace, COMER) as comer:
        seen = [json.loads(comer.stdout.readline())]
        for night in (1, 2, 3):
            publish_night(workspace, night)
        rest, _ = comer.communicate("stop\n")
    *looks, count = [json.loads(line) for line in rest.splitlines()]
    seen += looks
    assert comer.returncode == 0, "no connection failed"
    assert seen[0] == expected(0)
    assert seen[-1] == expected(3)
    assert [look for look in map(expected, range(4)) if look in seen] == seen, (
        "each look is one whole version, in order"
    )
    assert count >= len(seen)

"""Whole nights, run as a user runs them: the ``planloop`` command in a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

if TYPE_CHECKING:
    from tests.integration.demo_nights import DemoNights

PROJECT = Path(__file__).parents[2]
EXAMPLES = PROJECT / "config" / "examples"


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server for the session, as a team would run one: a night then costs a fraction of starting its own."""
    home = tmp_path_factory.mktemp("prefect")
    port = free_port()
    env = {**os.environ, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    log = (home / "server.log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env=env,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}/api"
    _wait_for(url + "/health", server)
    yield url
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(30)
    log.close()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            if server.poll() is not None:
                pytest.fail("the Prefect server ended while starting")
            time.sleep(0.2)
    pytest.fail("the Prefect server did not answer")


class Planloop:
    """The command, with a configuration and a workspace."""

    def __init__(self, config: Path, workspace: Path, env: dict[str, str]) -> None:
        self.config = config
        self.workspace = workspace
        self.env = env

    def command(self, *arguments: str) -> list[str]:
        """The words of the command line."""
        options = ["--config", str(self.config), "--workspace", str(self.workspace)]
        return [sys.executable, "-m", "flows.cli", *options, *arguments]

    def start_command(self, command: list[str]) -> subprocess.Popen[str]:
        """Start a command line in a process group of its own."""
        return subprocess.Popen(
            command,
            env=self.env,
            cwd=PROJECT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the command to its end and hold it to its exit code."""
        done = subprocess.run(
            self.command(*arguments), env=self.env, cwd=PROJECT, text=True, capture_output=True, check=False
        )
        assert done.returncode == expect, f"exit {done.returncode}, expected {expect}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, expect: int = 0) -> Any:
        """Run the command with ``--json`` and read what it prints."""
        return json.loads(self.run(*arguments, "--json", expect=expect).stdout)

    def query(self, sql: str, version: str | None = None) -> list[tuple[Any, ...]]:
        """Ask the published file, or an older version of it."""
        published = self.workspace / "published"
        path = published / "v" / version / "planloop.duckdb" if version else published / "marts.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def parquet(self, version: str | None = None) -> dict[str, bytes]:
        """The bytes of every published Parquet file by table."""
        published = self.workspace / "published"
        folder = published / "v" / version / "parquet" if version else published / "parquet"
        return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}

    def mails(self) -> list[Path]:
        """Mails delivered as files."""
        return sorted((self.workspace / "outbox").glob("*.eml"))


@pytest.fixture(scope="session")
def planloop(prefect_api: str) -> Callable[..., Planloop]:
    """Make a ``Planloop`` for a configuration and a workspace."""

    def make(config: Path, workspace: Path, **env: str) -> Planloop:
        return Planloop(config, workspace, {**os.environ, "PREFECT_API_URL": prefect_api, **env})

    return make


@pytest.fixture(scope="session")
def demo_inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Input files of the demo company for three successive nights, made once."""
    from flows.demo import DEFAULT_LAST_NIGHT, generate

    folder = tmp_path_factory.mktemp("demo") / "inputs"
    generate(folder, scale=1, seed=1, nights=3, last_night=DEFAULT_LAST_NIGHT)
    return folder


@pytest.fixture(scope="session")
def demo_dates() -> list[str]:
    """The dates of the nights of ``demo_inputs``, in order."""
    from datetime import timedelta

    from flows.demo import DEFAULT_LAST_NIGHT

    return [(DEFAULT_LAST_NIGHT - timedelta(days=back)).isoformat() for back in (2, 1, 0)]


@pytest.fixture(scope="session")
def demo_nights(
    planloop: Callable[..., Planloop],
    demo_inputs: Path,
    demo_dates: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> "DemoNights":
    """The demo company's nights, run once; what goes on from them is in one worker (tests/conftest.py)."""
    from tests.integration.demo_nights import run_nights

    company = planloop(PROJECT / "config", tmp_path_factory.mktemp("nights") / "company")
    return run_nights(company, demo_inputs, demo_dates)

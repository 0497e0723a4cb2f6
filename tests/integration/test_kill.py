"""A night killed at any moment: the published version stays, the next run finishes, no mail is lost or doubled."""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from flows.operate.night import STAGES
from tests.integration.conftest import PROJECT, Planloop, free_port

IN_FLIGHT = -1.0
MOMENTS = [
    ("start", 0.0),
    ("land", 0.0),
    ("validate", 0.5),
    ("record", 0.0),
    ("build", 1.5),
    ("plan", 0.0),
    ("forecast", 0.0),
    ("outlook", 0.5),
    ("audit", 1.0),
    ("publish", 0.0),
    ("publish", 0.1),
    ("notify", IN_FLIGHT),
    ("report", 0.0),
]
"""Stage, and seconds after it has begun. Every stage is hit at least once, ``publish`` in the middle too, and
``notify`` while the server has the first mail and has not yet said so."""

ORDER = ("start", *STAGES)


class Inbox:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.kills: int | None = None
        """The process group that dies while its next mail is in flight."""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one message."""
        self.received.append(bytes(envelope.content or b""))
        if self.kills is not None:
            os.killpg(self.kills, signal.SIGKILL)
            self.kills = None
        return "250 kept"

    def ids(self) -> Counter[str]:
        """How often each Message-ID came."""
        return Counter(str(message_from_bytes(content)["Message-ID"]) for content in self.received)


@pytest.fixture(scope="module")
def inbox() -> Iterator[tuple[Inbox, int]]:
    """The inbox and its port."""
    handler = Inbox()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield handler, controller.port
    controller.stop()


@pytest.fixture(scope="module")
def config(inbox: tuple[Inbox, int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo company's configuration, with a mail server."""
    folder = tmp_path_factory.mktemp("config")
    for file in (PROJECT / "config").glob("*.yaml"):
        shutil.copy(file, folder)
    settings = yaml.safe_load((folder / "settings.yaml").read_text())
    settings["mail"]["smtp"] = {"host": "127.0.0.1", "port": inbox[1], "security": "none"}
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
    return folder


@pytest.fixture(scope="module")
def first_night(
    config: Path,
    planloop: Callable[..., Planloop],
    demo_inputs: Path,
    demo_nights: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A workspace after one good night."""
    workspace = tmp_path_factory.mktemp("first") / "workspace"
    shutil.copytree(demo_inputs, workspace / "inputs")
    planloop(config, workspace).run("refresh", "--as-of", demo_nights[0])
    return workspace


@pytest.fixture(scope="module")
def undisturbed(
    config: Path,
    planloop: Callable[..., Planloop],
    first_night: Path,
    inbox: tuple[Inbox, int],
    demo_nights: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, bytes], set[str]]:
    """What the second night publishes and mails when nobody kills it."""
    workspace = tmp_path_factory.mktemp("undisturbed") / "workspace"
    shutil.copytree(first_night, workspace, symlinks=True)
    inbox[0].received.clear()
    loop = planloop(config, workspace)
    loop.run("refresh", "--as-of", demo_nights[1])
    assert inbox[0].received, "the second night has something to say, or this test shows nothing about mail"
    return loop.parquet(), set(inbox[0].ids())


def test_a_night_killed_at_every_moment_changes_nothing_until_a_run_finishes_it(
    config: Path,
    planloop: Callable[..., Planloop],
    first_night: Path,
    undisturbed: tuple[dict[str, bytes], set[str]],
    inbox: tuple[Inbox, int],
    demo_nights: list[str],
    tmp_path: Path,
) -> None:
    """One night, killed at each moment in turn: every run takes up what the killed one before it had left."""
    workspace = tmp_path / "workspace"
    shutil.copytree(first_night, workspace, symlinks=True)
    loop = planloop(config, workspace)
    before = loop.parquet()
    inbox[0].received.clear()

    for stage, delay in MOMENTS:
        _run_and_kill(loop, demo_nights[1], stage, delay, inbox[0])

        as_of = loop.query("select distinct as_of_date::varchar from marts.fct_opportunity")
        assert as_of in ([(demo_nights[0],)], [(demo_nights[1],)]), stage
        assert loop.parquet() == (before if as_of == [(demo_nights[0],)] else undisturbed[0]), stage
        is_published = as_of == [(demo_nights[1],)]
        assert is_published or ORDER.index(stage) <= ORDER.index("publish"), stage
        assert not is_published or ORDER.index(stage) >= ORDER.index("publish"), stage

    loop.run("refresh", "--as-of", demo_nights[1])
    _is_whole(loop, undisturbed, inbox[0])


def test_a_night_killed_amid_its_publication_is_finished_by_the_next_run(
    config: Path,
    planloop: Callable[..., Planloop],
    first_night: Path,
    undisturbed: tuple[dict[str, bytes], set[str]],
    inbox: tuple[Inbox, int],
    demo_nights: list[str],
    tmp_path: Path,
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(first_night, workspace, symlinks=True)
    loop = planloop(config, workspace)
    inbox[0].received.clear()

    _run_and_kill(loop, demo_nights[1], "publish", 0.1, inbox[0])
    loop.run("refresh", "--as-of", demo_nights[1])
    _is_whole(loop, undisturbed, inbox[0])


def _is_whole(loop: Planloop, undisturbed: tuple[dict[str, bytes], set[str]], inbox: Inbox) -> None:
    """The night as if nobody had killed it; a mail that was in flight at the time may have come twice."""
    assert loop.parquet() == undisturbed[0]
    received = inbox.ids()
    assert set(received) == undisturbed[1]
    assert max(received.values()) <= 2
    assert sum(received.values()) <= len(received) + 1
    assert not list(loop.workspace.rglob("*.wal"))


def _run_and_kill(loop: Planloop, night: str, stage: str, delay: float, inbox: Inbox) -> None:
    """Run a night that does not live to its end."""
    command = loop.command("refresh", "--as-of", night)
    if delay != IN_FLIGHT:
        command[2:3] = ["tests.integration.killed", stage, str(delay)]
    process = loop.start_command(command)
    if delay == IN_FLIGHT:
        inbox.kills = process.pid
    output, _ = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, f"the night ended before {stage} could be interrupted:\n{output}"

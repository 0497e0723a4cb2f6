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
from tests.integration.demo_nights import DemoNights, Seen

IN_FLIGHT = -1.0
AMID_PUBLICATION = ("publish", 0.1)
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
    AMID_PUBLICATION,
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
    folder = tmp_path_factory.mktemp("mailing") / "config"
    shutil.copytree(PROJECT / "config", folder)
    settings = yaml.safe_load((folder / "settings.yaml").read_text())
    settings["mail"]["smtp"] = {"host": "127.0.0.1", "port": inbox[1], "security": "none"}
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
    return folder


def test_a_night_killed_at_every_moment_changes_nothing_until_a_run_finishes_it(
    config: Path,
    planloop: Callable[..., Planloop],
    demo_nights: DemoNights,
    demo_dates: list[str],
    inbox: tuple[Inbox, int],
    tmp_path: Path,
) -> None:
    """One night, killed at each moment in turn: every run takes up what the killed one before it had left.

    What nobody killed was published in another workspace: that the files are the same to the byte shows, too, that
    nothing in them is of the place or the moment.
    """
    loop, amid = planloop(config, tmp_path / "workspace"), planloop(config, tmp_path / "amid")
    shutil.copytree(demo_nights.after_first, loop.workspace, symlinks=True)
    before, undisturbed = loop.parquet(), demo_nights.second
    assert undisturbed.mails, "the second night has something to say, or this test shows nothing about mail"

    for stage, delay in MOMENTS:
        _run_and_kill(loop, demo_dates[1], stage, delay, inbox[0])

        as_of = loop.query("select distinct as_of_date::varchar from marts.fct_opportunity")
        assert as_of in ([(demo_dates[0],)], [(demo_dates[1],)]), stage
        assert loop.parquet() == (before if as_of == [(demo_dates[0],)] else undisturbed.parquet), stage
        is_published = as_of == [(demo_dates[1],)]
        assert is_published or ORDER.index(stage) <= ORDER.index("publish"), stage
        assert not is_published or ORDER.index(stage) >= ORDER.index("publish"), stage
        if (stage, delay) == AMID_PUBLICATION:
            shutil.copytree(loop.workspace, amid.workspace, symlinks=True)

    loop.run("refresh", "--as-of", demo_dates[1])
    _is_whole(loop, undisturbed, inbox[0])

    # The next run alone finishes a publication that was interrupted.
    inbox[0].received.clear()
    amid.run("refresh", "--as-of", demo_dates[1])
    _is_whole(amid, undisturbed, inbox[0])


def _is_whole(loop: Planloop, undisturbed: Seen, inbox: Inbox) -> None:
    """The night as if nobody had killed it; a mail that was in flight at the time may have come twice."""
    assert loop.parquet() == undisturbed.parquet
    received = inbox.ids()
    assert set(received) == undisturbed.message_ids()
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

"""Three nights of the demo company, run once for all tests that look at them or go on from them.

The export of the third night comes twice: first with half of its opportunities gone, which is refused, then whole.
"""

import email
import email.policy
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from flows.demo import vanish

if TYPE_CHECKING:
    from tests.integration.conftest import Planloop


@dataclass(frozen=True)
class Seen:
    """What can be seen of a company from outside after a run."""

    said: str
    """What the run printed."""
    current: str
    """The run that readers see."""
    parquet: Mapping[str, bytes]
    mails: Mapping[str, EmailMessage]
    """Mails that this run sent, by file name."""
    recorded: tuple[str, ...]
    """Files of the change log that are named for the night."""

    def message_ids(self) -> set[str]:
        """Ids of the mails that this run sent."""
        return {str(message["Message-ID"]) for message in self.mails.values()}


@dataclass(frozen=True)
class DemoNights:
    """The company after its nights, a copy of its workspace after the first, and what each of the others showed."""

    company: "Planloop"
    after_first: Path
    second: Seen
    refused: Seen
    third: Seen


def run_nights(company: "Planloop", inputs: Path, nights: list[str]) -> DemoNights:
    """Run the nights in an empty workspace.

    Args:
        company: its workspace does not exist yet.
        inputs: as ``flows.demo.generate`` has written them; left as they are.
        nights: their three dates.
    """
    first, second, third = nights
    own_inputs = company.workspace / "inputs"
    shutil.copytree(inputs, own_inputs)
    company.run("refresh", "--as-of", first)
    after_first = company.workspace.with_name("after_first")
    shutil.copytree(company.workspace, after_first, symlinks=True)
    after_second = seen(company, second)
    vanish(own_inputs, date.fromisoformat(third), 0.5)
    refused = seen(company, third, expect=4)
    shutil.copytree(inputs / third, own_inputs / third, dirs_exist_ok=True)
    return DemoNights(company, after_first, after_second, refused, seen(company, third))


def seen(company: "Planloop", night: str, expect: int = 0) -> Seen:
    """Run a night and look at what came of it."""
    before = set(company.mails())
    done = company.run("refresh", "--as-of", night, expect=expect)
    return Seen(
        said=done.stdout + done.stderr,
        current=current(company),
        parquet=company.parquet(),
        mails={path.name: read_mail(path) for path in company.mails() if path not in before},
        recorded=tuple(str(path) for path in (company.workspace / "history").rglob(f"{night}.parquet")),
    )


def current(company: "Planloop") -> str:
    """The run that readers see."""
    return str(json.loads((company.workspace / "published" / "manifest.json").read_text())["run_id"])


def read_mail(path: Path) -> EmailMessage:
    """A mail that was delivered as a file."""
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.SMTP)

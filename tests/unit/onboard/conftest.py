"""Exports as vendors and people make them, and the proposal for each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.config.sources import Reading
from flows.config.stages import Stages
from flows.onboard.funnel import Funnel
from flows.onboard.looking import look
from flows.onboard.proposal import Answers, Proposal
from flows.onboard.propose import Known, propose

Propose = Callable[..., tuple[Proposal, Funnel]]


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """Write a file: its lines, in an encoding, with the line ends of Windows."""

    def make(name: str, text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.strip("\n").replace("\n", "\r\n").encode(encoding))
        return path

    return make


@pytest.fixture
def proposed(export: Callable[..., Path]) -> Propose:
    """The proposal for a text file of one table."""

    def run(
        name: str,
        text: str,
        *answers: str,
        encoding: str = "utf-8",
        stages: Stages | None = None,
        currency: str | None = "USD",
        zone: str | None = "UTC",
        defaults: Reading | None = None,
        **options: Any,
    ) -> tuple[Proposal, Funnel]:
        (part,) = look(export(name, text, encoding))
        known = Known(defaults=defaults or Reading(), stages=stages, currency=currency, zone=zone)
        return propose(part, known, Answers(answers), **options)

    return run


def columns(proposal: Proposal) -> dict[str, Any]:
    """What stands under ``columns``."""
    return dict(proposal.entry()["columns"])


def asked(proposal: Proposal) -> list[str]:
    """Names of the open questions."""
    return [question.id for question in proposal.questions]


def said(proposal: Proposal) -> set[str]:
    """Codes of what was assumed."""
    return {sentence.code for sentence in proposal.said}

"""What all commands share: what the options of ``planloop`` itself settle, the two consoles, and common options."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from flows.config import Config, load
from flows.errors import ConfigError
from flows.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Engine

PROJECT = Path(__file__).parents[2]

# What is printed are names and texts of a company: a bracket or a colon in them is no mark-up.
console = Console(markup=False, emoji=False)
errors = Console(stderr=True, markup=False, emoji=False)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", formats=["%Y-%m-%d"], help="Business date of the night; by default the one that has just ended."
    ),
]


@dataclass(frozen=True)
class Command:
    """What the options of ``planloop`` itself settle for every command."""

    config_folder: Path
    workspace: Workspace
    env: dict[str, str]

    def config(self) -> Config:
        """The company's configuration."""
        return load(self.config_folder, self.env)


def known_state(command: Command) -> "Engine | None":
    """The operational state; None before the first run of a workspace. Looking makes nothing."""
    from flows.state.database import open_state

    url = command.config().settings.state_url
    if url is None and not command.workspace.state_file.is_file():
        return None
    return open_state(url or command.workspace.state_url)


def today(time_zone: ZoneInfo) -> date:
    """The business date that has just ended, or is about to."""
    from flows.operate.schedule import business_date

    return business_date(datetime.now(time_zone))


def zone(command: Command) -> ZoneInfo:
    """The company's time zone; UTC while its settings cannot be read."""
    try:
        return command.config().settings.zone
    except ConfigError:
        return ZoneInfo("UTC")


def is_chinese(command: Command) -> bool:
    """Whether the company reads Chinese."""
    return command.config().settings.language == "zh"

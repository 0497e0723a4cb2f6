"""A company of one source: its files in, accounts and judged rows out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.config.settings import Settings
from flows.config.sources import Sources
from flows.config.stages import Stages
from flows.ingest.accounting import FileAccount
from flows.ingest.landing import land
from flows.ingest.validation import validate
from flows.workspace import Workspace

AS_OF = date(2024, 3, 31)
SETTINGS = Settings.model_validate(
    {
        "company": {"name": "示例"},
        "time_zone": "Asia/Shanghai",
        "language": "zh",
        "reporting_currency": "CNY",
        "operator": {"email": "ops@example.com"},
        "mail": {"sender": "planloop@example.com", "fallback_recipient": "leader@example.com"},
    }
)
STAGES = Stages.model_validate(
    {
        "stages": [
            {"key": "qualification", "name_en": "Qualification", "name_zh": "需求挖掘", "aliases": ["Qualify"]},
            {"key": "won", "name_en": "Won", "name_zh": "合同签订", "closed": "won"},
            {"key": "lost", "name_en": "Lost", "name_zh": "流失", "closed": "lost"},
        ]
    }
)


@dataclass(frozen=True)
class Night:
    """What a night made of the files."""

    accounts: list[FileAccount]
    accepted: pl.DataFrame
    rejected: pl.DataFrame


def run_night(root: Path, sources: dict[str, Any], defaults: dict[str, Any] | None = None) -> Night:
    """Land and validate; sources of one entity."""
    configured = Sources.model_validate({"defaults": defaults or {}, "sources": sources}).sources
    workspace = Workspace(root / "workspace")
    landed = land(configured, workspace, AS_OF, sleep=lambda _: None)
    accounts = validate(landed, configured, SETTINGS, STAGES, workspace, AS_OF)
    accepted = sorted((workspace.build / "accepted").rglob("*.parquet"))
    rejected = sorted((workspace.build / "rejected").glob("*.parquet"))
    return Night(
        accounts=accounts,
        accepted=pl.concat([pl.read_parquet(file) for file in accepted], how="diagonal")
        if accepted
        else pl.DataFrame(),
        rejected=pl.concat([pl.read_parquet(file) for file in rejected]) if rejected else pl.DataFrame(),
    )


@pytest.fixture
def night(tmp_path: Path) -> Callable[..., Night]:
    """Run a night in a fresh workspace."""
    return lambda sources, defaults=None: run_night(tmp_path, sources, defaults)

"""What a night would make of the proposed sources: real landing and validation, in a workspace that is thrown away."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from flows.config.loader import load
from flows.errors import ConfigError
from flows.ingest.landing import land
from flows.ingest.validation import validate
from flows.workspace import Workspace

_SHOWN = 10


@dataclass(frozen=True)
class Rehearsal:
    """What became of one source.

    Attributes:
        source: its name.
        status: accepted, refused or missing.
        message: why it was refused.
        rows_in, rows_accepted, rows_quarantined: records.
        reasons: cells by column and reason: ``column``, ``reason_en``, ``reason_zh``, ``rows``, ``sample``.
        stages: accepted records by stage, for opportunities.
    """

    source: str
    status: str
    message: str | None
    rows_in: int
    rows_accepted: int
    rows_quarantined: int
    reasons: list[dict[str, Any]]
    stages: dict[str, int]


def rehearse(texts: Mapping[str, str], names: Sequence[str], env: Mapping[str, str], as_of: date) -> list[Rehearsal]:
    """Land and validate some sources of a configuration that is not written yet.

    Args:
        texts: the four files.
        names: the sources.
        env: variables that paths may use.
        as_of: date of the night.

    Raises:
        ConfigError: the configuration does not load.
    """
    with tempfile.TemporaryDirectory(prefix="planloop-onboard-") as folder:
        place = Path(folder)
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8")
        try:
            config = load(place, env)
        except ConfigError as error:
            raise ConfigError([fault.replace(f"{folder}/", "") for fault in error.faults]) from None
        workspace = Workspace(place / "workspace")
        workspace.prepare()
        sources = {name: config.sources.sources[name] for name in names}
        landed = land(sources, workspace, as_of)
        accounts = validate(landed, sources, config.settings, config.stages, workspace, as_of)
        return [_result(account.to_record(), workspace) for account in accounts]


def _result(account: dict[str, Any], workspace: Workspace) -> Rehearsal:
    build = workspace.build
    reasons: list[dict[str, Any]] = []
    for path in sorted((build / "rejected").glob(f"*-{account['source']}-*.parquet")):
        reasons += (
            pl.read_parquet(path)
            .group_by("column", "reason_en", "reason_zh", maintain_order=True)
            .agg(rows=pl.len(), sample=pl.col("value").drop_nulls().first())
            .sort("rows", descending=True)
            .head(_SHOWN)
            .to_dicts()
        )
    stages: dict[str, int] = {}
    if account["entity"] == "opportunity":
        for path in sorted((build / "accepted" / "opportunity").glob(f"*-{account['source']}-*.parquet")):
            counted = pl.read_parquet(path, columns=["stage"])["stage"].value_counts(sort=True)
            stages = dict(counted.iter_rows())
    fields = ("source", "status", "message", "rows_in", "rows_accepted", "rows_quarantined")
    return Rehearsal(**{name: account[name] for name in fields}, reasons=reasons, stages=stages)

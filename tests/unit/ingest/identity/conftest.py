"""A company with people, customers, a mapping sheet and one sheet that names them, through landing to identity."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.config.settings import Settings
from flows.config.sources import Sources
from flows.ingest.accounting import FileAccount
from flows.ingest.identity import resolve
from flows.ingest.landing import land
from flows.ingest.validation import borders_of, judge
from flows.workspace import Workspace
from schemas.registry import ENTITIES
from tests.unit.ingest.conftest import AS_OF, SETTINGS, STAGES

Table = Sequence[Mapping[str, Any]]


@dataclass
class Company:
    """What the sources of one night hold, by entity; the columns are planloop's own."""

    root: Path
    modes: dict[str, str] = field(default_factory=dict)
    names: str = "without_legal_form"
    before: dict[str, pl.DataFrame] = field(default_factory=dict)
    accounts: list[FileAccount] = field(default_factory=list)

    def night(self, **tables: Table) -> "Company":
        """Land, validate and resolve one night; each table is one CSV file named by its entity."""
        sources = {}
        for entity, rows in tables.items():
            path = self.root / "in" / f"{entity}.csv"
            path.parent.mkdir(exist_ok=True)
            columns = list(dict.fromkeys(name for row in rows for name in row)) or list(ENTITIES[entity].key())
            with path.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, columns, restval="")
                writer.writeheader()
                writer.writerows(rows)
            sources[f"{entity}s"] = {
                "entity": entity,
                "path": str(path),
                "mode": self.modes.get(entity, "full"),
                "columns": {name: {"from": name, "map": "stages"} if name == "stage" else name for name in columns},
            }
        configured = Sources.model_validate({"sources": sources}).sources
        self.workspace = Workspace(self.root / "workspace")
        settings = Settings.model_validate({**SETTINGS.model_dump(), "identity": {"names": self.names}})
        landed = land(configured, self.workspace, AS_OF, sleep=lambda _: None)
        borders = borders_of(landed, configured, settings, STAGES, self.workspace, AS_OF)
        accounts = judge(borders, configured, settings, STAGES, self.workspace, AS_OF)
        self.accounts = resolve(borders, accounts, configured, settings, self.workspace.build, self._last_known)
        for account in self.accounts:
            assert account.rows_in == account.rows_accepted + account.rows_quarantined
        return self

    def _last_known(self, entity: str, columns: Sequence[str]) -> pl.DataFrame:
        known = self.before.get(entity)
        if known is None:
            known = pl.DataFrame(schema={**ENTITIES[entity].dtypes(), "_source": pl.String()})
        return known.select(*columns, "_source")

    def remember(self, entity: str, rows: Table, source: str) -> None:
        """Rows that the change log holds from earlier nights."""
        dtypes = ENTITIES[entity].dtypes()
        self.before[entity] = pl.DataFrame(
            [{name: row.get(name) for name in dtypes} | {"_source": source} for row in rows],
            schema={**dtypes, "_source": pl.String()},
        )

    def ids(self, entity: str, *columns: str) -> list[tuple]:
        """Columns of the accepted rows of an entity, in file order."""
        files = sorted((self.workspace.build / "accepted" / entity).glob("*.parquet"))
        return pl.concat([pl.read_parquet(file) for file in files]).sort("_row").select(columns).rows()

    @property
    def rejected(self) -> pl.DataFrame:
        """Quarantined cells."""
        files = sorted((self.workspace.build / "rejected").glob("*.parquet"))
        return pl.concat([pl.read_parquet(file) for file in files])

    def ambiguous(self) -> list[tuple[int, str, str, list[str], int]]:
        """Row, column, value, ids of the candidates and the number of those not listed, of ambiguous names."""
        found = self.rejected.filter(pl.col("reason_code") == "ambiguous_name").sort("row", "column")
        result = []
        for row in found.iter_rows(named=True):
            candidates = json.loads(row["candidates"])
            ids = [one["id"] for one in candidates["known"]]
            result.append((row["row"], row["column"], row["value"], ids, candidates["more"]))
        return result

    def notice(self, source: str) -> str | None:
        """What was told about a source's file."""
        (account,) = [account for account in self.accounts if account.source == source]
        return account.notice_en


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """An empty company."""
    return Company(tmp_path)

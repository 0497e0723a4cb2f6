"""One demo company for all tests, and its files read without planloop's readers."""

import csv
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.demo import DEFAULT_LAST_NIGHT, DemoManifest, generate

ENCODINGS = {"contacts.csv": "gb18030"}


@dataclass(frozen=True)
class Company:
    """The files of a generated company, and what is said to be true about them."""

    manifest: DemoManifest
    truths: dict[str, Any]

    @property
    def last(self) -> date:
        return self.manifest.nights[-1]

    def folder(self, night: date) -> Path:
        return self.manifest.folder / night.isoformat()

    def night(self, night: date) -> dict[str, Any]:
        """Truths of one night."""
        found: dict[str, Any] = self.truths["nights"][night.isoformat()]
        return found

    def records(self, night: date, file: str) -> list[list[str]]:
        """All records of a CSV file, the header first."""
        path = self.folder(night) / file
        with path.open(encoding=ENCODINGS.get(path.name, "utf-8-sig"), newline="") as stream:
            return list(csv.reader(stream))

    def good(self, night: date, file: str) -> list[dict[str, str]]:
        """Records of a CSV file without the rows that are known to be dirty."""
        dirty = {row["row"] for row in self.night(night)["dirty"] if row["file"] == file}
        header, *records = self.records(night, file)
        return [
            dict(zip(header, record, strict=True))
            for number, record in enumerate(records, start=2)
            if number not in dirty
        ]

    def sql(self, query: str, night: date) -> list[tuple[Any, ...]]:
        """Rows of a query in which ``{history}`` stands for the night's Parquet files."""
        history = f"read_parquet('{self.folder(night)}/crm/opportunity_history*.parquet')"
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'Asia/Shanghai'")
            return connection.execute(query.format(history=history)).fetchall()


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Three nights of a company of scale 1."""
    manifest = generate(tmp_path_factory.mktemp("demo"), scale=1, seed=1, nights=3, last_night=DEFAULT_LAST_NIGHT)
    return Company(manifest, json.loads(manifest.truths.read_text(encoding="utf-8")))


def amount(text: str) -> int:
    """Hundredths of an amount as the CRM writes it."""
    return round(float(text.replace("HKD", "").strip(" ￥$").replace(",", "")) * 100)

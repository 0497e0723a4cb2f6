"""A killed night goes on only with the code it began with; words that decide what a column is are code."""

from pathlib import Path

import pytest

from flows.operate import night

FILES = [
    "flows/a.py",
    "flows/check/texts.yaml",
    "schemas/b.py",
    "schemas/synonyms.yaml",
    "dbt_project/m.sql",
    "dbt_project/m.yml",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project with each kind of file."""
    for name in [*FILES, "dbt_project/target/compiled.sql", "README.md"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("before", encoding="utf-8")
    monkeypatch.setattr(night, "PROJECT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_each_file_that_makes_marts_counts(project, name):
    before = night.code_fingerprint()
    (project / name).write_text("after", encoding="utf-8")
    assert night.code_fingerprint() != before


@pytest.mark.parametrize("name", ["dbt_project/target/compiled.sql", "README.md"])
def test_what_makes_no_marts_does_not_count(project, name):
    before = night.code_fingerprint()
    (project / name).write_text("after", encoding="utf-8")
    assert night.code_fingerprint() == before

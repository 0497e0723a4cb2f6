"""Marts of a way of selling are built where the company sells that way, and nothing else leans on them."""

import shutil
from pathlib import Path

import pytest

from flows.config import load
from flows.warehouse.tasks import flavours_off

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo company's configuration, to be changed."""
    return Path(shutil.copytree(PROJECT / "config", tmp_path / "config", ignore=shutil.ignore_patterns("examples")))


def off(folder: Path) -> list[str]:
    """What dbt leaves out for a configuration."""
    return flavours_off(load(folder, {"PLANLOOP_WORKSPACE": "w"}))


def test_a_company_that_exports_stores_sells_through_a_channel(folder):
    assert off(folder) == []


def test_a_company_without_stores_has_no_channel():
    assert flavours_off(load(PROJECT / "config/examples/maven", {"PLANLOOP_DATA": "d", "PLANLOOP_WORKSPACE": "w"})) == [
        "tag:channel"
    ]


def test_settings_have_the_last_word(folder):
    settings = folder / "settings.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\nflavours: []\n", encoding="utf-8")
    assert off(folder) == ["tag:channel"]

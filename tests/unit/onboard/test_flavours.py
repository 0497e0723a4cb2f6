"""A new company's configuration loads, passes the check of its plan, and never overwrites what is there."""

import glob
import re
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.config.loader import load
from flows.config.plan.model import PlanFlavour
from flows.errors import ConfigError
from flows.onboard.flavours import new_company, write_company

FLAVOURS = get_args(PlanFlavour)
HAN = re.compile(r"[\u4e00-\u9fff]")


def planloop(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(folder), "--workspace", str(folder.parent / "var"), *words])


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_each_flavour_loads_and_its_plan_passes_the_check(tmp_path: Path, flavour: str, language: str) -> None:
    folder = tmp_path / "[new] company"
    words = ["--language", language, "--year", "2031", *([] if language == "zh" else ["--country", "United States"])]
    made = planloop(folder, "init", str(folder), "--flavour", flavour, *words)
    assert made.exit_code == 0, made.output
    # What was written does not say where: the folder may be moved as a whole.
    folder = folder.rename(tmp_path / "[moved] company")
    config = load(folder, {})
    assert [(plan.year, plan.flavour) for plan in config.plans] == [(2031, flavour)]
    assert config.settings.language == language
    assert ("channel" in config.flavours) == (flavour == "channel")
    for source in config.sources.sources.values():
        assert glob.glob(source.path[0]) == [str(folder / "exports" / f"{source.name}.csv")]
    checked = planloop(folder, "plan", "check", "2031", "--json")
    assert checked.exit_code == 0, checked.output
    comments = [
        line.partition("#")[2] for path in folder.rglob("*.yaml") for line in path.read_text("utf-8").splitlines()
    ]
    assert any(HAN.search(comment) for comment in comments) == (language == "zh")


def test_the_plan_of_a_small_company_is_one_page() -> None:
    texts = new_company(Path("/c"), "small", "zh", "CN", 2026)
    assert texts[Path("/c/plans/2026.yaml")].count("\n") <= 32


def test_nothing_is_overwritten_and_nothing_written_beside_it(tmp_path: Path) -> None:
    (tmp_path / "stages.yaml").write_text("ours", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"stages.yaml: expected no file, found one"):
        write_company(new_company(tmp_path, "saas", "en", "US", 2026), tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["stages.yaml"]


def test_the_country_is_asked_for_and_brings_its_zone_and_currency(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    words = ("init", str(folder), "--flavour", "small", "--language", "en")
    asked = planloop(folder, *words)
    assert asked.exit_code == 2
    assert "--country" in asked.output
    assert not folder.exists()
    assert planloop(folder, *words, "--country", "germany").exit_code == 0
    settings = load(folder, {}).settings
    assert (settings.calendar.country, settings.time_zone, settings.reporting_currency) == (
        "DE",
        "Europe/Berlin",
        "EUR",
    )

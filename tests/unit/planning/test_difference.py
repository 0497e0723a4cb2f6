"""What differs between two versions of a plan is told entry by entry, field by field."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.config.plan.model import Plan, resolved
from flows.errors import ConfigError
from flows.planning.difference import find_version, of_plans, of_versions

PLAN = {
    "year": 2026,
    "goals": [{"id": "G1", "name": "grow", "initiatives": [{"id": "I1", "name": "fairs", "budget": "30万"}]}],
    "versions": [
        {
            "id": "v1",
            "effective_on": "2026-01-01",
            "decided_by": "u1",
            "reason": "annual plan",
            "targets": [{"metric": "bookings", "base": "1200万"}, {"metric": "won_count", "base": 30}],
            "people": [{"user_id": "r1", "region": "North"}],
        },
        {
            "id": "v2",
            "effective_on": "2026-07-01",
            "decided_by": "u1",
            "reason": "half-year revision",
            "targets": [{"metric": "bookings", "base": "1500万", "proposals": {"growth": "25%"}}],
            "people": [{"user_id": "r1", "left_on": "2026-07-31"}, {"user_id": "r2"}],
        },
    ],
}


def lines(found) -> list[tuple[str, ...]]:
    return [(one.section, one.entry, one.field, one.change, one.before, one.after) for one in found]


def test_two_versions_are_compared_with_what_each_takes_over():
    first, second = resolved(Plan.model_validate(PLAN))
    assert lines(of_versions(first, second)) == [
        ("version", "", "effective_on", "changed", "2026-01-01", "2026-07-01"),
        ("version", "", "reason", "changed", "annual plan", "half-year revision"),
        ("targets", "bookings · company", "base", "changed", "12,000,000", "15,000,000"),
        ("targets", "bookings · company", "proposals.growth", "changed", "", "0.25"),
        ("targets", "bookings · company", "proposals.trend", "changed", "", "no"),
        ("targets", "bookings · company", "proposals.capacity", "changed", "", "no"),
        ("people", "r1", "left_on", "changed", "", "2026-07-31"),
        ("people", "r2", "", "added", "", "quota: 1, active_share: 1, potential: 1"),
    ]
    assert of_versions(second, second) == ()


def test_two_states_of_a_file_are_compared_as_written():
    before = Plan.model_validate(PLAN)
    changed = {**PLAN, "goals": [], "versions": [PLAN["versions"][0], {**PLAN["versions"][1], "targets": []}]}
    found = of_plans(before, Plan.model_validate(changed))
    assert [(one.version, one.section, one.entry, one.change) for one in found] == [
        ("", "goals", "G1", "removed"),
        ("", "initiatives", "I1", "removed"),
        ("v2", "targets", "bookings · company", "removed"),
    ]
    assert of_plans(before, before) == ()


def test_a_version_that_is_not_there_is_bad_usage_and_the_message_lists_those_that_are():
    with pytest.raises(ConfigError, match=r"\(v1, v2\); found 'v3'"):
        find_version([Plan.model_validate(PLAN)], "v3")


def _planned(tmp_path: Path, config: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "plans").mkdir(parents=True)
    for path in config.glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "plans" / "2026.yaml").write_text(json.dumps(PLAN), encoding="utf-8")
    return folder


def test_the_command_prints_a_table_or_one_json_document(tmp_path: Path):
    folder = _planned(tmp_path, Path(__file__).parents[3] / "config")

    def diff(*words: str) -> Result:
        where = ["--config", str(folder), "--workspace", str(tmp_path / "var")]
        return CliRunner().invoke(app, [*where, "plan", "diff", "v1", "v2", *words], catch_exceptions=False)

    assert "15,000,000" in diff().output
    document = json.loads(diff("--json").output)
    assert (document["from"], document["to"], len(document["stated"])) == ("v1", "v2", 8)

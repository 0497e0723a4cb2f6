"""The examples of the plan's documentation are plans that planloop takes, and they show every section."""

import re
from pathlib import Path

import pytest

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.faults import Company, plan_faults
from flows.config.plan.metrics import known_metrics
from flows.config.plan.model import Plan, Version
from flows.config.yaml_file import Lines, parse, place

DOCS = Path(__file__).parents[3] / "docs"
NOT_SHOWN = {"people_from", "split", "split_weights", "budget_rates"}
"""Sections that are spoken of beside the example: they exclude others of it."""


@pytest.mark.parametrize("name", ["plan.md", "plan.zh.md"])
def test_the_example_is_a_plan_without_faults(tmp_path: Path, name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    path, lines, faults = tmp_path / "2026.yaml", Lines(), list[str]()
    path.write_text(example, encoding="utf-8")
    plan = parse(path, Plan, faults, lines=lines)
    assert plan is not None, faults
    assert plan_faults(plan, Company(FiscalCalendar(), "CNY", ("proposal",)), place(path, lines)) == []
    stated = {field for version in plan.versions for field in version.model_fields_set}
    assert set(Version.model_fields) - stated == NOT_SHOWN
    assert [word for word in NOT_SHOWN if f"`{word}" not in text] == []
    assert [metric for metric in known_metrics() if f"`{metric.partition(':')[0]}" not in text] == []

"""The plan files of a configuration folder: found by year, and replaced as a whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.config.loader import company_of, load
from flows.config.plan.faults import Company
from flows.config.plan.model import Plan
from flows.config.settings import Language, Settings
from flows.config.stages import Stages
from flows.config.yaml_file import Place, parse
from flows.errors import ConfigError
from flows.history.durable import replace_file
from flows.planning.difference import Difference, of_plans
from flows.planning.files.plan_yaml import leading_comment, plan_text
from flows.planning.files.workbook_reading import read_workbook


@dataclass(frozen=True)
class Proposed:
    """A plan that is to become the file of its year.

    Attributes:
        path: the file of that year, be it there or not.
        differences: what it says otherwise than the file; empty where it says the same.
        replaces: whether there is a file; its comments below the first ones are lost when it is written.
        at: tells where in the workbook something of the plan stands.
    """

    plan: Plan
    path: Path
    differences: tuple[Difference, ...]
    replaces: bool
    at: Place


def company_settings(folder: Path) -> tuple[Settings, Company]:
    """What a plan is held against, also while the plan files themselves have faults.

    Raises:
        ConfigError: settings.yaml or stages.yaml cannot be used.
    """
    faults: list[str] = []
    settings = parse(folder / "settings.yaml", Settings, faults)
    stages = parse(folder / "stages.yaml", Stages, faults)
    if settings is None or stages is None:
        raise ConfigError(faults)
    return settings, company_of(settings, stages)


def plan_of(plans: Mapping[int, Plan] | tuple[Plan, ...], year: int) -> Plan:
    """The plan of a fiscal year.

    Raises:
        ConfigError: there is none; the message lists the years that there are.
    """
    by_year = {plan.year: plan for plan in (plans.values() if isinstance(plans, Mapping) else plans)}
    if year not in by_year:
        known = ", ".join(map(str, by_year)) or "none: there is no file in plans/"
        raise ConfigError([f"plans: expected one of the planned fiscal years ({known}); found {year}"])
    return by_year[year]


def proposed(workbook: Path, folder: Path, company: Company) -> Proposed:
    """What a workbook would change in the plan files of a folder.

    Raises:
        ConfigError: it is no workbook, or the plan in it has faults.
    """
    plan, at = read_workbook(workbook, company)
    path, before = _file_of(folder, plan.year)
    return Proposed(plan, path, of_plans(before, plan), path.is_file(), at)


def write(one: Proposed, folder: Path, env: Mapping[str, str], language: Language) -> None:
    """Make it the plan of its year; where the configuration does not load with it, everything is as it was.

    Raises:
        ConfigError: the configuration does not load, be it for the plan or for what was there before.
    """
    before = one.path.read_bytes() if one.path.is_file() else None
    made = not one.path.parent.is_dir()
    text = plan_text(one.plan, language, leading_comment(before.decode("utf-8-sig")) if before else "")
    try:
        replace_file(one.path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        load(folder, env)
    except BaseException:
        if before is not None:
            replace_file(one.path, lambda temporary: temporary.write_bytes(before))
        else:
            one.path.unlink(missing_ok=True)
            if made:
                one.path.parent.rmdir()
        raise


def _file_of(folder: Path, year: int) -> tuple[Path, Plan | None]:
    """The file of a year and what it says; a file with faults says nothing yet, and may be replaced by its name."""
    for path in sorted((folder / "plans").glob("*.y*ml")):
        plan = parse(path, Plan, [])
        if plan is not None and plan.year == year:
            return path, plan
    return folder / "plans" / f"{year}.yaml", None

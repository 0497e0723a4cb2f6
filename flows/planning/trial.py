"""A plan tried outside of a night: what a night would take, from what the newest published one knows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from flows.config import Config
from flows.config.plan.model import Plan
from flows.config.plan.versions import PlanVersion
from flows.config.yaml_file import Place
from flows.errors import ConfigError, PermanentError
from flows.planning.allocation.allocate import Setting
from flows.planning.allocation.history import History
from flows.planning.allocation.setting import setting_of
from flows.planning.basis import Basis, newest_basis
from flows.planning.night import PlannedVersion, plan_versions
from flows.planning.seal import missing_versions
from flows.workspace import Workspace

FOREVER = date.max


@dataclass(frozen=True)
class Trial:
    """The versions of one fiscal year, each with its rows.

    Attributes:
        versions: in order of effect, those that are not decided yet among them.
        setting: calendar, money, history.
        as_of: the night whose knowledge was used; None where none was published yet.
    """

    versions: Sequence[PlannedVersion]
    setting: Setting
    as_of: date | None

    def version(self, name: str | None) -> PlannedVersion:
        """The version of this id; without one, that in force on the night (today before the first), else the first.

        Raises:
            ConfigError: the year's plan has no such version.
        """
        if name is None:
            day = self.setting.history.as_of
            holds = [one for one in self.versions if one.version.effective_on <= day]
            return holds[-1] if holds else self.versions[0]
        for one in self.versions:
            if one.version.id == name:
                return one
        known = ", ".join(one.version.id for one in self.versions)
        raise ConfigError([f"expected a version of the plan, one of {known}; found {name!r}"])


def try_plan(config: Config, workspace: Workspace, fiscal_year: int | None, today: date) -> Trial:
    """Allocate all versions of a fiscal year; nothing is written.

    Args:
        config: of the company.
        workspace: where the newest night's knowledge and the seals are.
        fiscal_year: the planned year; by default that of the night, else the newest plan.
        today: stands for the night where none was published yet.

    Raises:
        ConfigError: there is no plan of this year, or it cannot be allocated.
    """
    basis, as_of, marts = _known(workspace, today)
    years = {plan.year: plan for plan in config.plans}
    if not years:
        raise ConfigError([f"expected a plan such as {config.folder / 'plans' / f'{today.year}.yaml'}, found none"])
    wanted = fiscal_year or config.settings.fiscal.year_of(basis.history.as_of)
    if wanted not in years and fiscal_year is None:
        wanted = max(years)
    if wanted not in years:
        known = ", ".join(map(str, sorted(years)))
        raise ConfigError([f"expected a fiscal year with a plan, one of {known}; found {wanted}"])
    setting = setting_of(config, basis.history, marts)
    folder = config.folder / "plans"
    versions = plan_versions(workspace, [years[wanted]], folder, setting, basis.headcount, FOREVER)
    return Trial(versions, setting, as_of)


def try_proposed(config: Config, workspace: Workspace, plan: Plan, at: Place, today: date) -> list[str]:
    """Allocate a plan that is to become a file; nothing is written.

    Args:
        config: of the company; its plan of the same year is not looked at.
        workspace: where the newest night's knowledge and the seals are.
        plan: as proposed.
        at: tells where something of it stands.
        today: stands for the night where none was published yet.

    Returns:
        What it says otherwise than versions that are sealed, or leaves out: the next night would refuse it.

    Raises:
        ConfigError: amounts of it cannot hold.
    """
    basis, _, marts = _known(workspace, today)
    others = tuple(one for one in config.plans if one.year != plan.year)
    setting = setting_of(replace(config, plans=(*others, plan)), basis.history, marts)
    changed = missing_versions(workspace, (*others, plan), config.folder / "plans")
    plan_versions(workspace, [plan], config.folder, setting, basis.headcount, FOREVER, at=at, changed=changed)
    return changed


def _known(workspace: Workspace, today: date) -> tuple[Basis, date | None, Path | None]:
    """What the newest night knew, that night, its marts; where there is none yet, nothing."""
    try:
        basis = newest_basis(workspace)
    except PermanentError:
        return Basis(History(today), ()), None, None
    return basis, basis.history.as_of, workspace.published / "marts.duckdb"


def before(trial: Trial, version: PlanVersion) -> PlannedVersion | None:
    """The version before one."""
    return next((one for one in trial.versions if version.before and one.version.id == version.before.id), None)

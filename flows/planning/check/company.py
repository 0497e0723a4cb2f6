"""The check of a company's plans: its files as far as they can be read, its configuration, what is published."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from flows.config import Config
from flows.config.plan.model import Plan
from flows.config.settings import Language
from flows.errors import ConfigError
from flows.planning.allocation.setting import working_days
from flows.planning.check.feeds import Feeds
from flows.planning.check.known import read_known
from flows.planning.check.plan_file import file_findings, read_what_stands
from flows.planning.check.smart import Company, check_plan
from flows.planning.check.verdicts import LETTERS, Judged, Report
from flows.planning.check.wording import letter_said, reason


def check_plans(
    config: Config, faults: Sequence[str], marts: Path, log: Path, today: date, year: int | None = None
) -> list[Report]:
    """Check the plans of the running and the coming fiscal years, or of one year.

    Args:
        config: loaded without regard to the faults of plan files.
        faults: of plan files.
        marts: what is published, or about to be; need not be there.
        log: the change log that it was built from, one folder an entity.
        today: what is past and what is to come.
        year: of one plan; by default the running year and all later ones, or the newest plan where there is none.

    Raises:
        ConfigError: there is no such plan.
    """
    folder = config.folder / "plans"
    files = {path: _plan_of(path, config.plans) for path in sorted(folder.glob("*.y*ml"))}
    wanted = set(_wanted(files, config, today, year))
    if not wanted:
        which = "" if year is None else f" of fiscal {year}"
        raise ConfigError([f"{folder}: expected a plan{which} (<year>.yaml), found none"])
    known = read_known(marts, log, [plan for plan in files.values() if plan])
    reports = []
    for path, plan in files.items():
        own = file_findings([fault for fault in faults if fault.startswith(str(path))])
        if plan is None and own:
            reports.append(Report(_year_of(path), tuple(own)))
        elif plan is not None and plan.year in wanted:
            reports.append(_with(own, check_plan(plan, _company(config, plan.year), known, today)))
    return reports


def failing_statements(config: Config, marts: Path, log: Path, as_of: date, language: Language) -> list[str]:
    """What fails the check on a night, one line each: for who runs the night, which goes on all the same."""
    if not config.plans:
        return []
    return [
        f"{judged.item.name} · {letter_said(letter, language)}: {reason(judged, letter, language, everything=False)}"
        for report in check_plans(config, (), marts, log, as_of)
        for judged in report.judged
        for letter in LETTERS
        if judged.verdict(letter) == "fail"
    ]


def _plan_of(path: Path, plans: Iterable[Plan]) -> Plan | None:
    """As loaded; of a file that did not load, what of it stands."""
    found = read_what_stands(path)
    return next((plan for plan in plans if found is not None and plan == found), found)


def _wanted(files: dict[Path, Plan | None], config: Config, today: date, year: int | None) -> Iterable[int]:
    years = sorted({plan.year if plan else _year_of(path) for path, plan in files.items()})
    if year is not None:
        return [one for one in years if one == year]
    running = config.settings.fiscal.year_of(today)
    return [one for one in years if one >= running] or years[-1:]


def _year_of(path: Path) -> int:
    return int(path.stem[:4]) if path.stem[:4].isdigit() else 0


def _with(own: list[Judged], report: Report) -> Report:
    return Report(report.year, (*own, *report.judged))


def _company(config: Config, year: int) -> Company:
    settings = config.settings
    whole = settings.fiscal.periods(year, "year")[0]
    days, node_days = working_days(config, whole.start_on, whole.end_on + timedelta(days=1))
    return Company(Feeds.of(config), settings.fiscal, settings.reporting_currency, days, node_days)

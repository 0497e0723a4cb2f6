"""Schedules are files that the real tools accept, and that say exactly what will run."""

import configparser
import shutil
import sys
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import pytest
import yaml

from flows.errors import ConfigError
from flows.operate.schedule import (
    ENTRYPOINT,
    Schedule,
    business_date,
    install_hint,
    prefect_deployment,
    systemd_units,
    unit_faults,
    write_schedule,
)


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    """The night of one company at 02:30 in Shanghai."""
    return Schedule(
        name="acme",
        command=(sys.executable,),
        project=tmp_path,
        config_dir=tmp_path / "config",
        workspace=tmp_path / "var",
        at=time(2, 30),
        time_zone="Asia/Shanghai",
        environment_file=tmp_path / "acme.env",
    )


def read_unit(text: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str
    unit.read_string(text)
    return unit


def test_the_service_runs_the_exact_command_and_leaves_no_child(schedule):
    unit = read_unit(systemd_units(schedule)["planloop-acme.service"])["Service"]
    assert unit["ExecStart"] == (
        f'"{sys.executable}" "--config" "{schedule.config_dir}" "--workspace" "{schedule.workspace}" "refresh"'
    )
    assert unit["KillMode"] == "control-group"
    assert unit["TimeoutStartSec"] == "21600"
    assert unit["EnvironmentFile"] == f"-{schedule.environment_file}"
    assert unit["SuccessExitStatus"] == "3"
    assert "User" not in unit


def test_a_failed_night_starts_the_unit_that_says_why(schedule):
    units = systemd_units(schedule)
    named = read_unit(units["planloop-acme.service"])["Unit"]["OnFailure"]
    assert read_unit(units[named])["Service"]["ExecStart"].endswith('"doctor"')


def test_the_timer_catches_up_a_missed_night_in_the_companys_time_zone(schedule):
    timer = read_unit(systemd_units(schedule)["planloop-acme.timer"])["Timer"]
    assert timer["OnCalendar"] == "*-*-* 02:30:00 Asia/Shanghai"
    assert timer["Persistent"] == "true"
    assert timer["Unit"] == "planloop-acme.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_units_even_with_difficult_paths(schedule, tmp_path):
    hard = tmp_path / '销售 50% "x" $y'
    hard.mkdir()
    written = write_schedule(tmp_path / "out", replace(schedule, config_dir=hard, workspace=hard / "var"))
    units = [path for path in written if path.suffix in {".service", ".timer"}]
    assert len(units) == 3
    assert unit_faults(units) == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_what_systemd_does_not_accept_is_reported(schedule, tmp_path):
    written = write_schedule(tmp_path / "out", replace(schedule, time_zone="Asia/Nowhere"))
    timer = next(path for path in written if path.suffix == ".timer")
    assert any("calendar specification" in fault for fault in unit_faults([timer]))


def test_the_deployment_runs_the_night_at_the_same_time_and_never_twice_at_once(schedule, tmp_path):
    write_schedule(tmp_path / "out", schedule)
    document = yaml.safe_load((tmp_path / "out" / "prefect.yaml").read_text(encoding="utf-8"))
    (deployment,) = document["deployments"]
    assert deployment["schedules"] == [{"cron": "30 2 * * *", "timezone": "Asia/Shanghai", "active": True}]
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert document["pull"][0]["prefect.deployments.steps.set_working_directory"]["directory"] == str(schedule.project)


def test_the_deployment_gives_the_flow_all_it_needs(schedule):
    import inspect

    from flows.nightly import nightly

    (deployment,) = yaml.safe_load(prefect_deployment(schedule))["deployments"]
    assert ENTRYPOINT == "flows/nightly.py:nightly"
    inspect.signature(nightly.fn).bind(**deployment["parameters"])


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 21, 2, 30), date(2026, 11, 20)),
        (datetime(2026, 11, 21, 5, 59), date(2026, 11, 20)),
        (datetime(2026, 11, 21, 6, 0), date(2026, 11, 21)),
        (datetime(2026, 1, 1, 0, 5), date(2025, 12, 31)),
    ],
)
def test_a_run_before_six_in_the_morning_is_for_the_day_that_has_ended(now, day):
    assert business_date(now) == day


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "a b", "schedule name 'a b'"),
        ("command", ("planloop",), "expected an absolute path"),
        ("workspace", Path("var"), "schedule path 'var'"),
        ("project", Path("/x\nExecStart=/bin/sh"), "on one line"),
    ],
)
def test_what_a_unit_cannot_hold_is_refused_before_anything_is_written(schedule, tmp_path, field, value, said):
    with pytest.raises(ConfigError, match=said):
        write_schedule(tmp_path / "out", replace(schedule, **{field: value}))
    assert not (tmp_path / "out").exists()


def test_the_hint_names_what_was_written(schedule, tmp_path):
    hint = install_hint(tmp_path / "out", schedule)
    assert "systemctl enable --now planloop-acme.timer" in hint
    assert "prefect deploy --all" in hint

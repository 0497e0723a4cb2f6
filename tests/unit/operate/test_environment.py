"""What a command sets for the libraries that it starts."""

from pathlib import Path

import pytest
from prefect.logging.configuration import DEFAULT_LOGGING_SETTINGS_PATH, load_logging_config

from flows.operate.environment import NO_TELEMETRY, prepare
from flows.workspace import Workspace


def test_a_failed_night_is_told_on_the_console_without_prefects_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment: dict[str, str] = {}
    prepare(environment, Workspace(tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    handlers = load_logging_config(DEFAULT_LOGGING_SETTINGS_PATH)["handlers"]
    assert handlers["console"]["level"] == "CRITICAL"
    assert handlers["api"]["level"] != "CRITICAL"  # Prefect's own page of the run keeps it


def test_what_a_user_has_set_for_prefect_stays_and_telemetry_is_off(tmp_path: Path) -> None:
    environment = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "DEBUG", "DO_NOT_TRACK": "0"}
    prepare(environment, Workspace(tmp_path))
    assert environment["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] == "DEBUG"
    assert {name: environment[name] for name in NO_TELEMETRY} == NO_TELEMETRY

"""What all tests share: a clean environment, the order of tests, real data by path, and no silent skips in CI."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

PROJECT = Path(__file__).parents[1]
FOLDERS = ("unit", "integration", "e2e")
TOGETHER = {"tests/integration/test_kill.py": "tests/integration/test_nights.py"}
"""Files that need the same nights, which a worker runs once a session."""
NO_DATA = "real data is absent"
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
}

# The machine may be busy: how long an example takes is no promise. CI draws the same examples each time.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True, print_blob=True)


def in_ci() -> bool:
    """Whether this run decides over a change."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def pytest_configure(config: pytest.Config) -> None:
    """Keep the user's own planloop, Prefect and dbt settings out of the tests, and the tests out of the user's home."""
    settings.load_profile("ci" if in_ci() else "dev")
    data = os.environ.get("PLANLOOP_DATA")
    for name in [name for name in os.environ if name.startswith(("PLANLOOP_", "PREFECT_", "DBT_"))]:
        del os.environ[name]
    os.environ.update(QUIET)
    if data:
        os.environ["PLANLOOP_DATA"] = data
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="planloop-prefect-")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by their folder and run them from the fast to the slow; the other way round where workers share them.

    A person at one process wants the quick answer first. Of several workers none should be left alone at the end with
    the file of the longest nights.
    """
    for item in items:
        folder = _folder(item)
        if folder != "unit":
            item.add_marker(folder)
    items.sort(key=lambda item: FOLDERS.index(_folder(item)), reverse=hasattr(config, "workerinput"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Workers take whole files (``--dist=loadfile``), and those that go together as one."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return TOGETHER.get(file, file)

    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def _folder(item: pytest.Item) -> str:
    parts = item.path.relative_to(PROJECT / "tests").parts
    return parts[0] if parts[0] in FOLDERS else "unit"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """In CI a test that was skipped was not run, and that is a failure."""
    report = yield
    return _refuse_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    """The same for a whole file that skips itself."""
    report = yield
    return _refuse_skip(report)


def _refuse_skip(report):
    """Turn a skip into a failure, but for data that nobody may copy into the project."""
    if in_ci() and report.skipped and not hasattr(report, "wasxfail") and NO_DATA not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where everything a test needs has to be installed: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data made by others: ``PLANLOOP_DATA``, or ``shared/data`` beside the project."""
    folder = Path(os.environ.get("PLANLOOP_DATA") or PROJECT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"{NO_DATA}: {folder} is no folder; set PLANLOOP_DATA")
    return folder

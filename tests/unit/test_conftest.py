"""The tests' own rules hold: a skip fails in CI, and tests come in a stated order."""

import pytest

pytest_plugins = ["pytester"]

SKIPPING = """
import pytest

def test_runs():
    assert True

@pytest.mark.skip(reason="{reason}")
def test_skips():
    assert False
"""


@pytest.fixture
def project(pytester, request, monkeypatch):
    """A project with the rules of this one and one test that skips."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    source = request.config.rootpath / "tests" / "conftest.py"
    pytester.mkdir("tests")
    (pytester.path / "tests" / "conftest.py").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    pytester.makeini("[pytest]\nmarkers =\n    integration\n    e2e\n")
    return pytester


@pytest.mark.parametrize(
    ("ci", "reason", "outcome"),
    [
        ("true", "no chromium", {"passed": 1, "errors": 1}),
        ("true", "real data is absent: set PLANLOOP_DATA", {"passed": 1, "skipped": 1}),
        ("", "no chromium", {"passed": 1, "skipped": 1}),
    ],
)
def test_a_skip_is_a_failure_in_ci_only(project, monkeypatch, ci, reason, outcome):
    monkeypatch.setenv("CI", ci)
    (project.path / "tests" / "test_some.py").write_text(SKIPPING.format(reason=reason), encoding="utf-8")
    project.runpytest_subprocess("tests").assert_outcomes(**outcome)


def test_a_file_that_skips_itself_fails_in_ci(project, monkeypatch):
    monkeypatch.setenv("CI", "true")
    (project.path / "tests" / "test_some.py").write_text(
        "import pytest\npytest.importorskip('no_such_module')\ndef test_x(): assert True\n", encoding="utf-8"
    )
    project.runpytest_subprocess("tests").assert_outcomes(errors=1)


@pytest.mark.parametrize(
    ("is_shared", "order"), [(False, ["unit", "integration", "e2e"]), (True, ["e2e", "integration", "unit"])]
)
def test_unit_tests_come_first_for_one_process_and_whole_nights_first_for_workers(project, is_shared, order):
    for folder in ("e2e", "unit", "integration"):
        (project.path / "tests" / folder).mkdir()
        (project.path / "tests" / folder / f"test_{folder}.py").write_text("def test_x():\n    assert True\n")
    # A worker is told by what its controller hands it.
    worker = "def pytest_configure(config):\n    config.workerinput = {}\n" if is_shared else ""
    (project.path / "conftest.py").write_text(worker)
    result = project.runpytest_subprocess("-v", "tests")
    found = [line.split("/")[1] for line in result.outlines if line.endswith("%]") and "::" in line]
    assert found == order


def test_files_that_need_the_same_nights_are_run_by_one_worker(project):
    folder = project.path / "tests" / "integration"
    folder.mkdir()
    for name in ("kill", "nights", "onboard"):
        (folder / f"test_{name}.py").write_text(
            "import os, pathlib, time\n"
            "def test_x():\n"
            "    time.sleep(0.2)\n"
            "    pathlib.Path(__file__).with_suffix('.worker').write_text(os.environ['PYTEST_XDIST_WORKER'])\n"
        )
    result = project.runpytest_subprocess("-p", "xdist.plugin", "-n2", "--dist=loadfile", "tests")
    result.assert_outcomes(passed=3)
    by_worker = {path.stem.removeprefix("test_"): path.read_text() for path in folder.glob("*.worker")}
    assert by_worker["kill"] == by_worker["nights"]
    assert len(set(by_worker.values())) == 2

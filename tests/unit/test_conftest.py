"""The tests' own rules hold: a skip fails in CI, and fast tests come first."""

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


def test_unit_tests_come_before_whole_nights(project):
    for folder in ("e2e", "unit", "integration"):
        (project.path / "tests" / folder).mkdir()
        (project.path / "tests" / folder / f"test_{folder}.py").write_text("def test_x():\n    assert True\n")
    result = project.runpytest_subprocess("-v", "tests")
    result.stdout.fnmatch_lines(["*test_unit.py*", "*test_integration.py*", "*test_e2e.py*"])

"""What the project says about itself is true: who may import what, who reads the clock, what the documents list."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.main import get_command

from flows.cli import app
from flows.config.alerts import AlertRule

PROJECT = Path(__file__).parents[2]
CODE = sorted([*PROJECT.glob("flows/**/*.py"), *PROJECT.glob("schemas/**/*.py")])
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
MAX_LINES, MAX_SQL_LINES, MAX_COLUMNS = 300, 200, 120

# Each costs seconds to import, so it is imported only by the modules that run it.
HEAVY = {
    "great_expectations": ("flows/audit/",),
    "pandas": ("flows/audit/",),
    "dbt": ("flows/warehouse/dbt.py",),
    "pandera": ("schemas/", "flows/ingest/"),
    "prefect": ("flows/*.py", "flows/*/tasks.py"),
    "smtplib": ("flows/alerts/deliver.py",),
    "dlt": ("flows/ingest/crm/",),
    "requests": ("flows/ingest/crm/",),
    "opencc": ("flows/ingest/headers.py",),
}
# The edges: they know what time it is and what the environment says, and hand both on as arguments; what starts another
# process gives it an environment.
CLOCK = ("flows/*.py", "flows/commands/*.py", "flows/*/tasks.py", "flows/operate/night.py")
ENVIRONMENT = ("flows/*.py", "flows/*/tasks.py", "flows/warehouse/dbt.py", "flows/ingest/readers/bounded.py")


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def allowed(path: Path, places: tuple[str, ...]) -> bool:
    """A place is a folder (ending in /) or a pattern whose * does not cross folders."""
    relative = path.relative_to(PROJECT)
    return any(
        name(path).startswith(place)
        if place.endswith("/")
        else relative.match(place) and len(relative.parts) == place.count("/") + 1
        for place in places
    )


@cache
def imported(path: Path) -> frozenset[str]:
    return frozenset(_imported(ast.parse(path.read_text(encoding="utf-8"))))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def dotted(node: ast.expr) -> str:
    """``datetime.now`` of the expression ``datetime.now``; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@cache
def attributes(source: str) -> set[str]:
    return {dotted(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}


def reads_clock(source: str) -> bool:
    clock = re.compile(r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime|gmtime))$")
    return any(clock.search(attribute) for attribute in attributes(source))


def reads_environment(source: str) -> bool:
    return bool({"os.environ", "os.getenv"} & attributes(source))


@pytest.mark.parametrize("library", HEAVY)
def test_a_library_is_imported_only_where_it_belongs(library):
    importers = [path for path in CODE if library in imported(path)]
    assert [name(path) for path in importers if not allowed(path, HEAVY[library])] == []


def test_only_the_edges_read_the_clock():
    found = [path for path in CODE if reads_clock(path.read_text(encoding="utf-8"))]
    assert [name(path) for path in found if not allowed(path, CLOCK)] == []


def test_only_the_edges_read_the_environment():
    found = [path for path in CODE if reads_environment(path.read_text(encoding="utf-8"))]
    assert [name(path) for path in found if not allowed(path, ENVIRONMENT)] == []


@pytest.mark.parametrize(
    ("source", "clock", "environment"),
    [
        ("from datetime import datetime\ndatetime.now()", True, False),
        ("import datetime as d\nd.date.today()", True, False),
        ("import os\nx = os.environ['A']", False, True),
        ("def f(now, env): return now + env['x']", False, False),
    ],
)
def test_these_rules_can_fail(source, clock, environment):
    assert (reads_clock(source), reads_environment(source)) == (clock, environment)


def test_a_pattern_does_not_cross_folders():
    assert allowed(PROJECT / "flows/nightly.py", ("flows/*.py",))
    assert not allowed(PROJECT / "flows/operate/lock.py", ("flows/*.py",))


def test_the_command_answers_without_loading_what_a_night_needs():
    code = "import sys, flows.cli; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()) & {"great_expectations", "dbt", "pandas", "pandera", "prefect", "altair"} == set()


def test_no_module_has_grown_too_long():
    long = {name(path): lines for path in CODE if (lines := code_lines(path.read_text(encoding="utf-8"))) > MAX_LINES}
    assert long == {}


def code_lines(source: str) -> int:
    """Lines that are neither blank nor comment nor docstring: explaining more does not make a module too long."""
    described = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    numbered = enumerate(source.splitlines(), 1)
    return sum(number not in described and line.strip()[:1] not in ("", "#") for number, line in numbered)


def test_what_explains_does_not_count_as_code():
    assert code_lines('"""What.\n\nWhy.\n"""\n\n# how\nx = """a\nb"""\n') == 2
    assert sql_lines("-- Grain: x.\n\n{# why\n\nmore #}\nselect 1 -- one\nfrom x\n") == 2


def test_no_model_has_grown_too_long():
    models = sorted(PROJECT.glob("dbt_project/models/**/*.sql"))
    lines = {name(path): sql_lines(path.read_text(encoding="utf-8")) for path in models}
    assert {model: n for model, n in lines.items() if n > MAX_SQL_LINES} == {}


def sql_lines(source: str) -> int:
    """Lines of a model that are neither blank nor comment."""
    code = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    return sum(line.strip()[:2] not in ("", "--") for line in code.splitlines())


def test_no_line_of_sql_is_too_long():
    long = [
        f"{name(path)}:{number}"
        for path in sorted(PROJECT.glob("dbt_project/models/**/*.sql"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > MAX_COLUMNS
    ]
    assert long == []


def test_every_folder_of_code_is_a_package_that_says_what_it_is_for():
    folders = {path.parent for path in CODE}
    silent = [name(folder) for folder in sorted(folders) if not _docstring(folder / "__init__.py")]
    assert silent == []


def _docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.exists() else None


def test_architecture_argues_every_dependency():
    text = (PROJECT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    document = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    stated = [*document["project"]["dependencies"], *document["dependency-groups"]["dev"]]
    packages = [re.match(r"[A-Za-z0-9_.-]+", requirement)[0] for requirement in stated]
    assert [package for package in packages if not re.search(rf"(?<![\w-]){package}(?![\w-])", text)] == []


def test_architecture_names_every_capability_and_no_file_that_is_not_there():
    text = (PROJECT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    capabilities = sorted({path.relative_to(PROJECT).parts[1] for path in PROJECT.glob("flows/*/*.py")})
    assert [capability for capability in capabilities if f"flows/{capability}" not in text] == []
    named = re.findall(r"`((?:flows|schemas|dbt_project|config|tests|docs|\.ci)/[\w./-]*)`", text)
    assert [path for path in named if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_a_document_names_no_file_or_model_that_is_not_there(document):
    folders = ("flows", "schemas", "dbt_project", "config", "tests")
    there = {path.name for folder in folders for path in (PROJECT / folder).rglob("*.*")}
    text = document.read_text(encoding="utf-8")
    files = re.findall(r"`(?:[\w-]+/)*([\w-]+\.(?:py|sql|ya?ml|csv))`", text)
    models = re.findall(r"`((?:stg|int|fct|dim|mart)_\w+)`", text)
    assert sorted({*files, *(f"{model}.sql" for model in models)} - there) == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_readme_lists_exactly_the_published_tables(readme):
    models = {path.stem for path in PROJECT.glob("dbt_project/models/marts/**/*.sql")}
    tables = [line.split("|")[1] for line in (PROJECT / readme).read_text(encoding="utf-8").splitlines() if "|" in line]
    listed = set(re.findall(r"`((?:mart|fct|dim)_\w+)`", " ".join(tables)))
    assert listed == models


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_readme_lists_every_command_and_each_says_how_it_is_called(readme):
    cells = re.findall(r"^\| (`.*?) \| ", (PROJECT / readme).read_text(encoding="utf-8"), flags=re.MULTILINE)
    listed = set(re.findall(r"[a-z]+", " ".join(re.findall(r"`(.*?)`", " ".join(cells)))))
    commands = dict(leaves(get_command(app)))
    assert [names for names in commands if not {*names} <= listed] == []
    assert [names for names, command in commands.items() if "Example: planloop" not in (command.help or "")] == []


def leaves(command: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The commands that do something, by the words that call them."""
    below = getattr(command, "commands", None)
    if below is None:
        yield names, command
        return
    for name, one in below.items():
        yield from leaves(one, (*names, name))


def test_the_changelog_tells_readers_of_every_published_table():
    text = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    models = {path.stem for path in PROJECT.glob("dbt_project/models/marts/**/*.sql")}
    assert [model for model in sorted(models) if f"`{model}`" not in text] == []


def test_the_runbook_has_an_entry_for_every_exit_code_and_kind_of_alert():
    text = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")
    headings = {line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#")}
    kinds = get_args(AlertRule.model_fields["kind"].annotation)
    wanted = {*(f"Exit code {code}" for code in range(5)), *(f"Alerts of kind {kind}" for kind in kinds)}
    assert wanted - headings == set()


def test_links_between_documents_lead_somewhere():
    broken = []
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if not (path.parent / target).exists():
                broken.append(f"{name(path)}: {target}")
    assert broken == []

"""Running the dbt project in this process, against one build folder.

dbt takes paths and limits from the environment; they are set here for the length of a run and nowhere else. The parsed
project is kept between nights and between the two passes of a night, since parsing costs as much as building a small
company's marts.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.config.settings import Engine
from flows.errors import PermanentError


@dataclass(frozen=True)
class NodeOutcome:
    """One model or test of a run: its name, kind, status and seconds; ``message`` says what failed."""

    name: str
    kind: str
    status: str
    seconds: float
    message: str | None


class DbtProject:
    """The dbt project, run against one build folder.

    Args:
        project: folder of ``dbt_project.yml`` and ``profiles.yml``.
        build: the build folder; the candidate, the log and the small inputs lie there.
        engine: limits of the embedded engine.
    """

    def __init__(self, project: Path, build: Path, engine: Engine) -> None:
        self._project = project
        self._build = build
        self._engine = engine

    def run(self, *selection: str, command: str = "build") -> list[NodeOutcome]:
        """Build the selected models and run their data tests.

        Args:
            *selection: dbt's selection options, for example ``--exclude tag:outlook``.
            command: ``build`` (models and tests) or ``run`` (models only).

        Raises:
            PermanentError: a model or test failed; names each with its message.
        """
        from dbt.cli.main import dbtRunner

        arguments = [command, *self._options(), *selection]
        if command == "build":
            arguments += ["--exclude-resource-type", "unit_test"]
        try:
            with self._environment():
                outcome = dbtRunner().invoke(arguments)
        finally:
            let_go()
        if outcome.exception is not None:
            message = f"Expected the dbt project to build, found: {outcome.exception}"
            raise PermanentError(message) from outcome.exception
        run: Any = outcome.result
        nodes = [_node(result) for result in run]
        if not outcome.success:
            raise PermanentError(
                _explain([node for node in nodes if node.status in ("error", "fail", "runtime error")])
            )
        return nodes

    def _options(self) -> Sequence[str]:
        return (
            "--project-dir", str(self._project),
            "--profiles-dir", str(self._project),
            "--target-path", str(self._build / "dbt"),
            "--log-path", str(self._build / "dbt"),
            "--quiet",
            "--no-write-json",
            # What fails is named by the night itself; the log of every step costs a tenth of a small build.
            "--log-level-file", "none",
        )  # fmt: skip

    @contextmanager
    def _environment(self) -> Iterator[None]:
        values = {
            "PLANLOOP_BUILD": str(self._build),
            "PLANLOOP_MEMORY_LIMIT": self._engine.memory_limit,
            "PLANLOOP_THREADS": str(self._engine.threads),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        }
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def let_go() -> None:
    """Close the files that dbt keeps open for the length of the process, so that others can open them."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def _node(result: Any) -> NodeOutcome:
    return NodeOutcome(
        name=result.node.name,
        kind=str(result.node.resource_type),
        status=str(result.status),
        seconds=round(result.execution_time, 3),
        message=result.message,
    )


def _explain(failed: Sequence[NodeOutcome]) -> str:
    lines = [f"Expected every model and test to pass, found {len(failed)} that did not; nothing was published:"]
    lines += [
        f"  {node.kind} {node.name}: {' '.join((node.message or node.status).split())[:600]}" for node in failed[:20]
    ]
    return "\n".join(lines)

"""The audit of one night: measure, judge, write the page, say whether it may be published."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flows.audit.checkpoint import judge
from flows.audit.docs import write_docs
from flows.audit.measurements import Night, measure
from flows.audit.result import AuditResult

if TYPE_CHECKING:
    from flows.config.settings import Settings
    from flows.publish.manifest import Manifest


def audit(
    candidate: Path,
    inputs: Path,
    previous_manifest: "Manifest | None",
    settings: "Settings",
    docs_dir: Path,
    accept_shrink: Collection[str] = (),
    *,
    tolerated: Collection[tuple[str, str]] = (),
    engine: Mapping[str, str | int] | None = None,
) -> AuditResult:
    """Judge the closed candidate.

    Args:
        candidate: DuckDB file with the marts; opened read-only.
        inputs: tonight's build folder: ``inputs/run.parquet``, ``inputs/source_file.parquet``, ``log/<entity>/``.
        previous_manifest: the published night to compare with, as a rule the current one; None on the first night. One
            with a later as-of date (a rebuild of the past) is not compared with.
        settings: limits (``settings.audit``).
        docs_dir: folder of the page; ``index.html`` and ``validation_result.json`` are written there.
        accept_shrink: sources whose export is meant to be much smaller (or older) tonight. With any, the night is not
            compared with the last one: a person has looked.
        tolerated: source and status (refused or missing) that the configuration lets the night go on with.
        engine: DuckDB settings (``memory_limit``, ``threads``).

    Returns:
        The result; ``passed`` says whether the night may be published.

    Raises:
        PermanentError: there is nothing to audit.
    """
    limits = {"temp_directory": str(inputs / "spill"), **(engine or {})}
    measured = measure(Night(candidate, inputs, previous_manifest, tolerated, accept_shrink, limits))
    outcomes, validation = judge(measured, settings.audit.max_change)
    result = AuditResult(
        as_of_date=measured.as_of_date,
        run_id=measured.run_id,
        outcomes=outcomes,
        measures=measured.measures,
        previous_run_id=previous_manifest.run_id if previous_manifest else None,
        docs=docs_dir / "index.html",
    )
    write_docs(result, measured.frame, validation, docs_dir)
    return result

"""The edge of publication: the night's change log becomes permanent, then its candidate is what all read."""

from importlib.metadata import version
from typing import Any

import polars as pl

from flows.forecast.ledger import append
from flows.history.accounting import staged_accounting
from flows.history.commit import commit_night, recover
from flows.operate.night import Night
from flows.operate.tasks import show_link, stage_task
from flows.planning.basis import keep_basis
from flows.planning.night import seal_in_force
from flows.publish.manifest import Provenance
from flows.publish.swap import publish as swap
from flows.publish.versions import current_manifest

RECORDED_VERSIONS = ("planloop", "dbt-core", "dbt-duckdb", "polars", "pandera", "great-expectations")


@stage_task("publish")
def publish(night: Night) -> dict[str, Any]:
    """Commit the change log of the night and publish its candidate."""
    return night.stage("publish", lambda: _publish(night))


def _publish(night: Night) -> dict[str, Any]:
    recover(night.workspace)  # a night killed in the middle of the commit
    if not night.is_rebuild and staged_accounting(night.workspace).exists():
        commit_night(night.workspace, night.as_of)
    if not night.is_rebuild:
        forecast = pl.read_parquet(night.workspace.build_input("forecast"))
        append(night.workspace, night.as_of, night.run_id, forecast)
        keep_basis(night.workspace)
        seal_in_force(night.workspace, night.config.plans, night.as_of, night.run_id)
    settings = night.config.settings
    manifest = swap(
        night.workspace.candidate,
        night.workspace,
        night.run_id,
        night.as_of,
        Provenance(
            code_version=night.manifest.code_fingerprint,
            config_hash=night.config.fingerprint,
            versions={name: version(name) for name in RECORDED_VERSIONS},
            measures=night.result("audit").get("measures", {}),
        ),
        make_current=not night.is_rebuild,
        keep_versions=settings.publish.keep_versions,
        engine={"memory_limit": settings.engine.memory_limit, "threads": settings.engine.threads},
    )
    current = current_manifest(night.workspace)
    folder = night.workspace.published / "v" / manifest.run_id
    show_link("published", folder.as_uri(), f"version {manifest.run_id}")
    return {
        "folder": str(folder),
        "tables": manifest.rows,
        "is_current": current is not None and current.run_id == manifest.run_id,
    }

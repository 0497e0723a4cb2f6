"""The edge of the plan: the facts of the night in, its versions and targets out."""

from typing import Any

from flows.errors import ConfigError
from flows.operate.logs import log_event
from flows.operate.night import Night
from flows.operate.tasks import show_table, stage_task
from flows.planning.allocation.setting import setting_of
from flows.planning.basis import read_basis, staged_basis, write_basis
from flows.planning.night import notes_of, plan_inputs, plan_versions
from flows.planning.seal import missing_versions
from flows.planning.staffing import read_standing, staffing_notes
from flows.planning.twice import stated_twice
from flows.warehouse.inputs import write_input


@stage_task("plan")
def plan(night: Night) -> dict[str, Any]:
    """Allocate the plan versions that are known."""
    return night.stage("plan", lambda: _plan(night))


def _plan(night: Night) -> dict[str, Any]:
    config, workspace = night.config, night.workspace
    basis = read_basis(workspace, night.as_of, config.settings.fiscal)
    write_basis(basis, staged_basis(workspace))
    gone = missing_versions(workspace, config.plans, config.folder / "plans")
    if gone:
        raise ConfigError(gone)
    if not config.plans:
        return {"versions": [], "rows": 0, "notes": []}
    setting = setting_of(config, basis.history, workspace.candidate)
    planned = plan_versions(workspace, config.plans, config.folder / "plans", setting, basis.headcount, night.as_of)
    versions, targets = plan_inputs(planned, setting)
    write_input(workspace, "plan_version", versions)
    write_input(workspace, "plan_target", targets)
    known = [one.version for one in planned]
    notes = [
        *notes_of(planned),
        *stated_twice(workspace.build_log("target"), targets, setting.fiscal),
        *staffing_notes(known, basis.headcount, read_standing(workspace.candidate), night.as_of),
    ]
    for note in notes:
        log_event("plan", note)
    rows = [{name: str(value) for name, value in row.items()} for row in versions.to_dicts()]
    show_table("plan", rows, "The plan versions that are known")
    return {"versions": versions["plan_version"].to_list(), "rows": targets.height, "notes": notes}

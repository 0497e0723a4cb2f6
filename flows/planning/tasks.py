"""The edge of the plan: the facts of the night in, its versions and targets out."""

from typing import Any

from flows.operate.logs import log_event
from flows.operate.night import Night
from flows.operate.tasks import show_table, stage_task
from flows.planning.history import read_history
from flows.planning.night import plan_inputs, plan_versions
from flows.planning.people import read_headcount
from flows.planning.setting import setting_of
from flows.warehouse.inputs import write_input


@stage_task("plan")
def plan(night: Night) -> dict[str, Any]:
    """Allocate the plan versions that are known."""
    return night.stage("plan", lambda: _plan(night))


def _plan(night: Night) -> dict[str, Any]:
    config, workspace = night.config, night.workspace
    if not config.plans:
        return {"versions": [], "rows": 0, "notes": []}
    setting = setting_of(config, read_history(workspace.build, night.as_of, config.settings.fiscal))
    headcount = read_headcount(workspace.build_log("headcount"))
    planned = plan_versions(workspace, config.plans, config.folder / "plans", setting, headcount, night.as_of)
    versions, targets = plan_inputs(planned, setting)
    write_input(workspace, "plan_version", versions)
    write_input(workspace, "plan_target", targets)
    notes = [note for one in planned if one.allocation for note in one.allocation.notes]
    for note in notes:
        log_event("plan", note)
    rows = [{name: str(value) for name, value in row.items()} for row in versions.to_dicts()]
    show_table("plan", rows, "The plan versions that are known")
    return {"versions": versions["plan_version"].to_list(), "rows": targets.height, "notes": notes}

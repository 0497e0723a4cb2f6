"""The edge of the build: dbt, once for the facts and once for what needs the forecast."""

import logging
from typing import Any, get_args

from flows.alerts.store import alert_rows
from flows.config.loader import Config
from flows.config.plan.metrics import members_named
from flows.config.settings import Flavour
from flows.operate.logs import log_event
from flows.operate.night import PROJECT, Night
from flows.operate.tasks import show_table, stage_task
from flows.planning.check.company import failing_statements
from flows.state.snoozes import snoozes_on
from flows.warehouse import inputs
from flows.warehouse.calendars import calendars_of, write_calendars
from flows.warehouse.contract_terms import write_contract_terms
from flows.warehouse.dbt import DbtProject, NodeOutcome
from flows.warehouse.pay_inputs import write_pay_inputs
from flows.warehouse.unplaced import targets_beside_plan, unplaced_targets

OUTLOOK = "tag:outlook"


@stage_task("build")
def build(night: Night) -> dict[str, Any]:
    """Build a fresh candidate: everything that does not need tonight's forecast."""
    return night.stage("build", lambda: _build(night))


@stage_task("outlook")
def outlook(night: Night) -> dict[str, Any]:
    """Build the marts that need the forecast: attainment with outlook, deviations."""
    return night.stage("outlook", lambda: _outlook(night))


def _build(night: Night) -> dict[str, Any]:
    for leftover in night.workspace.build.glob("*.duckdb*"):
        leftover.unlink()
    _write_inputs(night)
    return _run(night, "build", "--exclude", OUTLOOK, *flavours_off(night.config))


def _outlook(night: Night) -> dict[str, Any]:
    notes = _run(night, "outlook", "--select", OUTLOOK)
    unplaced = unplaced_targets(night.workspace.candidate)
    beside = targets_beside_plan(night.workspace.candidate)
    for target in unplaced:
        log_event("outlook", f"a target without a place: {target}", logging.WARNING)
    for target in beside:
        log_event("outlook", f"a source states what the plan states; the plan holds: {target}", logging.WARNING)
    language = night.config.settings.operator.language
    log = night.workspace.build / "log"
    failing = failing_statements(night.config, night.workspace.candidate, log, night.as_of, language)
    for statement in failing:
        log_event("outlook", f"the plan fails its check: {statement}", logging.WARNING)
    return {**notes, "unplaced_targets": unplaced, "targets_beside_plan": beside, "plan_fails": failing}


def flavours_off(config: Config) -> list[str]:
    """What dbt is to leave out: models of ways of selling that the company does not have.

    A selection, and neither a variable nor the environment within the project: those would have it parsed anew.
    """
    return [f"tag:{flavour}" for flavour in get_args(Flavour) if flavour not in config.flavours]


def _write_inputs(night: Night) -> None:
    config, workspace = night.config, night.workspace
    settings = config.settings
    inputs.write_run(workspace, inputs.run_of(settings, night.as_of, night.run_id))
    inputs.write_stages(workspace, config.stages.stages)
    write_calendars(workspace, night.as_of, calendars_of(config), settings.fiscal)
    inputs.write_alert_rules(workspace, config.alerts.rules)
    inputs.write_alerts(workspace, alert_rows(night.state, before=night.as_of).to_dicts())
    inputs.write_hygiene_rules(workspace, settings.hygiene, config.stages.stages)
    inputs.write_pace_rules(workspace, settings.pace)
    inputs.write_snoozes(workspace, snoozes_on(night.state, night.as_of))
    inputs.write_empty_forecast(workspace)
    inputs.write_empty_plan(workspace)
    write_pay_inputs(workspace, config.plans, settings.leaderboards, night.as_of)
    asked = [settings.model_dump(), *(plan.model_dump() for plan in config.plans)]
    inputs.write_metric_members(workspace, members_named(asked))
    write_contract_terms(workspace)


def _run(night: Night, stage: str, *selection: str) -> dict[str, Any]:
    project = DbtProject(PROJECT / "dbt_project", night.workspace.build, night.config.settings.engine)
    nodes = project.run(*selection)
    slowest = sorted(nodes, key=lambda node: -node.seconds)[:10]
    show_table(
        stage, [{"name": node.name, "kind": node.kind, "seconds": node.seconds} for node in slowest], "Slowest nodes"
    )
    return {"models": _count(nodes, "model"), "tests": _count(nodes, "test")}


def _count(nodes: list[NodeOutcome], kind: str) -> int:
    return sum(node.kind == kind for node in nodes)

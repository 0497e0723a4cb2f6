"""The night, in order: from what happened in the CRM to published marts and a mail to whoever is off course."""

import logging
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from flows.alerts.tasks import notify, tell_operator
from flows.audit.tasks import audit
from flows.config import load
from flows.forecast.tasks import forecast
from flows.history.accounting import recorded_files
from flows.history.change_log import nights
from flows.history.known import last_known, last_night
from flows.history.tasks import record
from flows.ingest.tasks import land, validate
from flows.operate.environment import prepare
from flows.operate.logs import log_event, run_log
from flows.operate.night import open_night
from flows.operate.schedule import business_date
from flows.operate.summary import summarize
from flows.planning.tasks import plan
from flows.publish.tasks import publish
from flows.report.tasks import report
from flows.warehouse.tasks import build, outlook
from flows.workspace import Workspace


def has_orchestrator() -> bool:
    """Whether Prefect can show this run: its server answers, or a temporary one could be started.

    The night does not depend on it: without, the same steps run in the same order and only the picture is missing.
    """
    try:
        with get_client(sync_client=True) as client:
            return client.api_healthcheck() is None
    except (RuntimeError, OSError, httpx.HTTPError) as error:
        log_event("start", f"Prefect cannot be reached, the night runs without it: {error}", logging.WARNING)
        return False


def _run_name() -> str:
    """How Prefect calls the run."""
    return f"night of {flow_run.parameters.get('as_of') or 'the day that has just ended'}"


@flow(name="nightly", flow_run_name=_run_name, validate_parameters=False, persist_result=False)
def nightly(
    config_dir: str,
    workspace_dir: str,
    as_of: str | None = None,
    rebuild: bool = False,
    accept_shrink: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Run one night, or rebuild a past one from the change log alone.

    Args:
        config_dir: folder with the company's configuration.
        workspace_dir: folder with its runtime state.
        as_of: business date, as YYYY-MM-DD; by default the one that has just ended, as a schedule wants it.
        rebuild: build from the change log up to ``as_of``, publish beside the current version, mail nobody.
        accept_shrink: sources whose export is meant to be much smaller tonight.

    Returns:
        The run's summary: counts, outcome of the audit, what was published, which mails went out.
    """
    workspace = Workspace(Path(workspace_dir).resolve())
    env = prepare(os.environ, workspace)
    config = load(Path(config_dir).resolve(), env)
    day = date.fromisoformat(as_of) if as_of else business_date(datetime.now(config.settings.zone))
    smtp = config.settings.mail.smtp
    named = [smtp.password_env] if smtp else []
    named += [
        name for source in config.sources.sources.values() if source.connect for name in source.connect.secrets.values()
    ]
    secrets = [env[name] for name in named if name in env]
    with (
        run_log(workspace.logs / f"{day}.jsonl", secrets=secrets),
        open_night(
            config,
            workspace,
            day,
            is_rebuild=rebuild,
            accept_shrink=frozenset(accept_shrink),
            env=env,
            on_bad_end=tell_operator,
        ) as night,
    ):
        if not rebuild:
            files = land(night, recorded_files(workspace, day), nights(workspace))
            known = last_known(workspace, day, engine=config.settings.engine)
            validate(night, files, known, last_night(workspace, day))
        record(night)
        build(night)
        plan(night)
        forecast(night)
        outlook(night)
        audit(night)
        publish(night)
        if not rebuild:
            notify(night)
        report(night)
        return summarize(night)

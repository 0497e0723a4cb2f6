"""Open deals as the newest published night shows them: for the command that lists them, and to know one by its id."""

from collections.abc import Mapping
from typing import Any

import duckdb

from flows.errors import ConfigError, PermanentError
from flows.publish.layout import current_run_id, version_database
from flows.workspace import Workspace

_SHOWN = (
    "opportunity_id", "name", "owner_id", "stage", "amount", "expected_close_on", "next_step", "last_touch_on",
    "flag_count", "is_lying", "is_snoozed", "snoozed_until", "needs_push", "round(month_chance, 3) as month_chance",
    "round(quarter_chance, 3) as quarter_chance",
)  # fmt: skip


def open_deals(workspace: Workspace) -> list[dict[str, Any]]:
    """All open deals of the published night, the largest first; none before the first night."""
    shown = ", ".join(_SHOWN)
    sql = f"select {shown} from marts.mart_deal_health order by amount desc nulls last, opportunity_id"  # noqa: S608
    return _rows(workspace, sql) or []


def require_open_deal(workspace: Workspace, opportunity_id: str) -> None:
    """Make sure that a deal is known and open.

    Raises:
        PermanentError: nothing has been published yet.
        ConfigError: it is not in the published night, or closed.
    """
    found = _rows(
        workspace,
        "select stage, is_closed, closed_on, as_of_date from marts.fct_opportunity where opportunity_id = $id",
        {"id": opportunity_id},
    )
    if found is None:
        raise PermanentError(
            f"Expected a published night in {workspace.published}, found none; planloop refresh makes one"
        )
    if not found:
        raise ConfigError(
            [
                f"Expected the id of an open deal, found no {opportunity_id!r} in the published night;"
                " planloop deals list --all shows them."
            ]
        )
    if found[0]["is_closed"]:
        raise ConfigError(
            [f"Expected an open deal; {opportunity_id} is in stage {found[0]['stage']} since {found[0]['closed_on']}."]
        )


def _rows(workspace: Workspace, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]] | None:
    """The answer of the published night; None before there is one."""
    run_id = current_run_id(workspace.published)
    if run_id is None:
        return None
    with duckdb.connect(str(version_database(workspace.published, run_id)), read_only=True) as connection:
        return connection.execute(sql, parameters).pl().to_dicts()

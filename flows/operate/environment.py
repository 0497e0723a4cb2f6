"""What libraries read from the environment, set once when a command starts: no telemetry, Prefect's folder."""

from collections.abc import Mapping, MutableMapping

from flows.workspace import Workspace

NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}


def prepare(environment: MutableMapping[str, str], workspace: Workspace) -> Mapping[str, str]:
    """Switch telemetry off and give Prefect a home in the workspace; what a user has set himself stays.

    Without ``PREFECT_API_URL`` a run starts a temporary server of its own; its database is kept in the workspace, so
    that ``prefect server start`` with the same home shows past nights.

    Returns:
        The environment that paths of a configuration may use: this one and ``PLANLOOP_WORKSPACE``.
    """
    environment.update(NO_TELEMETRY)
    defaults = {
        "PREFECT_HOME": str(workspace.root / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # our own lines say what failed, without its traceback
        "PREFECT_CLI_PROMPT": "false",
    }
    for name, value in defaults.items():
        environment.setdefault(name, value)
    return {**environment, "PLANLOOP_WORKSPACE": str(workspace.root)}

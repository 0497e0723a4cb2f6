"""The ``planloop`` command: reads options, calls one function, prints the result, ends with an exit code.

0 ok · 1 failed · 2 bad usage or configuration · 3 published with more rows quarantined
than allowed · 4 refused by the audit.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from flows.commands import (
    alerts,
    deals,
    init,
    metrics,
    night,
    onboard,
    operate,
    plan,
    publish,
    quarantine,
    report,
    waterfall,
)
from flows.commands.context import PROJECT, Command, console, errors
from flows.errors import PlanloopError
from flows.operate.display import print_json
from flows.operate.environment import prepare
from flows.workspace import Workspace

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for _command in (
    night.refresh,
    init.init,
    onboard.onboard,
    night.demo,
    operate.status,
    operate.doctor,
    operate.schedule,
    metrics.metrics,
    waterfall.waterfall,
):
    app.command()(_command)
app.add_typer(plan.app, name="plan")
app.add_typer(publish.app, name="publish")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(alerts.app, name="alerts")
app.add_typer(deals.app, name="deals")
app.add_typer(report.app, name="report")


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", envvar="PLANLOOP_CONFIG", help="Folder with the company's configuration.")
    ] = PROJECT / "config",
    workspace: Annotated[
        Path, typer.Option("--workspace", envvar="PLANLOOP_WORKSPACE", help="Folder with the company's runtime state.")
    ] = Path("var"),
) -> None:
    """Close the loop of a sales plan: CRM and spreadsheets in; checked marts, forecast and deviation mails out.

    Example: planloop --config config --workspace var refresh
    """
    space = Workspace(workspace.resolve())
    context.obj = Command(config.resolve(), space, dict(prepare(os.environ, space)))


def main() -> None:
    """Run the command; an error that a person is to read is printed without a traceback and sets the exit code."""
    try:
        app()
    except PlanloopError as error:
        _end(str(error), error.exit_code)
    except OSError as error:
        _end(
            f"Expected to read and write files as the configuration and --workspace say, found: {error}. "
            "Check the path, the rights and the space on the disk (`planloop doctor`), then run again.",
            1,
        )
    except Exception as error:  # noqa: BLE001 (the last door: whatever comes out is told in one line)
        traceback.print_exc()
        _end(f"{type(error).__name__}: {error}\nThis is a fault of planloop; where it happened stands above.", 1)


def _end(message: str, code: int) -> NoReturn:
    """Say why the command failed, to a person and, where a script asked for JSON, to the script."""
    errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    if "--json" in sys.argv:
        print_json(console, {"exit_code": code, "error": message})
    raise SystemExit(code)


if __name__ == "__main__":
    main()

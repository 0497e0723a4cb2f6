"""``planloop publish``: published versions."""

from typing import Annotated

import typer

from flows.commands.context import Command, Json, console
from flows.operate.display import print_rows

app = typer.Typer(no_args_is_help=True, help="Published versions: list, roll back, verify.")


@app.command("list")
def publish_list(context: typer.Context, as_json: Json = False) -> None:
    """List the published versions on disk, newest first.

    Example: planloop publish list
    """
    from flows.publish.versions import versions

    rows = [
        {
            "run": version.run_id,
            "as_of": version.as_of_date,
            "current": version.is_current,
            "tables": len(version.manifest.tables) if version.manifest else None,
            "rows": sum(version.manifest.rows.values()) if version.manifest else None,
            "fault": version.fault or "",
        }
        for version in versions(context.obj.workspace)
    ]
    print_rows(console, "Published versions", rows, as_json=as_json)


@app.command("rollback")
def publish_rollback(
    context: typer.Context,
    run_id: Annotated[
        str | None, typer.Argument(help="Version to go back to; by default the one before the current.")
    ] = None,
) -> None:
    """Let readers see an earlier version again.

    Example: planloop publish rollback 20261119-01
    """
    from flows.operate.lock import night_lock
    from flows.publish.versions import rollback

    command: Command = context.obj
    with night_lock(command.workspace.lock):
        manifest = rollback(command.workspace, run_id)
    console.print(f"Readers now see version {manifest.run_id}, as of {manifest.as_of_date}.")


@app.command("verify")
def publish_verify(
    context: typer.Context,
    run_id: Annotated[str | None, typer.Argument(help="Version to check; by default the current one.")] = None,
    as_json: Json = False,
) -> None:
    """Compare a published version with its manifest: files, hashes, row counts.

    Example: planloop publish verify
    """
    from flows.publish.versions import verify

    result = verify(context.obj.workspace, run_id)
    row = {
        "run": result.run_id,
        "files": result.files,
        "rows": result.rows,
        "passed": result.passed,
        "faults": result.faults,
    }
    print_rows(console, "Verification", [row], as_json=as_json)
    raise typer.Exit(0 if result.passed else 1)

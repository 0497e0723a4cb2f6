"""``planloop report``: the page of a night."""

import typer

from flows.commands.context import console, errors

app = typer.Typer(no_args_is_help=True, help="The report page.")


@app.command("open")
def report_open(context: typer.Context) -> None:
    """Open the newest report in the browser, or print where it is.

    Example: planloop report open
    """
    page = context.obj.workspace.reports / "latest" / "index.html"
    if not page.is_file():
        errors.print(f"Expected a report at {page}, found none. Run: planloop refresh")
        raise typer.Exit(1)
    console.print(str(page))
    typer.launch(page.resolve().as_uri())

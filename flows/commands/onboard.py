"""``planloop onboard``: point planloop at an export, and be told what is not clear about it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.context import Command, Json, console, errors, today, zone
from flows.config.settings import Language
from flows.errors import ConfigError
from flows.operate.display import print_json


def onboard(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Exports and workbooks: csv, parquet, jsonl, xlsx, xls.")],
    entity: Annotated[str | None, typer.Option(help="What a row stands for; by default found from the header.")] = None,
    source: Annotated[str | None, typer.Option(help="Name of the source; by default after its entity.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help="Answer to a question, as in 'deals.Close Date=%d/%m/%Y'; repeatable.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the proposal into the folder of --config.")] = False,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Delimiter of a text file.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Only this sheet of a workbook.")] = None,
    header_row: Annotated[int | None, typer.Option(help="Row of the header.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Look at exports and workbooks, propose their sources, and ask for what the files do not tell.

    Example: planloop --config my-company onboard deals.csv --answer 'company.name=Acme' --write
    """
    from flows.onboard.configuration import write as write_texts
    from flows.onboard.proposal import Answers
    from flows.onboard.session import Looked, Request
    from flows.onboard.session import onboard as look_and_propose
    from flows.onboard.show import show, show_end

    command: Command = context.obj
    options = {"encoding": encoding, "delimiter": delimiter, "sheet": sheet, "header_row": header_row}
    request = Request(
        paths=tuple(files),
        folder=command.config_folder,
        env=command.env,
        as_of=today(zone(command)),
        entity=entity,
        source=source,
        options={name: value for name, value in options.items() if value is not None},
    )
    answers = Answers(answer or ())
    looked = Looked(request)
    found = look_and_propose(request, looked, answers)
    answers.check()
    language = _language(command, found)
    if not as_json and console.is_terminal and sys.stdin.isatty():
        while found.questions and _ask(found.questions, answers, language):
            found = look_and_propose(request, looked, answers)
    is_written = write and bool(found.texts) and not found.questions
    if is_written:
        write_texts(command.config_folder, found.texts, command.env)
    if as_json:
        print_json(console, {**found.to_record(language), "written": sorted(found.texts) if is_written else []})
    else:
        show(console, found, language)
        if found.texts and not found.questions:
            paths = [str(command.config_folder / name) for name in found.texts]
            show_end(console, paths, str(command.config_folder), language, is_written=is_written)
    if write and not is_written:
        counts = f"{len(found.questions)} questions are open, {len(found.refused)} files unread"
        errors.print(f"Nothing was written: {counts}.", style="red", markup=False, highlight=False)
        raise typer.Exit(2)
    raise typer.Exit(1 if found.refused else 0)


def _ask(questions: Any, answers: Any, language: Language) -> bool:
    """Ask on the terminal; an empty answer leaves a question open. Whether anything was answered."""
    from flows.onboard.show import question_text

    answered = False
    for question in questions:
        given = typer.prompt(question_text(question, language), default="", show_default=False)
        if given:
            answers.add(question.id, given)
            answered = True
    return answered


def _language(command: Command, found: Any) -> Language:
    """The company's language; before there is one, that of the exports."""
    try:
        return command.config().settings.language
    except ConfigError:
        headers = "".join(column for proposal in found.proposals for column in (*proposal.ignored, proposal.place))
        origins = "".join(
            name for proposal in found.proposals for column in proposal.columns for name in column.columns
        )
        return "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in headers + origins) else "en"

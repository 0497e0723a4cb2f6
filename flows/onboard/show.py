"""How an onboarding looks on a terminal or in a log."""

from collections.abc import Sequence

from rich.console import Console

from flows.config.settings import Language
from flows.onboard.configuration import flow, source_text
from flows.onboard.proposal import ColumnProposal, Proposal
from flows.onboard.session import Onboarding
from flows.onboard.wording import Question
from flows.operate.display import print_rows

_WORDS = {
    "en": {
        "rows": "rows",
        "entity": "taken as",
        "unknown": "not recognised",
        "runner_up": "next",
        "column": "column",
        "from": "from",
        "how": "how",
        "sure": "sure",
        "samples": "samples",
        "assumed": "Assumed",
        "ignored": "Not mapped (listed under ignore)",
        "entry": "Entry of sources.yaml",
        "questions": "Open: answer with --answer 'ID=…'; nothing is written until then",
        "night": "What a refresh would make of it",
        "quarantined": "quarantined",
        "stages": "by stage",
        "new_stages": "New stages",
        "refused": "Not read",
        "write": "Nothing is written yet. Add --write to write: ",
        "written": "Written: ",
        "next": "Next: planloop --config {folder} refresh",
    },
    "zh": {
        "rows": "行",
        "entity": "识别为",
        "unknown": "未识别",
        "runner_up": "其次",
        "column": "列",
        "from": "来自",
        "how": "方式",
        "sure": "把握",
        "samples": "样例",
        "assumed": "假定",
        "ignored": "未映射（列在 ignore 中）",
        "entry": "sources.yaml 条目",
        "questions": "待回答：用 --answer 'ID=…' 回答；在此之前不会写入",
        "night": "refresh 的结果将是",
        "quarantined": "隔离",
        "stages": "按阶段",
        "new_stages": "新阶段",
        "refused": "无法读取",
        "write": "尚未写入。加 --write 写入：",
        "written": "已写入：",
        "next": "下一步：planloop --config {folder} refresh",
    },
}

_WIDE = 60


def show(console: Console, found: Onboarding, language: Language) -> None:
    """Print the proposals, what was assumed, what is open, and what a night would make of them."""
    words = _WORDS[language]
    for name, message in found.refused:
        _line(console, f"{words['refused']}: {name}: {message}", style="red")
    for proposal in found.proposals:
        _show_proposal(console, proposal, language)
    if found.new_stages:
        _line(console, f"\n{words['new_stages']}:", style="bold")
        for stage in found.new_stages:
            _line(console, f"  - {flow(stage)}")
    _list(console, words["assumed"], [said.text(language) for said in found.said])
    _show_rehearsal(console, found, language)
    if found.questions:
        _line(console, f"\n{words['questions']}", style="bold yellow")
        for question in found.questions:
            _line(console, f"  ? {question_text(question, language)}")


def question_text(question: Question, language: Language) -> str:
    """A question on one line: how it is named, what is asked, which answers fit, what stands in the file."""
    choices = f" [{' | '.join(question.choices[:12])}]" if question.choices else ""
    samples = f" ({', '.join(question.samples[:5])})" if question.samples else ""
    return f"{question.id}: {question.said.text(language)}{choices}{samples}"


def show_end(console: Console, files: Sequence[str], folder: str, language: Language, *, is_written: bool) -> None:
    """Say what was written, or what would be."""
    words = _WORDS[language]
    _line(console, f"\n{words['written' if is_written else 'write']}{', '.join(files)}")
    if is_written:
        _line(console, words["next"].format(folder=folder))


def _show_proposal(console: Console, proposal: Proposal, language: Language) -> None:
    words = _WORDS[language]
    runner_up = f"; {words['runner_up']}: {proposal.runner_up}" if proposal.runner_up else ""
    taken = (
        f"{words['entity']} {proposal.entity} ({proposal.confidence:.0%}{runner_up})"
        if proposal.entity
        else words["unknown"]
    )
    _line(console, f"\n{proposal.place}: {proposal.rows:,} {words['rows']}, {taken}", style="bold")
    if proposal.columns:
        rows = [_column_row(column, words) for column in proposal.columns]
        print_rows(console, proposal.source, rows, as_json=False)
    _list(console, words["ignored"], [f"{name}: {', '.join(samples)}" for name, samples in proposal.ignored.items()])
    _list(console, words["assumed"], [said.text(language) for said in proposal.said])
    if proposal.entity:
        _line(console, f"{words['entry']}:")
        _line(console, source_text(proposal))


def _column_row(column: ColumnProposal, words: dict[str, str]) -> dict[str, str]:
    entry = column.entry if isinstance(column.entry, dict) else {}
    how = {key: value for key, value in entry.items() if key not in ("from", "concat")}
    return {
        words["column"]: column.canonical,
        words["from"]: " + ".join(column.columns),
        words["how"]: _shortened(flow(how)[1:-1]) if how else "",
        words["sure"]: f"{column.confidence:.0%}",
        words["samples"]: ", ".join(column.samples),
    }


def _shortened(text: str) -> str:
    """A long map, as far as it fits a line; the whole of it stands in the entry below."""
    return text if len(text) <= _WIDE else f"{text[:_WIDE]} …"


def _show_rehearsal(console: Console, found: Onboarding, language: Language) -> None:
    words = _WORDS[language]
    if not found.rehearsals:
        return
    names = ("source", "status", "rows_in", "rows_accepted", "rows_quarantined")
    print_rows(
        console,
        words["night"],
        [{name: getattr(one, name) for name in names} for one in found.rehearsals],
        as_json=False,
    )
    for one in found.rehearsals:
        if one.message:
            _line(console, f"  {one.source}: {one.message}")
        if one.stages:
            _line(
                console,
                f"  {one.source}, {words['stages']}: "
                + ", ".join(f"{key} {count:,}" for key, count in one.stages.items()),
            )
        for reason in one.reasons:
            sample = f" ({reason['sample']})" if reason["sample"] else ""
            where = f"{one.source}.{reason['column']}" if reason["column"] else one.source
            _line(console, f"  {where}: {reason['rows']:,} × {reason[f'reason_{language}']}{sample}")


def _list(console: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        _line(console, f"{title}:")
        for line in lines:
            _line(console, f"  - {line}")


def _line(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

"""Whether every source delivered what the night needs: told as soon as it is known, for all sources in one message.

A source that may not fail stops the night before anything is built from it: nothing is published, the change log stays
as it is. One that may (``refused: ignore``, ``missing: ignore``) is left out: none of its rows is deleted, its last
state stays, and the audit warns of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from flows.config.settings import Language
from flows.config.sources import Source
from flows.ingest.accounting import FileAccount

_LISTED = 12
"""Files named one by one: with head and tail they fit a screen."""
_LONGEST = 300


def tolerated(sources: Mapping[str, Source]) -> set[tuple[str, str]]:
    """Source and status (refused or missing) that the night may go on with.

    A live CRM has no file of its own to miss: where none was landed, it refused or could not be reached.
    """
    found = {(name, "refused") for name, source in sources.items() if source.refused == "ignore"}
    for name, source in sources.items():
        if (source.missing if source.connect is None else source.refused) == "ignore":
            found.add((name, "missing"))
    return found


def undelivered(files: Iterable[FileAccount], sources: Mapping[str, Source]) -> list[FileAccount]:
    """The refused and missing files that the night cannot do without, in the order given."""
    may_fail = tolerated(sources)
    return [file for file in files if file.status != "accepted" and (file.source, file.status) not in may_fail]


def explain(
    files: Sequence[FileAccount], as_of: date, run_id: str, *, kept: str | None, language: Language = "en"
) -> str:
    """Why the night is refused, on one screen.

    Args:
        files: what was not delivered.
        as_of: the night.
        run_id: the run.
        kept: the run that readers keep; None where nothing is published yet.
        language: of the operator.
    """
    sources = list(dict.fromkeys(file.source for file in files))
    if language == "zh":
        held = f"读者继续使用 {kept}。" if kept else "目前尚无已发布的版本。"
        names = "、".join(sources)
        head = f"{as_of} 不予发布（运行 {run_id}）：{names} 未正常交付，尚未构建任何内容。{held}"
        tail = [
            "请修复导出后重新运行。缺了某个数据源也应继续时，在 sources.yaml 中为它设置"
            " `refused: ignore` 或 `missing: ignore`。",
        ]
        more = "…… 另有 {} 个文件"
    else:
        held = f"Readers keep {kept}." if kept else "Nothing has been published yet."
        head = (
            f"planloop refused to publish the night of {as_of} (run {run_id}), before anything was built from it: "
            f"{', '.join(sources)} did not deliver. {held}"
        )
        tail = [
            "Mend the export and run the night again. A night that may go on without a source: `refused: ignore` or "
            "`missing: ignore` for it in sources.yaml.",
        ]
        more = "… and {} more files"
    lines = [f"- {_line(file, language)}" for file in files[:_LISTED]]
    lines += [more.format(len(files) - _LISTED)] if len(files) > _LISTED else []
    return "\n".join([head, *lines, "", *tail])


def _line(file: FileAccount, language: Language) -> str:
    message = file.message or ""
    # What the readers say of a file begins with its name.
    is_named = not file.file or message.startswith(f"{file.file}:")
    where = file.source if is_named else f"{file.source}: {file.file}"
    status = {"refused": "被拒绝", "missing": "缺失"}.get(file.status, file.status) if language == "zh" else file.status
    told = f"{where}: {status}: {message}"
    drift = file.drift_zh if language == "zh" else file.drift_en
    told = told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"
    return f"{told} [{drift}]" if drift else told

"""Writing a proposal into a configuration folder: appended, comments kept, and taken back if it does not load."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from flows.config import Config, load
from flows.config.sources import Reading
from flows.errors import ConfigError
from flows.onboard.funnel import Funnel
from flows.onboard.proposal import Proposal


class _Dumper(yaml.SafeDumper):
    """Short values on one line, as people write them."""


def flow(value: Any) -> str:
    """A value on one line."""
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def source_text(proposal: Proposal, indent: str = "  ") -> str:
    """The entry of a source as it is written into ``sources.yaml``."""
    lines = [f"{indent}{flow(proposal.source)}:"]
    for key, value in proposal.entry().items():
        if key != "columns":
            lines.append(f"{indent * 2}{key}: {flow(value)}")
            continue
        lines.append(f"{indent * 2}columns:")
        lines += [f"{indent * 3}{name}: {flow(entry)}" for name, entry in value.items()]
    return "\n".join(lines) + "\n"


def defaults_of(folder: Path) -> Reading:
    """The reading options that hold for every source of a folder."""
    data = _loaded(folder / "sources.yaml")
    return Reading.model_validate(data.get("defaults") or {})


def sources_of(folder: Path) -> dict[str, Any]:
    """The sources that are configured, as written."""
    return dict(_loaded(folder / "sources.yaml").get("sources") or {})


def _loaded(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not valid YAML: {error}"]) from error
    return data if isinstance(data, dict) else {}


def stages_text(folder: Path) -> str:
    """``stages.yaml`` as it stands; empty where there is none."""
    return _text(folder / "stages.yaml")


def new_texts(
    folder: Path, proposals: Sequence[Proposal], stages: str | None, company: Mapping[str, str]
) -> dict[str, str]:
    """What the files of the folder would say: those that change, by name.

    Args:
        folder: the configuration folder; it need not exist.
        proposals: the sources to add.
        stages: the text of ``stages.yaml``, None where it stays as it is.
        company: name, language, time_zone, currency and bookings_from for a new ``settings.yaml``.
    """
    texts = {"sources.yaml": _with_sources(_text(folder / "sources.yaml"), proposals)}
    if stages is not None or not (folder / "stages.yaml").is_file():
        texts["stages.yaml"] = stages or with_stages("", Funnel(new=_ends_only()))
    if not (folder / "settings.yaml").is_file():
        texts["settings.yaml"] = _settings(company)
    if not (folder / "alerts.yaml").is_file():
        texts["alerts.yaml"] = (
            "# Which deviation is worth a mail. Examples stand in planloop's own config/alerts.yaml.\nrules: []\n"
        )
    return texts


def write(folder: Path, texts: Mapping[str, str], env: Mapping[str, str]) -> Config:
    """Write the files and load the configuration; on any fault everything is as it was.

    Raises:
        ConfigError: the configuration does not load, be it for what was there before or for what was added.
    """
    made = not folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    before = {name: path.read_bytes() if (path := folder / name).is_file() else None for name in texts}
    try:
        for name, text in texts.items():
            part = folder / f".{name}.part"
            part.write_text(text, encoding="utf-8")
            part.replace(folder / name)
        return load(folder, env)
    except BaseException:
        for name, content in before.items():
            if content is None:
                (folder / name).unlink(missing_ok=True)
            else:
                (folder / name).write_bytes(content)
        if made:
            folder.rmdir()
        raise


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig") if path.is_file() else ""


def _with_sources(text: str, proposals: Sequence[Proposal]) -> str:
    """The sources appended to the mapping ``sources``, in the indentation of those that stand there."""
    if not text.strip():
        text = "# Where the files lie and what their columns mean. Proposed by onboard; yours to edit.\nsources:\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    entry = next(
        (pair for pair in (root.value if isinstance(root, yaml.MappingNode) else []) if pair[0].value == "sources"),
        None,
    )
    if entry is None:
        return text.rstrip("\n") + "\n\nsources:\n" + "\n".join(source_text(proposal) for proposal in proposals)
    node = entry[1]
    if isinstance(node, yaml.MappingNode) and node.flow_style and not node.value:
        head, tail = text[: node.start_mark.index].rstrip(" "), text[node.end_mark.index :]
        return f"{head}\n" + "\n".join(source_text(proposal) for proposal in proposals) + tail.lstrip("\n")
    if isinstance(node, yaml.MappingNode) and node.flow_style:
        raise ConfigError(
            ["sources.yaml: `sources` is written in one line; write one source a line to let others be added."]
        )
    indent, end = "  ", entry[0].end_mark.index + 1
    if isinstance(node, yaml.MappingNode) and node.value:
        indent = " " * node.value[0][0].start_mark.column
        end = _end_of_block(text, node)
    head, tail = text[:end].rstrip("\n"), text[end:].lstrip("\n")
    added = "\n".join(source_text(proposal, indent) for proposal in proposals)
    gap = "\n\n" if isinstance(node, yaml.MappingNode) and node.value else "\n"
    return f"{head}{gap}{added}" + (f"\n{tail}" if tail else "")


def _end_of_block(text: str, node: yaml.Node) -> int:
    """Where the last line of a block ends, comments at the end of that line included."""
    last = _last_scalar(node)
    end = text.find("\n", max(last.end_mark.index - 1, 0))
    return len(text) if end < 0 else end + 1


def _last_scalar(node: yaml.Node) -> yaml.Node:
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _last_scalar(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _last_scalar(node.value[-1])
    return node


def with_stages(text: str, funnel: Funnel) -> str:
    """``stages.yaml`` with new stages and spellings; its comments are kept."""
    if not text.strip():
        stages = funnel.new
        lines = ["# The funnel, first stage to last, with every spelling that the exports use.", "stages:"]
        return "\n".join([*lines, *(f"  - {flow(stage)}" for stage in stages)]) + "\n"
    for key, spellings in funnel.aliases.items():
        text = _with_aliases(text, key, spellings)
    for stage in funnel.new:
        text = _with_stage(text, stage, funnel.before.get(stage["key"]))
    return text


def _ends_only() -> list[dict[str, Any]]:
    """A funnel of one step, for data that know orders but no opportunities."""
    return [
        {"key": "open", "name_en": "Open", "name_zh": "进行中"},
        {"key": "won", "name_en": "Won", "name_zh": "成交", "closed": "won", "forecast_category": "closed"},
    ]


def _stage_nodes(text: str) -> list[yaml.MappingNode]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    stages = (
        next((value for key, value in root.value if key.value == "stages"), None)
        if isinstance(root, yaml.MappingNode)
        else None
    )
    return (
        [node for node in stages.value if isinstance(node, yaml.MappingNode)]
        if isinstance(stages, yaml.SequenceNode)
        else []
    )


def _field(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in node.value if key.value == name), None)


def _with_aliases(text: str, key: str, spellings: Sequence[str]) -> str:
    node = next(
        node for node in _stage_nodes(text) if (found := _field(node, "key")) is not None and found.value == key
    )
    aliases = _field(node, "aliases")
    words = ", ".join(flow(spelling) for spelling in spellings)
    if isinstance(aliases, yaml.SequenceNode) and aliases.flow_style:
        at = aliases.end_mark.index - 1
        return f"{text[:at].rstrip()}{', ' if aliases.value else ''}{words}{text[at:]}"
    if isinstance(aliases, yaml.SequenceNode):
        indent = " " * aliases.start_mark.column
        end = _end_of_block(text, aliases)
        return text[:end] + "".join(f"{indent}- {flow(spelling)}\n" for spelling in spellings) + text[end:]
    if node.flow_style:
        at = node.end_mark.index - 1
        return f"{text[:at].rstrip()}, aliases: [{words}]{text[at:]}"
    end = _end_of_block(text, node)
    head = text[:end] if text[:end].endswith("\n") else text[:end] + "\n"
    return f"{head}{' ' * node.start_mark.column}aliases: [{words}]\n{text[end:]}"


def _with_stage(text: str, stage: Mapping[str, Any], before: str | None) -> str:
    """A new stage stands before the one it precedes, else before the first one that closes a deal, else at the end."""
    nodes = _stage_nodes(text)
    ends = [
        node for node in nodes if (closed := _field(node, "closed")) is not None and closed.value in ("won", "lost")
    ]
    named = [node for node in nodes if (key := _field(node, "key")) is not None and key.value == before]
    following = None if stage.get("closed") else next(iter([*named, *ends]), None)
    if following is None:
        end = _end_of_block(text, nodes[-1])
        head = text[:end] if text[:end].endswith("\n") else text[:end] + "\n"
        dash = _dash(text, nodes[-1])
        return f"{head}{dash}- {flow(dict(stage))}\n{text[end:]}"
    start = text.rfind("\n", 0, following.start_mark.index) + 1
    return f"{text[:start]}{_dash(text, following)}- {flow(dict(stage))}\n{text[start:]}"


def _dash(text: str, node: yaml.MappingNode) -> str:
    start = text.rfind("\n", 0, node.start_mark.index) + 1
    return re.match(r" *", text[start:])[0]  # type: ignore[index]


def _settings(company: Mapping[str, str]) -> str:
    language = company["language"]
    return (
        f"company: {{name: {flow(company['name'])}}}\n"
        f"time_zone: {company['time_zone']}\n"
        f"language: {language}\n"
        f"reporting_currency: {company['currency']}\n"
        f"calendar: {{country: {company['country']}}}          # whose public holidays are no working days\n"
        f"bookings_from: {company['bookings_from']}\n"
        "# Replace the addresses before a mail server is named; until then mails are files in the workspace's outbox.\n"
        f"operator: {{email: operator@example.com, language: {language}}}\n"
        'mail: {sender: "planloop <planloop@example.com>", fallback_recipient: sales-lead@example.com}\n'
    )

"""Reading one YAML file so that every fault can be reported with its line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Lines = dict[tuple[str | int, ...], int]
M = TypeVar("M", bound=BaseModel)


def parse(path: Path, model: type[M], faults: list[str], context: Mapping[str, Any] | None = None) -> M | None:
    """Read ``path`` into ``model``; on any fault append a line for each to ``faults`` and return None."""
    if not path.is_file():
        faults.append(f"{path}: not found; expected a YAML file here")
        return None
    try:
        root = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        faults.append(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML: {getattr(error, 'problem', error)}")
        return None
    lines: Lines = {}
    found_before = len(faults)
    data = _value(root, (), lines, path, faults) if root is not None else {}
    if len(faults) > found_before:
        return None
    try:
        return model.model_validate(data, context=dict(context or {}))
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            faults.append(_describe(path, fault, lines))
        return None


def _describe(path: Path, fault: Any, lines: Lines) -> str:
    """One line: file, line, where in the document, what was expected, what was found."""
    where = tuple(fault["loc"])
    known = where
    while known and known not in lines:
        known = known[:-1]
    line = lines.get(known, 1)
    place = ".".join(str(part) for part in where) or "top level"
    found = "" if fault["type"] in ("missing", "extra_forbidden") else f"; found {fault['input']!r}"
    message = {"missing": "is required and missing", "extra_forbidden": "is not a known option"}.get(
        fault["type"], fault["msg"].removeprefix("Value error, ")
    )
    return f"{path}:{line}: {place}: {message}{found}"


def _value(node: yaml.Node, where: tuple[str | int, ...], lines: Lines, path: Path, faults: list[str]) -> Any:
    """The plain value of a node; notes the line of each path and reports a key given twice."""
    lines[where] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if key in result:
                faults.append(f"{path}:{key_node.start_mark.line + 1}: {key!r} is given twice in one mapping")
            result[key] = _value(value_node, (*where, key), lines, path, faults)
            lines[(*where, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*where, position), lines, path, faults) for position, item in enumerate(node.value)]
    return yaml.SafeLoader("").construct_object(node, deep=True)

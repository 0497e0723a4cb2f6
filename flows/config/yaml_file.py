"""Reading one YAML file so that every fault can be reported with its line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Where = tuple[str | int, ...]
"""A place within a document, by keys and positions: ``("versions", 0, "targets", 2, "base")``."""
Place = Callable[[Where], str]
"""How a place is told to a person: file, line and dotted name; in a workbook sheet, row and column."""
Lines = dict[Where, int]
M = TypeVar("M", bound=BaseModel)
# The C parser is five times as fast and builds the same nodes.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(
    path: Path,
    model: type[M],
    faults: list[str],
    context: Mapping[str, Any] | None = None,
    lines: Lines | None = None,
) -> M | None:
    """Read ``path`` into ``model``; on any fault append a line for each to ``faults`` and return None.

    Args:
        path: the file.
        model: what it is to say.
        faults: gets a line for each fault.
        context: for the model's validators.
        lines: gets the line of every place in the file, for faults that are found later (:func:`place`).
    """
    lines = {} if lines is None else lines
    found_before = len(faults)
    data = plain(path, faults, lines)
    if len(faults) > found_before:
        return None
    return validated(data, model, place(path, lines), faults, context)


def plain(path: Path, faults: list[str], lines: Lines) -> Any:
    """What a file says as plain data, an empty one nothing; on any fault append a line for each to ``faults``."""
    if not path.is_file():
        faults.append(f"{path}: not found; expected a YAML file here")
        return None
    try:
        root = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        faults.append(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML: {getattr(error, 'problem', error)}")
        return None
    return _value(root, (), lines, path, faults) if root is not None else {}


def validated(
    data: Any, model: type[M], at: Place, faults: list[str], context: Mapping[str, Any] | None = None
) -> M | None:
    """What plain data say as ``model``; on any fault append a line for each to ``faults`` and return None."""
    try:
        return model.model_validate(data, context=dict(context or {}))
    except ValidationError as error:
        found = error.errors(include_url=False)
        # Entries with faults are not counted: that there are too few is told only where none of them has any.
        faults += [
            _describe(at, fault) for fault in found if fault["type"] != "too_short" or not _is_above(fault, found)
        ]
        return None


def _is_above(fault: Any, found: Any) -> bool:
    return any(one is not fault and one["loc"][: len(fault["loc"])] == fault["loc"] for one in found)


def place(path: Path, lines: Lines) -> Place:
    """Places of a file, each with its line, or with that of the nearest thing around it that stands there."""

    def said(where: Where) -> str:
        known = where
        while known and known not in lines:
            known = known[:-1]
        return f"{path}:{lines.get(known, 1)}: {'.'.join(str(part) for part in where) or 'top level'}"

    return said


def _describe(at: Place, fault: Any) -> str:
    """One line: file, line, where in the document, what was expected, what was found."""
    if fault["type"].startswith("date_"):
        fault = {**fault, "msg": "expected a day such as 2026-07-31"}
    # Of a whole entry that contradicts itself, the message says what; to print all of it would hide that.
    is_told = fault["type"] in ("missing", "extra_forbidden") or isinstance(fault["input"], dict | list)
    found = "" if is_told else f"; found {fault['input']!r}"
    message = {
        "missing": "is required and missing",
        "extra_forbidden": "is not a known option",
        "too_short": "expected at least one entry",
        "string_type": "expected text; write what looks like a number or a date in quotes",
    }.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    return f"{at(tuple(fault['loc']))}: {message}{found}"


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
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (ValueError, yaml.YAMLError) as error:
        # A day that no calendar has (2026-02-30), or a tag nobody knows.
        reason = getattr(error, "problem", None) or error
        faults.append(f"{path}:{node.start_mark.line + 1}: {node.value!r} cannot be read: {reason}")
        return None

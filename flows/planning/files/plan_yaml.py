"""A plan as the text of its file, written as a person would: an entry a line, amounts in 万 where that is exact."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel

from flows.config.plan.metrics import plan_metric
from flows.config.plan.model import Capacity, FunnelStep, Goal, Pin, Plan, Target, Version
from flows.config.settings import Language

_WIDTH = 116
_WAN = 10_000
_AMOUNTS = frozenset(
    {"base", "stretch", "quota_per_head", "budget", "target_pay", "per_unit", "cap", "monthly", "value"}
)
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VERSION_FIRST = ("id", "effective_on", "decided_on", "decided_by", "reason")


def plan_text(plan: Plan, language: Language, head: str = "") -> str:
    """The file of a plan; reading it gives the same plan.

    Args:
        plan: the plan.
        language: in Chinese, round amounts of money are written in 万.
        head: comment lines to stand first.
    """
    lines = [*head.splitlines(), f"year: {plan.year}", f"flavour: {plan.flavour}"]
    if plan.goals:
        lines.append("")
        lines.append("goals:")
        for goal in plan.goals:
            lines += _goal(goal, language)
    lines += ["", "versions:"]
    for number, version in enumerate(plan.versions):
        lines += [""] if number else []
        lines += _version(version, language)
    return "\n".join(lines) + "\n"


def leading_comment(text: str) -> str:
    """The comment lines with which a file begins."""
    kept = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        kept.append(line)
    return "\n".join(kept).strip("\n")


def _goal(goal: Goal, language: Language) -> Iterator[str]:
    """A goal and each of its initiatives; actions on a line of their own."""
    yield from _entry("  ", _stated(goal, without=("initiatives",)), language)
    if goal.initiatives:
        yield "    initiatives:"
    for initiative in goal.initiatives:
        yield from _entry("      ", _stated(initiative, without=("actions",)), language)
        if initiative.actions:
            yield "        actions:"
        for action in initiative.actions:
            yield f"          - {_inline(_stated(action), language)}"


def _entry(indent: str, fields: Mapping[str, Any], language: Language) -> Iterator[str]:
    """An entry as a block of its own, below which something can stand."""
    for number, (name, value) in enumerate(fields.items()):
        yield f"{indent}{'  ' if number else '- '}{name}: {_inline(value, language)}"


def _version(version: Version, language: Language) -> Iterator[str]:
    fields = _stated(version)
    order = [name for name in _VERSION_FIRST if name in fields]
    for number, name in enumerate([*order, *(name for name in fields if name not in order)]):
        start, value = "    " if number else "  - ", fields[name]
        if isinstance(value, list | tuple) and value:
            yield f"{start}{name}:"
            for one in value:
                yield from _item(one, language)
        else:
            yield f"{start}{name}: {_inline(value, language)}"


def _item(entry: Any, language: Language) -> Iterator[str]:
    """An entry on one line; a long one field by field, with its lists item by item."""
    line = f"      - {_inline(entry, language)}"
    if len(line) <= _WIDTH or not isinstance(entry, Mapping):
        yield line
        return
    for number, (name, value) in enumerate(entry.items()):
        start = "        " if number else "      - "
        if isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            yield f"{start}{name}:"
            for one in value:
                yield f"          - {_inline(one, language)}"
        else:
            yield f"{start}{name}: {_inline(value, language)}"


def _stated(model: BaseModel, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What is stated in so many words, amounts marked as those of money or of something else."""
    found: dict[str, Any] = {}
    money = _is_money(model)
    for name in type(model).model_fields:
        if name not in model.model_fields_set or name in without:
            continue
        value = getattr(model, name)
        found[name] = _Money(value) if money and name in _AMOUNTS and isinstance(value, Decimal) else _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _stated(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value


class _Money(Decimal):
    """An amount of money, which people write in units."""


def _is_money(model: BaseModel) -> bool:
    """Whether the amounts of an entry are money: pay and budgets always, targets and the like by their metric."""
    if isinstance(model, FunnelStep):
        return _unit(model.to) == "money"
    return not isinstance(model, Target | Pin | Capacity) or _unit(model.metric) == "money"


def _unit(metric: str) -> str:
    known = plan_metric(metric)
    return known.unit if known else "money"


def _inline(value: Any, language: Language) -> str:
    """A value on one line, in flow style."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_inline(one, language)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(one, language) for one in value) + "]"
    if isinstance(value, _Money) and language == "zh" and value and value % _WAN == 0:
        return f"{_digits(value / _WAN)}万"
    if isinstance(value, Decimal):
        return _number(_digits(value))
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return value.isoformat() if isinstance(value, date) else _scalar(value)


def _digits(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@cache
def _number(text: str) -> str:
    """What a binary number would not keep stands as text, which is read digit by digit."""
    return text if Decimal(str(yaml.safe_load(text))) == Decimal(text) else f'"{text}"'


def _scalar(value: Any) -> str:
    """A text as YAML writes it within a flow, quoted only where it has to be, on one line."""
    if isinstance(value, str) and _is_plain(value):
        return value
    text = _dumped(value, None)
    return _dumped(value, '"') if "\n" in text else text


def _is_plain(text: str) -> bool:
    """Whether a text is an id, as most are, that YAML reads as nothing else: to dump each of thousands takes long."""
    return _ID.fullmatch(text) is not None and not any(
        regexp.match(text) for _, regexp in yaml.SafeDumper.yaml_implicit_resolvers.get(text[0], ())
    )


def _dumped(value: Any, style: str | None) -> str:
    text: str = yaml.safe_dump(
        [value], default_style=style, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False
    )
    return text.strip()[1:-1]

"""``planloop metrics``: what each figure means, from the one glossary."""

from typing import Annotated

import typer

from flows.commands.context import Command, Json, console, is_chinese
from flows.config.settings import Language
from flows.errors import ConfigError
from flows.operate.display import print_json, print_rows
from flows.warehouse.glossary import Metric, load_domains
from flows.warehouse.glossary_search import find, nearest

_LABELS: dict[str, dict[Language, str]] = {
    "domain": {"en": "domain", "zh": "主题"},
    "formula": {"en": "definition", "zh": "定义"},
    "unit": {"en": "unit", "zh": "单位"},
    "grain": {"en": "one value per", "zh": "粒度"},
    "null_rule": {"en": "without a value", "zh": "空值规则"},
    "marts": {"en": "stands in", "zh": "所在列"},
    "proven_by": {"en": "proven by", "zh": "由测试证明"},
    "key": {"en": "key", "zh": "键"},
    "name": {"en": "name", "zh": "名称"},
    "title": {"en": "Metrics", "zh": "指标"},
}


def metrics(
    context: typer.Context,
    name: Annotated[
        list[str] | None, typer.Argument(help="Key, name or words of it, in Chinese or English; by default all.")
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="zh or en; by default the company's language.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a metric is: definition, unit, grain, where it stands, what proves it.

    Example: planloop metrics win rate
    """
    if lang not in (None, "zh", "en"):
        raise typer.BadParameter(f"expected zh or en, found {lang}", param_hint="--lang")
    domains = load_domains()
    domain_of = {metric.key: domain for domain, content in domains.items() for metric in content.metrics}
    known = tuple(metric for content in domains.values() for metric in content.metrics)
    wanted = " ".join(name or [])
    found = find(known, wanted) if wanted.strip() else known
    language: Language = "zh" if lang == "zh" or (lang is None and _reads_chinese(context.obj)) else "en"
    if not found:
        raise ConfigError([_unknown(known, wanted, language)])
    if as_json:
        print_json(console, [{"domain": domain_of[metric.key], **metric.model_dump()} for metric in found])
    elif wanted.strip() and len(found) == 1:
        _print_whole(found[0], domain_of[found[0].key], language)
    else:
        print_rows(console, _LABELS["title"][language], [_line(metric, language) for metric in found], as_json=False)


def _line(metric: Metric, language: Language) -> dict[str, str]:
    cells = {"key": metric.key, "name": metric.name.said(language), "formula": metric.formula.said(language)}
    return {_LABELS[label][language]: cell for label, cell in cells.items()}


def _print_whole(metric: Metric, domain: str, language: Language) -> None:
    """One metric in full, a line a fact; what stands in several places has a line each."""
    other: Language = "en" if language == "zh" else "zh"
    facts = {
        "formula": (metric.formula.said(language),),
        "unit": (metric.unit_said(language),),
        "grain": (metric.grain.said(language),),
        "null_rule": (metric.null_rule.said(language),),
        "marts": metric.marts,
        "proven_by": metric.proven_by,
        "domain": (domain,),
    }
    console.print(
        f"{metric.name.said(language)} · {metric.name.said(other)} ({metric.key})",
        style="bold",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    for label, texts in facts.items():
        for number, text in enumerate(texts):
            head = f"{_LABELS[label][language]}: " if number == 0 else "  "
            console.print(f"  {head}{text}", markup=False, highlight=False, soft_wrap=True)


def _unknown(known: tuple[Metric, ...], wanted: str, language: Language) -> str:
    near = nearest(known, wanted)
    meant = ", ".join(f"{metric.key} ({metric.name.said(language)})" for metric in near)
    advice = f"Did you mean {meant}?" if near else "`planloop metrics` lists them all."
    return f"metrics: expected a metric of the glossary, found {wanted!r}. {advice}"


def _reads_chinese(command: Command) -> bool:
    """A glossary can be read before there is a configuration."""
    try:
        return is_chinese(command)
    except ConfigError:
        return False

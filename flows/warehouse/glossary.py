"""The glossary of metrics: one YAML file a domain, read here, written out as the doc blocks that dbt refers to.

Marts, documentation, dashboard, alerts and ``planloop metrics`` take names and meanings from it, and from nowhere else.

    metrics:
      - key: win_rate             # its doc block is metric_win_rate; a figure of this name is this metric everywhere
        name: {en: …, zh: …}
        formula: {en: …, zh: …}   # the definition, in words a sales leader can check by hand
        unit: share               # one of UNITS
        grain: {en: …, zh: …}     # what one value is about
        null_rule: {en: …, zh: …}
        proven_by: [a_dbt_test, tests/unit/dbt/test_x.py::test_y]   # numbers worked out by hand
        marts: [mart_x.win_rate, mart_y.metric=win_rate]            # each column, or value of one, that is the metric
    plain:                        # figures of marts that are no metric, and why they need no definition of their own
      - why: place in an order
        columns: [mart_x.stage_no, "*.level"]
"""

import sys
from pathlib import Path

from pydantic import Field, field_validator

from flows.config.model import ConfigModel
from flows.config.settings import Language
from flows.config.yaml_file import parse
from flows.errors import ConfigError

DBT_PROJECT = Path(__file__).parents[2] / "dbt_project"
GLOSSARY = DBT_PROJECT / "glossary"
DOC_BLOCKS = DBT_PROJECT / "models" / "glossary"

# Written once, so that one unit has one spelling in each language.
UNITS = {
    "count": "个",
    "share": "比例",
    "percent": "百分比",
    "index": "指数",
    "days": "天",
    "working days": "工作日",
    "weeks": "周",
    "hours": "小时",
    "score": "分",
    "rank": "名次",
    "reporting currency": "报告币种",
    "reporting currency per day": "报告币种/天",
    "count per week": "个/周",
    "units": "件",
    "that of the metric": "同该指标",
    "that of the metric, per working day": "同该指标，每工作日",
    "reporting currency, or count for metrics that count": "报告币种；计数类指标为个",
}


class Wording(ConfigModel):
    """The same in both languages.

    Attributes:
        en: in English.
        zh: in Chinese.
    """

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def said(self, language: Language) -> str:
        """In the reader's language."""
        return self.zh if language == "zh" else self.en


class Metric(ConfigModel):
    """One metric as everybody is to understand it.

    Attributes:
        key: name of the doc block ``metric_<key>``, and of the columns that hold it where they hold nothing else.
        name: what people call it.
        formula: the definition, checkable by hand.
        unit: what one unit of the value is; a key of ``UNITS``.
        grain: what one value is about.
        null_rule: when there is no value.
        proven_by: dbt tests by name, pytest tests by ``path::name``, that prove the formula.
        marts: where it stands: ``mart.column``, or ``mart.column=value`` where a row is the metric.
    """

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: Wording
    formula: Wording
    unit: str
    grain: Wording
    null_rule: Wording
    proven_by: tuple[str, ...] = Field(min_length=1)
    marts: tuple[str, ...] = Field(min_length=1)

    @field_validator("unit")
    @classmethod
    def _known_unit(cls, unit: str) -> str:
        if unit not in UNITS:
            raise ValueError(f"expected one of {', '.join(sorted(UNITS))}")
        return unit

    def unit_said(self, language: Language) -> str:
        """The unit in the reader's language."""
        return UNITS[self.unit] if language == "zh" else self.unit


class Plain(ConfigModel):
    """Figures that are no metric.

    Attributes:
        why: the reason why their description in the contract is definition enough.
        columns: ``mart.column``; ``*`` stands for any mart.
    """

    why: str = Field(min_length=1)
    columns: tuple[str, ...] = Field(min_length=1)


class Domain(ConfigModel):
    """One file of the glossary.

    Attributes:
        metrics: what is defined.
        plain: what needs no definition.
    """

    metrics: tuple[Metric, ...] = ()
    plain: tuple[Plain, ...] = ()


def load_domains(folder: Path = GLOSSARY) -> dict[str, Domain]:
    """Read every file of the glossary, by domain, in alphabetical order.

    Raises:
        ConfigError: an entry lacks a field, has one too many, or defines a metric that is defined already; each fault
            with its file.
    """
    faults: list[str] = []
    domains: dict[str, Domain] = {}
    defined: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yml")):
        domain = parse(path, Domain, faults)
        if domain is None:
            continue
        for metric in domain.metrics:
            if metric.key in defined:
                first = defined[metric.key].name
                faults.append(f"{path}: {metric.key} is defined in {first} already; a metric has one definition")
            defined[metric.key] = path
        domains[path.stem] = domain
    if faults:
        raise ConfigError(faults)
    return domains


def load_glossary(folder: Path = GLOSSARY) -> tuple[Metric, ...]:
    """All metrics, domain after domain, each in the order of its file.

    Raises:
        ConfigError: as ``load_domains`` does.
    """
    return tuple(metric for domain in load_domains(folder).values() for metric in domain.metrics)


def render_doc_blocks(domain: str, metrics: tuple[Metric, ...]) -> str:
    """Render the Markdown file of one domain's dbt doc blocks, one a metric."""
    header = f"<!-- Generated from glossary/{domain}.yml by `python -m flows.warehouse.glossary`; edit that file. -->\n"
    blocks = [
        f"{{% docs metric_{metric.key} %}}\n"
        f"{metric.name.en} · {metric.name.zh}: {metric.formula.en.rstrip('.')}. "
        f"Unit: {metric.unit}. Null rule: {metric.null_rule.en.rstrip('.')}. "
        f"{metric.formula.zh.rstrip('。')}。\n"
        "{% enddocs %}\n"
        for metric in metrics
    ]
    return "\n".join([header, *blocks])


def rendered(folder: Path = GLOSSARY) -> dict[str, str]:
    """The files of doc blocks that belong to the glossary, by name."""
    return {
        f"{name}.md": render_doc_blocks(name, domain.metrics)
        for name, domain in load_domains(folder).items()
        if domain.metrics
    }


def write_doc_blocks(source: Path = GLOSSARY, target: Path = DOC_BLOCKS) -> list[str]:
    """Generate the doc blocks anew; returns the names of the files that changed."""
    files = rendered(source)
    present = {path.name: path.read_text(encoding="utf-8") for path in target.glob("*.md")}
    target.mkdir(exist_ok=True)
    for name in present.keys() - files.keys():
        (target / name).unlink()
    for name, text in files.items():
        (target / name).write_text(text, encoding="utf-8")
    return sorted(name for name in files.keys() | present.keys() if files.get(name) != present.get(name))


def main() -> int:
    """Write the doc blocks and say what changed."""
    changed = write_doc_blocks()
    sys.stdout.write(f"models/glossary: {', '.join(changed) if changed else 'up to date'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

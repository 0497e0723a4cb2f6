"""The glossary of metrics: read once from YAML, written out as the doc blocks that every dbt description refers to."""

import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from flows.errors import ConfigError

DBT_PROJECT = Path(__file__).parents[2] / "dbt_project"
GLOSSARY = DBT_PROJECT / "glossary" / "glossary.yml"
DOC_BLOCKS = DBT_PROJECT / "models" / "glossary.md"

HEADER = "<!-- Generated from glossary/glossary.yml by `python -m flows.warehouse.glossary`; edit that file. -->\n"


@dataclass(frozen=True)
class Metric:
    """One metric as everybody is to understand it.

    Attributes:
        key: column name in the marts; the doc block is called ``metric_<key>``.
        name_en: name in English.
        name_zh: name in Chinese.
        formula: the definition, checkable by hand.
        unit: what one unit of the value is.
        grain: what one value is about.
        null_rule: when there is no value.
        proven_by: names of the dbt tests that prove the formula.
    """

    key: str
    name_en: str
    name_zh: str
    formula: str
    unit: str
    grain: str
    null_rule: str
    proven_by: tuple[str, ...]


def load_glossary(path: Path = GLOSSARY) -> tuple[Metric, ...]:
    """Read the glossary, in the order of the file.

    Raises:
        ConfigError: an entry lacks a field, has one too many, or repeats a key.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["metrics"]
    expected = {"key", "name", "formula", "unit", "grain", "null_rule", "proven_by"}
    faults = []
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        label = f"{path.name}: metric {number} ({entry.get('key', 'without key')})"
        if set(entry) != expected:
            faults.append(f"{label}: expected the fields {sorted(expected)}, found {sorted(entry)}")
        elif set(entry["name"]) != {"en", "zh"}:
            faults.append(f"{label}: expected a name in en and zh, found {sorted(entry['name'])}")
        if entry.get("key") in seen:
            faults.append(f"{label}: this key is defined above already; a metric has one definition")
        seen.add(entry.get("key"))
    if faults:
        raise ConfigError(faults)
    return tuple(
        Metric(
            key=entry["key"],
            name_en=entry["name"]["en"],
            name_zh=entry["name"]["zh"],
            formula=entry["formula"],
            unit=entry["unit"],
            grain=entry["grain"],
            null_rule=entry["null_rule"],
            proven_by=tuple(entry["proven_by"]),
        )
        for entry in entries
    )


def render_doc_blocks(metrics: tuple[Metric, ...]) -> str:
    """Render the Markdown file of dbt doc blocks, one a metric."""
    blocks = [
        f"{{% docs metric_{metric.key} %}}\n"
        f"{metric.name_en} · {metric.name_zh}: {metric.formula.rstrip('.')}. "
        f"Unit: {metric.unit}. Null rule: {metric.null_rule}.\n"
        "{% enddocs %}\n"
        for metric in metrics
    ]
    return "\n".join([HEADER, *blocks])


def write_doc_blocks(source: Path = GLOSSARY, target: Path = DOC_BLOCKS) -> bool:
    """Generate the doc blocks anew; returns whether the file changed."""
    text = render_doc_blocks(load_glossary(source))
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return False
    target.write_text(text, encoding="utf-8")
    return True


def main() -> int:
    """Write the doc blocks and say whether anything changed."""
    sys.stdout.write("models/glossary.md was written\n" if write_doc_blocks() else "models/glossary.md is up to date\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the audit found, and how it is told to a person."""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from flows.audit.rules import Rule, Unit

SCREEN = 24
"""Lines of a terminal that needs no scrolling."""
SHOWN_PER_RULE = 3
Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Finding:
    """One measurement that does not hold.

    Attributes:
        rule: id of the rule.
        table: mart, or what else was measured.
        subject: file, currency, period and the like.
        expected: as a person reads it.
        found: as a person reads it.
        message_en: what is wrong, in one sentence.
        message_zh: the same in Chinese.
        refuses: whether it keeps the night from being published.
    """

    rule: str
    table: str
    subject: str
    expected: str
    found: str
    message_en: str
    message_zh: str
    refuses: bool

    def message(self, language: Language) -> str:
        """What is wrong, in one sentence."""
        return self.message_zh if language == "zh" else self.message_en


@dataclass(frozen=True)
class RuleOutcome:
    """How one rule ended: the number of its measurements, and those that do not hold."""

    rule: Rule
    measured: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether all its measurements hold."""
        return not self.findings


@dataclass(frozen=True)
class AuditResult:
    """Result of the audit of one night.

    Attributes:
        as_of_date: the night.
        run_id: the run.
        outcomes: every rule that applied, in order.
        measures: totals for the manifest of the night, by which the next one is compared.
        previous_run_id: the night that readers keep when this one is refused; None if nothing is published yet.
        docs: the page with all measurements.
    """

    as_of_date: date
    run_id: str
    outcomes: tuple[RuleOutcome, ...]
    measures: dict[str, float]
    previous_run_id: str | None
    docs: Path

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, those that refuse the night first."""
        found = [finding for outcome in self.outcomes for finding in outcome.findings]
        return tuple(sorted(found, key=lambda finding: not finding.refuses))

    @property
    def passed(self) -> bool:
        """Whether the night may be published; warnings do not keep it."""
        return not any(finding.refuses for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for the run's notes and ``--json``."""
        return {
            "passed": self.passed,
            "rules": len(self.outcomes),
            "rules_failed": [outcome.rule.id for outcome in self.outcomes if not outcome.passed],
            "findings": [asdict(finding) for finding in self.findings],
            "measures": self.measures,
            "docs": str(self.docs),
        }

    def explain(self, language: Language = "en") -> str:
        """Why the night was refused (or what it was warned of), on one screen."""
        return "\n".join(_explain_zh(self) if language == "zh" else _explain_en(self))


def shown(value: int, unit: Unit) -> str:
    """A measurement as a person reads it."""
    return f"{value / 100:,.2f}" if unit == "amount" else f"{value:,}"


def _explain_en(result: AuditResult) -> list[str]:
    refusing = [outcome for outcome in result.outcomes if any(finding.refuses for finding in outcome.findings)]
    head = f"The audit of the night of {result.as_of_date} (run {result.run_id}) "
    if not refusing:
        warned = len(result.findings)
        return [head + f"passed: {len(result.outcomes)} rules, {warned} warning{'' if warned == 1 else 's'}."]
    kept = f"Readers keep {result.previous_run_id}." if result.previous_run_id else "Nothing has been published yet."
    head += f"refused to publish: {len(refusing)} of {len(result.outcomes)} rules failed. {kept}"
    tail = [
        "",
        "Mend the cause and run the night again. If an export is meant to be so much smaller or larger:",
        f"  planloop refresh --as-of {result.as_of_date} --accept-shrink SOURCE",
        f"All measurements: {result.docs}",
    ]
    return [
        head,
        *_listed(refusing, "en", SCREEN - 1 - len(tail), "… and {} more of this rule", "… and {} more rules"),
        *tail,
    ]


def _explain_zh(result: AuditResult) -> list[str]:
    refusing = [outcome for outcome in result.outcomes if any(finding.refuses for finding in outcome.findings)]
    head = f"{result.as_of_date} 的审核(运行 {result.run_id})"
    if not refusing:
        return [head + f"通过:{len(result.outcomes)} 条规则,{len(result.findings)} 条提醒。"]
    kept = f"读者继续使用 {result.previous_run_id}。" if result.previous_run_id else "目前尚无已发布的版本。"
    head += f"不予发布:{len(result.outcomes)} 条规则中有 {len(refusing)} 条未通过。{kept}"
    tail = [
        "",
        "请排除原因后重新运行。如果导出确实应当大幅变化:",
        f"  planloop refresh --as-of {result.as_of_date} --accept-shrink SOURCE",
        f"全部测量值:{result.docs}",
    ]
    return [head, *_listed(refusing, "zh", SCREEN - 1 - len(tail), "…… 此规则另有 {} 处", "…… 另有 {} 条规则"), *tail]


def _listed(outcomes: list[RuleOutcome], language: Language, room: int, more: str, more_rules: str) -> list[str]:
    """The failed rules with their first findings, in no more than ``room`` lines."""
    lines: list[str] = []
    for number, outcome in enumerate(outcomes):
        rule = outcome.rule
        block = [f"- {rule.id}: {rule.zh if language == 'zh' else rule.en}"]
        block += [f"    {_short(finding.message(language))}" for finding in outcome.findings[:SHOWN_PER_RULE]]
        if len(outcome.findings) > SHOWN_PER_RULE:
            block.append("    " + more.format(len(outcome.findings) - SHOWN_PER_RULE))
        if len(lines) + len(block) > room - (number < len(outcomes) - 1):
            return [*lines, "- " + more_rules.format(len(outcomes) - number)]
        lines += block
    return lines


def _short(text: str, width: int = 300) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"

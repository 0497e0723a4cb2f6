"""The check of a plan in words: one text for each finding (``texts.yaml``), in English and Chinese."""

from functools import cache
from pathlib import Path

import yaml

from flows.config.settings import Language
from flows.planning.check.verdicts import LETTERS, Finding, Item, Judged, Kind, Letter, Report, Verdict

TEXTS = Path(__file__).with_name("texts.yaml")
_LETTERS: dict[Letter, tuple[str, str]] = {
    "S": ("S specific", "S 明确"),
    "M": ("M measurable", "M 可衡量"),
    "A": ("A achievable", "A 可达成"),
    "R": ("R relevant", "R 相关"),
    "T": ("T time-bound", "T 有时限"),
    "DRI": ("DRI", "责任人"),
}
_VERDICTS: dict[Verdict, tuple[str, str]] = {
    "pass": ("pass", "通过"),
    "warn": ("warn", "提醒"),
    "fail": ("fail", "不通过"),
}
_KINDS: dict[Kind, tuple[str, str]] = {
    "file": ("file", "文件"),
    "target": ("target", "目标"),
    "pin": ("hand-set cell", "手工格"),
    "goal": ("goal", "目标方向"),
    "initiative": ("initiative", "举措"),
    "action": ("action", "行动"),
}
_HEADS: dict[str, tuple[str, str]] = {
    "version": ("version", "版本"),
    "kind": ("what", "类别"),
    "item": ("statement", "条目"),
    "letter": ("letter", "项"),
    "verdict": ("verdict", "结论"),
    "reason": ("reason", "理由"),
    "title": (
        "SMART check of fiscal {year}: {fail} fail, {warn} warn, {ok} pass",
        "{year} 财年计划 SMART 检查：不通过 {fail}，提醒 {warn}，通过 {ok}",
    ),
}


def text(finding: Finding, language: Language) -> str:
    """A finding in words."""
    return texts()[finding.code][language].format(**finding.said)


@cache
def texts() -> dict[str, dict[str, str]]:
    """All texts by code and language."""
    found: dict[str, dict[str, str]] = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    return found


def reason(judged: Judged, letter: Letter, language: Language, *, everything: bool = True) -> str:
    """All that was found of a letter, worst first; or what made it worse than passed."""
    found = [one for one in judged.of(letter) if everything or one.verdict != "pass"]
    return ("；" if language == "zh" else "; ").join(text(one, language) for one in found)


def heading(name: str, language: Language) -> str:
    """Of a column."""
    return _HEADS[name][language == "zh"]


def title(report: Report, language: Language) -> str:
    """The outcome in one line."""
    counts = {"fail": report.count("fail"), "warn": report.count("warn"), "ok": report.count("pass")}
    return _HEADS["title"][language == "zh"].format(year=report.year, **counts)


def letter_said(letter: Letter, language: Language) -> str:
    """The letter with what it stands for."""
    return _LETTERS[letter][language == "zh"]


def verdict_said(verdict: Verdict | None, language: Language) -> str:
    """The verdict; a dash where nothing is asked."""
    return _VERDICTS[verdict][language == "zh"] if verdict else "–"


def kind_said(item: Item, language: Language) -> str:
    """What kind of statement it is."""
    return _KINDS[item.kind][language == "zh"]


def rows(report: Report, language: Language, *, everything: bool) -> list[dict[str, str]]:
    """One row per statement and letter that does not pass, or per each of them, for a terminal."""
    return [
        {
            heading("kind", language): kind_said(judged.item, language),
            heading("item", language): judged.item.name,
            heading("version", language): judged.item.version or "",
            heading("letter", language): letter_said(letter, language),
            heading("verdict", language): verdict_said(judged.verdict(letter), language),
            heading("reason", language): reason(judged, letter, language, everything=everything),
        }
        for judged in report.judged
        for letter in LETTERS
        if judged.verdict(letter) is not None and (everything or judged.verdict(letter) != "pass")
    ]


def records(report: Report) -> list[dict[str, object]]:
    """One record per statement and letter, for scripts."""
    return [
        {
            "year": report.year,
            "version": judged.item.version,
            "kind": judged.item.kind,
            "item": judged.item.name,
            "letter": letter,
            "verdict": judged.verdict(letter),
            "codes": [one.code for one in judged.of(letter)],
            "reason_en": reason(judged, letter, "en"),
            "reason_zh": reason(judged, letter, "zh"),
        }
        for judged in report.judged
        for letter in LETTERS
        if judged.verdict(letter)
    ]

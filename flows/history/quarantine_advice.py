"""What to write instead: a suggestion for each quarantined cell, in the reader's language."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from typing import Literal

from flows.config.sources import Column, Source
from flows.config.stages import Stages
from flows.ingest.headers import columns_by_key, header_key, header_name
from schemas.registry import ENTITIES

Language = Literal["zh", "en"]
_NEAREST, _SHOWN = 3, 8
_DIGITS = str.maketrans("OoQlI|ＯＩＳsSＢB", "0001110155588")
_AMOUNT = re.compile(r"[-+]?[\d,]*\d(?:\.\d+)?")

_TEXTS: dict[str, tuple[str, str]] = {
    "write_one": ("请填写：{0}", "Write one of: {0}"),
    "perhaps": ("是否应为 {0}？", "Perhaps {0}?"),
    "candidates": ("请改写为编号或全称，可能是：{0}", "Write the id or the full name; it may be: {0}"),
    "no_candidate": ("请填写全称，或在名称对照表中登记", "Write the full name, or enter it in the mapping sheet"),
    "more": ("，另有 {0} 个", ", and {0} more"),
    "like": ("请写成 {0} 的样子", "Write it like {0}"),
    "required": ("请补填此项", "Fill it in"),
    "duplicate_key": ("请删除多余的行", "Delete the surplus row"),
    "ambiguous_duplicate": ("请只保留正确的一行，删除其余各行", "Keep the right row and delete the others"),
    "not_whole": ("请填写整数", "Write a whole number"),
    "too_many_decimals": ("请保留两位小数", "Round it to two decimals"),
    "lost_digits": ("请将此列设为文本格式后重新导出", "Make the column a text column and export again"),
    "not_a_boolean": ("请填写“是”或“否”", "Write yes or no"),
    "formula_not_computed": ("请用表格软件打开并另存一次", "Open and save the file in a spreadsheet program"),
    "cell_error": ("请改正公式，或直接填写数值", "Mend the formula, or write the value itself"),
    "shares_not_100": (
        "各期比例之和应为 100%，例如：30%预付款，70%验收款",
        "Make the shares add up to 100 %, such as: 30% in advance, 70% on acceptance",
    ),
    "shared_amount": ("请拆分合并的单元格，逐行填写各自的金额", "Unmerge the cells and write each row's own amount"),
    "ragged_row": ("请检查多余的逗号、引号或换行", "Look for a comma, quotation mark or line break too many"),
    "too_long": ("请缩短文字", "Shorten the text"),
    "out_of_range": ("请核对年份和位数", "Check the year and the number of digits"),
}  # fmt: skip


@dataclass(frozen=True)
class Advisor:
    """Suggestions for the cells of one company.

    Args:
        sources: configured sources by name.
        stages: the funnel.
        as_of: the night; dates are shown by its example.
        language: the reader's.
    """

    sources: Mapping[str, Source]
    stages: Stages
    as_of: date
    language: Language

    def suggest(self, cell: Mapping[str, str | None]) -> str:
        """What to write; empty where only the person can know.

        Args:
            cell: ``source``, ``entity``, ``column``, ``value``, ``reason_code`` and ``candidates`` of the cell.
        """
        reason, value = cell["reason_code"] or "", cell["value"] or ""
        if reason == "ambiguous_name":
            return self._candidates(cell["candidates"])
        if reason == "unknown_value":
            return self._known_values(cell, value)
        if reason in ("not_a_date", "not_a_moment"):
            example = self._example(cell, moment=reason == "not_a_moment")
            return self._text("like", example) if example else ""
        if reason in ("not_a_number", "negative"):
            return self._number(value, reason)
        return self._text(reason) if reason in _TEXTS else ""

    def _text(self, name: str, *parts: object) -> str:
        return _TEXTS[name][self.language == "en"].format(*parts)

    def _candidates(self, stated: str | None) -> str:
        found = json.loads(stated) if stated else {"known": [], "more": 0}
        if not found["known"]:
            return self._text("no_candidate")
        shown = "; ".join(" ".join(filter(None, (one["id"], one["name"]))) for one in found["known"])
        return self._text("candidates", shown) + (self._text("more", found["more"]) if found["more"] else "")

    def _known_values(self, cell: Mapping[str, str | None], value: str) -> str:
        shown = self._shown_values(cell["source"] or "", cell["entity"] or "", cell["column"] or "")
        nearest = get_close_matches(value, list(shown), n=_NEAREST, cutoff=0.4)
        offered = list(dict.fromkeys(shown[name] for name in nearest or shown))[:_SHOWN]
        separator = "、" if self.language == "zh" else ", "
        return self._text("perhaps" if nearest else "write_one", separator.join(offered)) if offered else ""

    def _shown_values(self, source: str, entity: str, origin: str) -> dict[str, str]:
        """Known spellings of a column, each with the one to be shown for it."""
        canonical, column = self._column(source, entity, origin)
        if canonical == "stage" or (column and column.map == "stages"):
            return self._stages
        if column and isinstance(column.map, dict):
            return {name: name for name in column.map}
        checks = ENTITIES[entity].columns()[canonical].checks if canonical else ()
        return {str(name): str(name) for check in checks for name in check.statistics.get("allowed_values", ())}

    @cached_property
    def _stages(self) -> dict[str, str]:
        names = {stage.key: stage.name_zh if self.language == "zh" else stage.name_en for stage in self.stages.stages}
        return {spelling: names[key] for spelling, key in self.stages.by_spelling.items()}

    def _column(self, source: str, entity: str, origin: str) -> tuple[str | None, Column | None]:
        """The canonical column that a source column fills, and its configuration where it has one."""
        given = self.sources[source].columns if source in self.sources else {}
        for canonical, column in given.items():
            if " + ".join(header_name(name) for name in column.source_columns) == origin:
                return canonical, column
        return columns_by_key(entity).get(header_key(origin)), None

    def _example(self, cell: Mapping[str, str | None], *, moment: bool) -> str | None:
        source = self.sources.get(cell["source"] or "")
        if source is None:
            return None
        _, column = self._column(source.name, source.entity, cell["column"] or "")
        formats = (column.formats if column else None) or (source.moments if moment else source.dates)
        return self.as_of.strftime(formats[0])

    def _number(self, value: str, reason: str) -> str:
        """The number that was meant, if one letter for a digit or a sign is all that is wrong."""
        guess = value.lstrip("-−").strip() if reason == "negative" else value.translate(_DIGITS)
        if guess != value and _AMOUNT.fullmatch(guess.lstrip("￥¥$€ ")):
            return self._text("perhaps", guess)
        return ""

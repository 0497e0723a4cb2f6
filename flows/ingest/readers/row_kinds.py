"""Which rows of a sheet are no records: totals, repeated headers, notes under the table. Runs in the sandbox.

All rules lean to the side of the record: a row that is wrongly taken for one is quarantined, where a person sees it.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from flows.ingest.headers import simplified
from flows.ingest.readers.sheet_header import repeats

TOTAL, REPEATED, NOTE, HIDDEN, BLANK = "total_row", "repeated_header", "note_row", "hidden_row", "blank_row"
_LONGEST_LABEL = 40
_SENTENCE = 20
"""A text of so many characters alone in its row, under the table, is a note and no name."""

_WORDS = r"(?:(?:本[页月季年周]?)?(?:合计|小计)|总计|共计|累计|总和|汇总|(?:grand|sub|running)?[ \-]?totals?|sum)"
_TOTAL = re.compile(rf"{_WORDS}(?:\([^()]*\))?(?::.*)?|共\d+[条行家个笔项单].*", re.IGNORECASE)
_TOTAL_OF = re.compile(
    r".{1,24}(?:合计|小计|总计|汇总)|.{1,24} (?:sub-?)?totals?|(?:sub-?)?totals? (?:for|of) .{1,24}", re.I
)
"""The total of something: 华东区小计, East Total."""
_MAY_BE_TOTAL = re.compile(r"计|計|總|总|汇|匯|彙|累|共|otal|sum", re.IGNORECASE)
_QUANTITY = re.compile(
    r"[¥$€£(\-+]*(?:rmb|cny|usd)?[\d,.]+\)?(?:%|[kmw]|元|千|万|亿|万元|亿元|[个项家条笔人份单天次])*(?:整)?",
    re.IGNORECASE,
)
_CAPITAL_AMOUNT = re.compile(r"(?:人民币|大写|[(:)])*[零〇壹贰叁肆伍陆柒捌玖拾佰仟万亿元圆角分整正]+")
_NOTE = re.compile(
    r"(?:备注|附注|注|说明|填[表报写]\S{0,4}|制表\S{0,4}|制单\S{0,3}|编制\S{0,4}|审[核批]\S{0,4}|复核\S{0,4}|经[办手]\S{0,3}|"
    r"统计\S{0,4}|数据\S{0,6}|资料来源|来源|截[止至]\S{0,4}|打印\S{0,4}|导出\S{0,4}|更新\S{0,4}|单位|日期|签[字名章]\S{0,3}|"
    r"notes?|remarks?|comments?|prepared\b.{0,12}|reviewed\b.{0,12}|approved\b.{0,12}|created\b.{0,12}|updated\b.{0,12}|"
    r"printed\b.{0,12}|exported\b.{0,12}|generated\b.{0,12}|sources?|as of|date|legend|disclaimer)\s*\d*\s*:.*",
    re.IGNORECASE | re.DOTALL,
)
_LABELLED = re.compile(r"[^:]{1,16}:.*", re.DOTALL)
_PAGE = re.compile(
    r"第\s*\d+\s*页.*|page\s*\d+.*|[-—=*_\s]+|(?:以上|以下)(?:为|是|均)?空白?.*|end of (?:report|list).*|"
    r"confidential information\b.*|copyright (?:©|\(c\)|\d{4}).*",
    re.IGNORECASE,
)


class RowKinds:
    """Tells the rows of one table apart.

    Args:
        header: texts of the rows of its header.
        nameless: positions of its columns without a header.
    """

    def __init__(self, header: Sequence[Sequence[str]], nameless: frozenset[int]) -> None:
        self._header = header
        self._written = sum(1 for column in zip(*header, strict=True) if any(column))
        self._first = {text for level in header for text in level if text}
        self._nameless = nameless

    def kind(self, cells: Sequence[Any], *, faulty: bool, across: int) -> str | None:
        """Why a row is no record, or None.

        Args:
            cells: those of the table, as they stand, merged ones not filled.
            faulty: whether some of its cells lack their value; they count as numbers.
            across: over how many columns the widest merged range that begins in this row goes.
        """
        texts = [cell for cell in cells if type(cell) is str and cell]
        filled = len(cells) - cells.count("")
        if not faulty and filled == len(texts) and not "".join(texts).strip():
            return BLANK
        if not texts:
            return NOTE if self._only_beside(cells) and not faulty else None
        first = texts[0]
        if first.strip() in self._first and repeats(self._header, cells):
            return REPEATED
        if len(first) <= _LONGEST_LABEL and _MAY_BE_TOTAL.search(first) and self._is_total(texts, cells, faulty=faulty):
            return TOTAL
        if 2 * filled > max(4, self._written):
            return None
        if self._is_note(texts, filled) or (filled == 1 and not faulty and self._is_heading(across)):
            return NOTE
        return NOTE if not faulty and self._only_beside(cells) else None

    def may_be_note(self, cells: Sequence[Any], *, after_blank: bool) -> bool:
        """Whether a row is a note if no record follows it: one text alone, apart from the table or as long as one."""
        filled = [cell for cell in cells if cell != ""]
        if len(filled) != 1 or not isinstance(filled[0], str) or self._written < 2:
            return False
        return after_blank or (len(filled[0]) > _SENTENCE and self._written > 2)

    def _is_total(self, texts: Sequence[str], cells: Sequence[Any], *, faulty: bool) -> bool:
        """A label, and beside it nothing but numbers: a total has no other words, and no date."""
        label = simplified(_squeezed(texts[0]))
        exact = _TOTAL.fullmatch(label) or _TOTAL.fullmatch(label.replace(" ", ""))
        if not exact and not _TOTAL_OF.fullmatch(label):
            return False
        kinds = set(map(type, cells))
        others = [_squeezed(text).replace(" ", "") for text in texts[1:]]
        if not kinds <= {str, int, float} or not all(
            _is_quantity(text) or _TOTAL.fullmatch(simplified(text)) for text in others
        ):
            return False
        return bool(exact) or ((faulty or bool(others) or kinds != {str}) and self._written > 2)

    def _is_note(self, texts: Sequence[str], filled: int) -> bool:
        if len(texts) < filled:
            return False
        first = simplified(_squeezed(texts[0]))
        if filled == 1 and _PAGE.fullmatch(first):
            return True
        if not _NOTE.fullmatch(first):
            return False
        labelled = [bool(_LABELLED.fullmatch(_squeezed(text))) for text in texts]
        follows = [False, *(_squeezed(text).endswith(":") for text in texts)]
        return all(is_one or after for is_one, after in zip(labelled, follows, strict=False))

    def _is_heading(self, across: int) -> bool:
        """One cell merged over most of the table heads what follows."""
        return across > 2 and 2 * across > self._written

    def _only_beside(self, cells: Sequence[Any]) -> bool:
        """Whether a row has cells in columns without a header only, in a table that has headers elsewhere."""
        return bool(self._nameless) and all(cell == "" or at in self._nameless for at, cell in enumerate(cells))


def _squeezed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _is_quantity(text: str) -> bool:
    return bool(_QUANTITY.fullmatch(text) or _CAPITAL_AMOUNT.fullmatch(text))

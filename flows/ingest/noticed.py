"""What people should know of a file that was read: rules that were applied to its rows, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flows.ingest.reasons import Reason

NOTICES: dict[str, Reason] = {
    "month_only": Reason(
        "{column} names a month only ({rows:,}): read as its last day for a deadline, else as its first",
        "“{column}”有 {rows:,} 处只写了月份：截止日期按当月最后一天、其他日期按当月第一天读取",
    ),
    "serial_number": Reason(
        "{column} holds the number of a day ({rows:,}): read as a spreadsheet counts days",
        "“{column}”有 {rows:,} 处是日期序列号：按表格软件的日期编号读取",
    ),
    "unit_not_stated": Reason(
        "{column} names no unit ({rows:,}): amounts are read as they are written, in units of the currency",
        "“{column}”未注明单位：{rows:,} 个金额按所写数字读取，单位为元",
    ),
    "total_row": Reason("totals, kept apart as no records: {rows:,}", "合计行不是记录，已另行保存：{rows:,}"),
    "repeated_header": Reason(
        "repeated headers, kept apart as no records: {rows:,}", "重复的表头不是记录，已另行保存：{rows:,}"
    ),
    "note_row": Reason("notes, kept apart as no records: {rows:,}", "备注行不是记录，已另行保存：{rows:,}"),
    "blank_row": Reason("empty rows, kept apart: {rows:,}", "空行，已另行保存：{rows:,}"),
    "no_records": Reason("the file holds no records, only a header", "文件只有表头，没有任何记录"),
    "hidden_row": Reason("hidden rows, kept apart as was asked: {rows:,}", "隐藏的行按配置另行保存：{rows:,}"),
}


@dataclass(frozen=True)
class Said:
    """A notice that is already in words.

    Attributes:
        en: in English.
        zh: in Chinese.
    """

    en: str
    zh: str


def in_words(counts: Mapping[tuple[str, str], int], more: Iterable[Said] = ()) -> tuple[str | None, str | None]:
    """The notices of a file in English and Chinese; None for none.

    Args:
        counts: rows by column and code.
        more: what is said besides.
    """
    more = tuple(more)
    found = [(NOTICES[code], column, rows) for (column, code), rows in sorted(counts.items()) if rows]
    en = [*(notice.en.format(rows=rows, column=column) for notice, column, rows in found), *(said.en for said in more)]
    zh = [*(notice.zh.format(rows=rows, column=column) for notice, column, rows in found), *(said.zh for said in more)]
    return "; ".join(en) or None, "；".join(zh) or None

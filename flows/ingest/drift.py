"""What is different about tonight's files since the last night that had them, in words, before it surprises anybody.

A column that came, went, or holds something else; a value that no list knows; another format, encoding or delimiter;
many more or far fewer rows. Nothing is decided here: a mapped column that is gone refuses its file, an unknown value
sets its row aside, a shrunk export is refused by ``flows.history.record``. The report says what all of these have in
common: the export has changed.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

import polars as pl

from flows.ingest.accounting import FileAccount

UnknownValues = Mapping[tuple[str, str], Mapping[str, Mapping[str, int]]]
"""By source and file: the values that no list knew, by column, with the number of rows that had them."""

FEW_ROWS = 100
"""A difference of fewer rows is no news, however large the share."""
DELIMITERS = (",", ";", "|", " ")
"""What may separate columns in a header; a tab has become a space in the name of a column."""
_LISTED = 5
_KINDS_ZH = {"text": "文字", "number": "数字", "date": "日期", "boolean": "是/否", "empty": "空"}
_KINDS_EN = {"text": "text", "number": "numbers", "date": "dates", "boolean": "yes or no", "empty": "nothing"}


@dataclass(frozen=True)
class Notice:
    """One difference, in words."""

    en: str
    zh: str


@dataclass(frozen=True)
class Seen:
    """What a file looked like on one night.

    Attributes:
        columns: kind by column, in the order of the file; an empty kind where too little was seen to tell.
        unknown: by column, values that no list knew, with the number of rows that had them.
    """

    night: date
    file: str
    format: str
    dialect: str | None
    rows: int
    columns: Mapping[str, str]
    unknown: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def with_drift(
    accounts: Sequence[FileAccount],
    recorded: pl.DataFrame,
    unknown_tonight: UnknownValues,
    unknown_before: UnknownValues,
    *,
    as_of: date,
    full: Collection[str],
    max_change: float,
) -> list[FileAccount]:
    """The accounts of tonight's files, each with its ``drift_en`` and ``drift_zh``.

    Args:
        accounts: tonight's files.
        recorded: the accounting of earlier nights (``flows.history.accounting.SOURCE_FILE``).
        unknown_tonight: by source and file: unknown values by column.
        unknown_before: the same for the newest earlier night.
        as_of: tonight.
        full: sources whose files hold all rows every night, so that their number of rows can be compared.
        max_change: share by which that number may change without being told.
    """
    files: dict[str, list[Seen]] = {}
    for row in recorded.filter(pl.col("status") == "accepted").sort("as_of_date").to_dicts():
        files.setdefault(row["source"], []).append(_recorded(row, unknown_before))
    described = []
    for account in accounts:
        before = _same_file(account.file, files.get(account.source, [])) if account.file else None
        notices: list[Notice] = []
        if before is not None:
            tonight = Seen(
                as_of,
                account.file,
                account.format,
                account.dialect,
                account.rows_in,
                account.columns,
                unknown_tonight.get((account.source, account.file), {}),
            )
            limit = max_change if account.source in full and account.status == "accepted" else None
            notices = list(differences(before, tonight, max_change=limit))
        en, zh = "; ".join(notice.en for notice in notices), "；".join(notice.zh for notice in notices)
        described.append(replace(account, drift_en=en or None, drift_zh=zh or None))
    return described


def unknown_values(quarantined: pl.LazyFrame) -> UnknownValues:
    """By source and file: the values that no list knew, by column, with the number of rows that had them."""
    found = (
        quarantined.filter(pl.col("reason_code") == "unknown_value", pl.col("column").is_not_null())
        .group_by("source", "file", "column", "value")
        .agg(pl.len().alias("rows"))
        .sort("source", "file", "column", "rows", "value", descending=[False, False, False, True, False])
        .collect()
    )
    values: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
    for source, file, column, value, rows in found.iter_rows():
        values.setdefault((source, file), {}).setdefault(column, {})[value] = rows
    return values


def _recorded(row: Mapping[str, Any], unknown: UnknownValues) -> Seen:
    return Seen(
        night=row["as_of_date"],
        file=row["file"],
        format=row["format"],
        dialect=row["dialect"],
        rows=row["rows_in"],
        columns=json.loads(row["columns"] or "{}"),
        unknown=unknown.get((row["source"], row["file"]), {}),
    )


def _same_file(name: str, recorded: Sequence[Seen]) -> Seen | None:
    """The newest earlier file that this one follows: of the same name, else but for its digits, else the only one."""
    for same in (str, _without_digits):
        found = [file for file in recorded if same(file.file) == same(name)]
        if found:
            return found[-1]
    newest = [file for file in recorded if file.night == recorded[-1].night]
    return newest[0] if len(newest) == 1 else None


def _without_digits(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def differences(before: Seen, tonight: Seen, *, max_change: float | None) -> Iterator[Notice]:
    """What is different, the most important first.

    Args:
        before: the file on an earlier night.
        tonight: the file that follows it.
        max_change: share by which the number of rows may change unsaid; None where it says nothing.
    """
    if before.columns and tonight.columns:
        yield from _columns(before.columns, tonight.columns)
    yield from _unknown(before.unknown, tonight.unknown)
    if tonight.format != before.format:
        yield Notice(
            f"format was {before.format}, is now {tonight.format}", f"格式由 {before.format} 变为 {tonight.format}"
        )
    if before.dialect and tonight.dialect and before.dialect != tonight.dialect:
        yield Notice(f"was {before.dialect}, is now {tonight.dialect}", f"由 {before.dialect} 变为 {tonight.dialect}")
    yield from _rows(before, tonight, max_change)


def _columns(before: Mapping[str, str], tonight: Mapping[str, str]) -> Iterator[Notice]:
    for delimiter in DELIMITERS:
        if len(before) > 1 and [tuple(map(str.strip, name.split(delimiter))) for name in tonight] == [tuple(before)]:
            yield Notice(
                f"the columns are now separated by {delimiter!r}: all of them were read as one",
                f"各列现以“{delimiter}”分隔：整行被读成了一列",
            )
            return
    gone = [name for name in before if name not in tonight]
    new = [name for name in tonight if name not in before]
    for was, now in _renamed(before, tonight, gone, new):
        gone.remove(was)
        new.remove(now)
        yield Notice(
            f"column {was!r} is gone and {now!r} stands where it stood: perhaps renamed",
            f"列“{was}”不见了，原位置上是“{now}”：可能是改名",
        )
    if gone:
        yield Notice(f"{_plural('column', gone)} gone: {_names(gone, 'en')}", f"缺少的列：{_names(gone, 'zh')}")
    if new:
        yield Notice(f"new {_plural('column', new)}: {_names(new, 'en')}", f"新增的列：{_names(new, 'zh')}")
    if all(kind == "empty" for kind in tonight.values()):  # no records: each column would say the same
        return
    for name, was in before.items():
        now = tonight.get(name, was)
        if now and was and was not in (now, "empty"):
            yield Notice(
                f"column {name!r} held {_KINDS_EN[was]}, now holds {_KINDS_EN[now]}",
                f"列“{name}”原为{_KINDS_ZH[was]}，现为{_KINDS_ZH[now]}",
            )


def _renamed(
    before: Mapping[str, str], tonight: Mapping[str, str], gone: Sequence[str], new: Sequence[str]
) -> list[tuple[str, str]]:
    """Pairs of a gone and a new column in the same place or after the same one, with the same kind of content.

    Of a file that was refused by its header the content is not known; the place is all there is.
    """
    pairs: list[tuple[str, str]] = []
    places, now_places = list(before), list(tonight)
    for was in gone:
        for now in new:
            left, now_left = places[: places.index(was)], now_places[: now_places.index(now)]
            same_place = len(left) == len(now_left) or left[-1:] == now_left[-1:]
            if tonight[now] in ("", before[was]) and same_place and now not in {taken for _, taken in pairs}:
                pairs.append((was, now))
                break
    return pairs


def _unknown(before: Mapping[str, Mapping[str, int]], tonight: Mapping[str, Mapping[str, int]]) -> Iterator[Notice]:
    for column, values in tonight.items():
        new = {value: rows for value, rows in values.items() if value not in before.get(column, {})}
        if new:
            en = _names([f"{value!r} ({rows} row{'' if rows == 1 else 's'})" for value, rows in new.items()], "en", str)
            zh = _names([f"“{value}”（{rows} 行）" for value, rows in new.items()], "zh", str)
            yield Notice(f"values of {column!r} that no list knows: {en}", f"列“{column}”中有未知的值：{zh}")


def _rows(before: Seen, tonight: Seen, max_change: float | None) -> Iterator[Notice]:
    difference = tonight.rows - before.rows
    if max_change is None or abs(difference) < FEW_ROWS or abs(difference) <= max_change * before.rows:
        return
    change = f"{difference / before.rows:+.0%}" if before.rows else ""
    yield Notice(
        f"{tonight.rows:,} rows, {before.rows:,} on {before.night}" + (f" ({change})" if change else ""),
        f"{tonight.rows:,} 行，{before.night} 为 {before.rows:,} 行" + (f"（{change}）" if change else ""),
    )


def _plural(noun: str, names: Sequence[str]) -> str:
    return noun if len(names) == 1 else f"{noun}s"


def _names(names: Sequence[str], language: Literal["en", "zh"], write: Any = None) -> str:
    """The first few names, and how many more there are."""
    write = write or (repr if language == "en" else "“{}”".format)
    shown = (", " if language == "en" else "、").join(write(name) for name in names[:_LISTED])
    more = len(names) - _LISTED
    if more <= 0:
        return shown
    return f"{shown} and {more} more" if language == "en" else f"{shown} 等 {len(names)} 项"

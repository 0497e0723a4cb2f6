"""Dirty rows: slips of the keyboard as they occur, planted at known rows of known files.

They are rows of their own (ids in the nine millions), so that the totals of what is good stay simple. One differs:
a real deal whose amount is mistyped until somebody mends it on the last night.
"""

from dataclasses import asdict, dataclass, replace

import polars as pl

AFTER = 20
"""Dirty rows stand after this many good rows."""
MISTYPED = "12O,000.00"


@dataclass(frozen=True)
class DirtyRow:
    """One faulty cell, as quarantine is to describe it. ``row`` counts as a person does: the header is row 1."""

    file: str
    sheet: str | None
    row: int
    column: str | None
    value: str | None
    reason_code: str

    def moved(self, rows: int) -> "DirtyRow":
        """The same, further down."""
        return replace(self, row=self.row + rows)

    def as_dict(self) -> dict[str, object]:
        """For truths.json."""
        return asdict(self)


@dataclass(frozen=True)
class _Slip:
    key: str
    changes: dict[str, str | None]
    column: str
    reason_code: str


_SLIPS: dict[str, list[_Slip]] = {
    "opportunities": [
        _Slip("OPP-9000001", {"预计成交日期": "2026-02-30"}, "预计成交日期", "not_a_date"),
        _Slip("OPP-9000002", {"金额": "面议"}, "金额", "not_a_number"),
        _Slip("OPP-9000003", {"金额": "-￥50,000.00"}, "金额", "negative"),
        _Slip("OPP-9000004", {"阶段": "等老板定"}, "阶段", "unknown_value"),
        _Slip("", {"商机编号": None}, "商机编号", "required"),
    ],
    "leads": [
        _Slip("L-90000001", {"Created": "31/11/2026 10:15"}, "Created", "not_a_moment"),
        _Slip("L-90000002", {"Rating": "非常好"}, "Rating", "unknown_value"),
    ],
    "contacts": [_Slip("LX-9000001", {"姓名": None}, "姓名", "required")],
    "payments": [_Slip("HT-9-P1", {"实收金额": "十万"}, "实收金额", "not_a_number")],
}
_KEYS = {
    "opportunities": "商机编号",
    "leads": "Lead ID",
    "contacts": "联系人编号",
    "payments": "回款编号",
    "accounts": "客户编号",
}


def soil(
    table: str, file: str, frame: pl.DataFrame, mistyped: str | None = None
) -> tuple[pl.DataFrame, list[DirtyRow]]:
    """The frame with its dirty rows, and what they are.

    Args:
        table: name of the table; most have no dirty rows.
        file: the file's path inside the night's folder, for the record.
        frame: the clean rows, at least ``AFTER`` of them.
        mistyped: id of a real opportunity whose amount is unreadable tonight.
    """
    dirty: list[DirtyRow] = []
    key = _KEYS.get(table)
    if key is None or frame.height < AFTER:
        return frame, dirty
    extra = []
    for slip in _SLIPS.get(table, []):
        changes = {key: slip.key or None} | slip.changes
        extra.append(_changed(frame, changes))
        dirty.append(_row(file, len(extra), slip.column, slip.changes[slip.column], slip.reason_code))
    if table == "opportunities":
        # An older copy of a row that stands above, with another amount.
        copied = frame[key][3]
        extra.append(_changed(frame, {"最后修改时间": "2020/01/01 09:00:00", "金额": "￥1.00"}, like=3))
        dirty.append(_row(file, len(extra), key, copied, "duplicate_key"))
    if table == "accounts":
        extra.append(frame[5:6])
        dirty.append(_row(file, len(extra), key, frame[key][5], "duplicate_key"))
    frame = pl.concat([frame[:AFTER], *extra, frame[AFTER:]])
    if mistyped is not None:
        place = frame[key].index_of(mistyped)
        if place is None:
            raise ValueError(f"expected the mistyped deal {mistyped} in {file}, found it nowhere")
        frame = frame.with_columns(
            pl.when(pl.col(key) == mistyped).then(pl.lit(MISTYPED)).otherwise("金额").alias("金额")
        )
        dirty.append(DirtyRow(file, None, place + 2, "金额", MISTYPED, "not_a_number"))
    return frame, dirty


def _changed(frame: pl.DataFrame, changes: dict[str, str | None], like: int = 0) -> pl.DataFrame:
    values = [pl.lit(value, dtype=pl.String).alias(column) for column, value in changes.items()]
    return frame[like : like + 1].with_columns(values).select(frame.columns)


def _row(file: str, place: int, column: str, value: str | None, reason_code: str) -> DirtyRow:
    return DirtyRow(file, None, 1 + AFTER + place, column, value, reason_code)


def fray(file: str, text: bytes, records: int) -> tuple[bytes, list[DirtyRow]]:
    """Spoil the shape of a CSV file: one record gets a comma too many, and the last one is cut off.

    Args:
        file: the file's path inside the night's folder.
        text: the file in UTF-8, no line breaks within values.
        records: number of records without the header.
    """
    lines = text.split(b"\n", 3)
    third = lines[2].split(b",")
    long = b"OPP-9000005," + b",".join(third[1:]) + b",\xe5\xa4\x87\xe6\xb3\xa8"
    short = b"OPP-9000006,\xe6\x88\xaa\xe6\x96\xad"
    frayed = b"\n".join([*lines[:2], long, *lines[2:]]) + short + b"\n"
    rows = [
        DirtyRow(file, None, 3, None, None, "ragged_row"),
        DirtyRow(file, None, records + 3, None, None, "ragged_row"),
    ]
    return frayed, rows

"""A thousand files damaged at random: none loses a record in silence, and a counter that is not ours agrees.

Each example of hypothesis is a night of 25 damaged files in four formats; forty nights make a thousand files.
"""

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pyarrow.parquet as pq
import xlsxwriter
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.unit.ingest.conftest import Night, run_night

FILES_A_NIGHT, NIGHTS = 25, 40
HEADER = ["编号", "名称", "阶段", "金额", "创建", "备注"]
SOURCE = {
    "entity": "opportunity",
    "columns": {
        "opportunity_id": "编号",
        "name": "名称",
        "stage": {"from": "阶段", "map": "stages"},
        "amount": "金额",
        "currency": {"value": "CNY"},
        "created_at": "创建",
    },
    "ignore": ["备注"],
}
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Table = list[list[str]]


@dataclass(frozen=True)
class Damage:
    """How one file is made and what is done to it."""

    kind: str
    rows: int
    to_rows: tuple[str, ...]
    to_bytes: tuple[str, ...]
    seed: int


def swap_columns(table: Table, dice: random.Random) -> None:
    left, right = dice.sample(range(len(HEADER)), 2)
    for row in table[dice.choice((0, 1)) :]:
        row[left], row[right] = row[right], row[left]


def repeat_row(table: Table, dice: random.Random) -> None:
    table.insert(dice.randint(1, len(table)), list(dice.choice(table)))


def change_cell(table: Table, dice: random.Random) -> None:
    words = (
        '"',
        'a "b" c',
        "x\ny",
        "合计",
        "",
        " ",
        "约50万",
        "03/04/2024",
        "#REF!",
        "=1+1",
        "é",
        "𠮷",
        "9" * 30,
        "-1",
        "\t",
    )
    dice.choice(table)[dice.randrange(len(HEADER))] = dice.choice(words)


def blank_row(table: Table, dice: random.Random) -> None:
    table.insert(dice.randint(1, len(table)), [""] * len(HEADER))


TO_ROWS: dict[str, Callable[[Table, random.Random], None]] = {
    "swap columns": swap_columns,
    "repeat row": repeat_row,
    "change cell": change_cell,
    "blank row": blank_row,
}


def truncate(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randint(0, len(content))]


def flip(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content)) if content else 0
    return content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :] if content else content


def cut(content: bytes, dice: random.Random) -> bytes:
    at = dice.randint(0, len(content))
    return content[:at] + content[at + dice.randint(1, 20) :]


def insert(content: bytes, dice: random.Random) -> bytes:
    at = dice.randint(0, len(content))
    pieces = (b'"', b"\n", b"\r\n", b"\r", b",", b'""', b"\xff", b"\x00", b"{", b"\xef\xbb\xbf", b"\\", b"\xe4\xb8")
    return content[:at] + dice.choice(pieces) + content[at:]


def repeat_bytes(content: bytes, dice: random.Random) -> bytes:
    start = dice.randint(0, len(content))
    end = min(len(content), start + dice.randint(1, 60))
    return content[:end] + content[start:]


TO_BYTES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "truncate": truncate,
    "flip": flip,
    "cut": cut,
    "insert": insert,
    "repeat": repeat_bytes,
}


def write(path: Path, table: Table) -> None:
    """A table as a file of the kind that its ending says."""
    header, *rows = table
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(table)
    elif path.suffix == ".jsonl":
        lines = (json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    elif path.suffix == ".parquet":
        names = [name if header.index(name) == at else f"{name}{at}" for at, name in enumerate(header)]
        pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").write_parquet(path)
    else:
        with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
            page = book.add_worksheet("表")
            for number, row in enumerate(table):
                page.write_row(number, 0, row)


def make(path: Path, number: int, damage: Damage) -> None:
    dice = random.Random(damage.seed)
    rows = [
        [f"O{number}-{at}", f"客户 {at}", "Qualify", f"{at}.50", "2024-03-01 09:00:00", "x,y"]
        for at in range(damage.rows)
    ]
    table = [list(HEADER), *rows]
    for name in damage.to_rows:
        TO_ROWS[name](table, dice)
    write(path, table)
    content = path.read_bytes()
    for name in damage.to_bytes:
        content = TO_BYTES[name](content, dice)
    path.write_bytes(content)


def counted(path: Path) -> int:
    """Records of a file by a reader that is not ours: what a person would count below the header."""
    if path.suffix == ".parquet":
        return pq.ParquetFile(path).metadata.num_rows
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            rows = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml")).iter(f"{SHEET}row")
        return sum(any(cell.find(f"{SHEET}v") is not None for cell in row) for row in rows) - 1
    text = decoded(path.read_bytes())
    if path.suffix == ".csv":
        return sum(1 for record in csv.reader(io.StringIO(text, newline="")) if record) - 1
    return sum(1 for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line)


def decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


damages = st.builds(
    Damage,
    kind=st.sampled_from(["csv", "csv", "jsonl", "parquet", "xlsx"]),
    rows=st.integers(0, 6),
    to_rows=st.lists(st.sampled_from(sorted(TO_ROWS)), max_size=3).map(tuple),
    to_bytes=st.lists(st.sampled_from(sorted(TO_BYTES)), max_size=2).map(tuple),
    seed=st.integers(0, 2**32),
)


# A night of many files is too slow to be made smaller; which file it was stands in the message.
@settings(max_examples=NIGHTS, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(damages, min_size=FILES_A_NIGHT, max_size=FILES_A_NIGHT))
def test_no_damage_loses_a_record(tmp_path_factory, night_of):
    folder = tmp_path_factory.mktemp("night")
    (folder / "in").mkdir()
    for number, damage in enumerate(night_of):
        make(folder / "in" / f"{number}.{damage.kind}", number, damage)
    night = run_night(folder, {"crm": {**SOURCE, "path": f"{folder}/in/*"}})
    for number, damage in enumerate(night_of):
        check(night, folder / "in" / f"{number}.{damage.kind}")


def check(night: Night, path: Path) -> None:
    """One damaged file: all its records are accepted or quarantined, or it is refused and says why."""
    accounts = [account for account in night.accounts if account.file.partition("#")[0] == path.name]
    assert accounts
    for account in accounts:
        assert account.rows_in == account.rows_accepted + account.rows_quarantined
        if account.status == "refused":
            assert (account.rows_accepted, account.rows_set_aside) == (0, 0)
            assert account.message
        else:
            check_rows(night, account.file, account.rows_accepted, account.rows_quarantined)
    if all(account.status == "accepted" for account in accounts):
        # A damaged header may make a second table of what follows the next one; a header is no record.
        headers_inside = len(accounts) - 1
        found = sum(account.rows_in + account.rows_set_aside for account in accounts) + headers_inside
        told = any("not read" in (account.notice_en or "") for account in accounts)
        assert found == counted(path) or (told and found < counted(path)), path.name


def check_rows(night: Night, file: str, accepted: int, quarantined: int) -> None:
    """The rows that lie on disk are those of the account, and each is in one place only."""
    good = (
        night.accepted.filter(pl.col("_file") == file)["_row"]
        if night.accepted.width
        else pl.Series([], dtype=pl.Int64)
    )
    bad = night.rejected.filter(pl.col("file") == file)["row"].unique()
    assert (good.n_unique(), len(bad)) == (accepted, quarantined)
    assert set(good).isdisjoint(bad)

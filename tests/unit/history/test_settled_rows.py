"""Settling rows by the last export changes nothing but the time that a night takes."""

import csv
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from flows.config.settings import Settings
from flows.config.sources import Sources
from flows.config.stages import Stages
from flows.errors import PermanentError
from flows.history.accounting import accounting_frame
from flows.history.commit import commit_night
from flows.history.known import last_known, last_night
from flows.history.quarantine import read_quarantine
from flows.history.quarantine_ledger import read_ledger
from flows.history.record import stage_night
from flows.ingest.accounting import FileAccount
from flows.ingest.identity import resolve
from flows.ingest.landing import land
from flows.ingest.readers import open_table
from flows.ingest.readers.columnar import open_parquet
from flows.ingest.settled.columnar_records import columnar_records
from flows.ingest.settled.exports import Exports
from flows.ingest.settled.text_pieces import UncertainError, runs_of_records
from flows.ingest.settled.text_records import TextRecords, text_records
from flows.ingest.validation import borders_of, judge
from flows.workspace import Workspace

EXAMPLES = int(os.environ.get("SETTLED_EXAMPLES", "2"))
"""By hand, more."""
FIRST = date(2024, 3, 1)
SETTINGS = Settings.model_validate(
    {
        "company": {"name": "示例"},
        "time_zone": "Asia/Shanghai",
        "language": "zh",
        "reporting_currency": "CNY",
        "operator": {"email": "ops@example.com"},
        "mail": {"sender": "planloop@example.com", "fallback_recipient": "leader@example.com"},
        "engine": {"memory_limit": "1GB", "threads": 1},
    }
)
STAGES = Stages.model_validate(
    {"stages": [{"key": "open", "name_en": "Open", "name_zh": "进行", "aliases": ["o"]},
                {"key": "won", "name_en": "Won", "name_zh": "成交", "closed": "won"}]}
)  # fmt: skip
HEADER = ["deal", "at", "id", "stage", "amount", "owner", "note"]
Record = tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """How the export is written."""

    ending: str = "csv"
    encoding: str = "utf-8"
    line_end: str = "\n"
    quoting: int = csv.QUOTE_MINIMAL
    typed: bool = False
    named_by_day: bool = False
    repeats: bool = False


FORMS = {
    "csv": Form(),
    "csv of Excel": Form(encoding="utf-8-sig", line_end="\r\n", quoting=csv.QUOTE_ALL, repeats=True),
    "csv in gb18030": Form(encoding="gb18030", named_by_day=True),
    "parquet": Form("parquet", repeats=True),
    "parquet with types": Form("parquet", typed=True),
}


def source(folder: Path, form: Form) -> dict[str, Any]:
    return {
        "history": {
            "entity": "opportunity_history",
            "path": f"{folder}/history{'-{as_of:%Y%m%d}' if form.named_by_day else ''}.{form.ending}",
            "encoding": form.encoding,
            "repeats": form.repeats,
            "max_shrink": 0.5,
            "missing": "ignore",
            "columns": {
                "opportunity_id": "deal", "changed_at": "at", "history_id": "id",
                "stage": {"from": "stage", "map": "stages"},
                "amount": "amount", "owner_id": "owner",
            },
            "ignore": ["note"],
        }
    }  # fmt: skip


def people(folder: Path) -> dict[str, Any]:
    return {
        "users": {
            "entity": "user",
            "path": f"{folder}/users.csv",
            "missing": "ignore",
            "columns": {"user_id": "id", "name": "name", "email": "mail"},
        }
    }


@dataclass
class Company:
    """Nights of one history, with or without a memory of the last export."""

    root: Path
    form: Form
    remembers: bool
    most_fresh: float = 1.0
    most_since: float = 100.0
    with_users: bool = False

    def __post_init__(self) -> None:
        self.inputs, self.workspace = self.root.parent / "in", Workspace(self.root / "workspace")
        self.inputs.mkdir(parents=True, exist_ok=True)
        self.workspace.prepare()
        given = source(self.inputs, self.form) | (people(self.inputs) if self.with_users else {})
        self.sources = Sources.model_validate({"sources": given}).sources
        self.settled = 0

    def write(
        self, day: date, records: Sequence[Record] | None, users: Sequence[Record] = (), header: Sequence[str] = HEADER
    ) -> None:
        """Put tonight's exports in their place; None is a night without the history."""
        form = self.form
        target = self.inputs / f"history{f'-{day:%Y%m%d}' if form.named_by_day else ''}.{form.ending}"
        target.unlink(missing_ok=True)
        if records is not None and form.ending == "csv":
            write_csv(target, header, records, form)
        elif records is not None:
            rows = [[*row, *[None] * len(header)][: len(header)] for row in records]
            frame = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
            typed = [
                pl.col("at").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False),
                pl.col("amount").cast(pl.Float64, strict=False),
            ]
            frame.with_columns(typed if form.typed else []).write_parquet(target)
        write_csv(self.inputs / "users.csv", ["id", "name", "mail"], users)

    def ignore_nulls(self, words: Sequence[str]) -> None:
        """Configure words that mean nothing."""
        changed = self.sources["history"].model_copy(update={"nulls": ("", *words)})
        self.sources = {**self.sources, "history": changed}

    def night(self, day: date, *, commit: bool = True) -> list[FileAccount]:
        """Land, validate, resolve and record one night."""
        workspace, sources = self.workspace, self.sources
        shutil.rmtree(workspace.build, ignore_errors=True)
        landed = land(sources, workspace, day, sleep=lambda _: None)
        memory = None
        if self.remembers:
            last = last_night(workspace, day)
            shares = {"most_fresh": self.most_fresh, "most_since": self.most_since}
            memory = Exports(workspace, SETTINGS, STAGES, sources, last, fewest_rows=1, **shares)
        borders = borders_of(landed, sources, SETTINGS, STAGES, workspace, day)
        judged = judge(borders, sources, SETTINGS, STAGES, workspace, day, memory)
        known = last_known(workspace, day, engine=SETTINGS.engine)
        accounts = resolve(borders, judged, sources, SETTINGS, workspace.build, known, memory)
        self.settled = sum(account.rows_settled for account in accounts)
        recorded = stage_night(workspace, day, list(sources.values()), accounts, threads=1)
        if commit:
            commit_night(workspace, day)
        return recorded


def write_csv(path: Path, header: Sequence[str], records: Sequence[Record], form: Form = FORMS["csv"]) -> None:
    with path.open("w", encoding=form.encoding, newline="") as stream:
        writer = csv.writer(stream, lineterminator=form.line_end, quoting=form.quoting)
        for record in [header, *records]:
            if len(record) == 1:  # a line of a report's footer
                stream.write(record[0] + form.line_end)
            else:
                writer.writerow(record)


def alike(accounts: Sequence[FileAccount]) -> list[FileAccount]:
    return [replace(account, rows_settled=0) for account in accounts]


def recorded(company: Company, day: date, accounts: Sequence[FileAccount]) -> dict[str, list]:
    """All that a night leaves, in a form that can be compared; only which rows were settled may differ."""
    accounting = accounting_frame(day, alike(accounts))
    log = company.workspace.history / "opportunity_history" / f"{day}.parquet"
    return {
        "accounting": accounting.rows(named=True),
        "log": pl.read_parquet(log).rows(named=True) if log.exists() else [],
        "quarantine": read_quarantine(company.workspace, day).rows(named=True),
        "ledger": read_ledger(company.workspace).rows(named=True),
    }


def pair(root: Path, form: str, **options: Any) -> tuple[Company, Company]:
    whole = Company(root / "whole", FORMS[form], remembers=False, with_users=options.get("with_users", False))
    return whole, Company(root / "fast", FORMS[form], remembers=True, **options)


def same(companies: tuple[Company, Company], night: int, *exports: Any, commit: bool = True, **options: Any) -> int:
    """Hold one night of both against each other; the number of rows that were settled."""
    day, found = FIRST + timedelta(night), []
    for company in companies:
        company.write(day, *exports, **options)
        accounts = company.night(day, commit=commit)
        found.append(recorded(company, day, accounts) if commit else {"accounts": alike(accounts)})
    whole, fast = found
    for part, expected in whole.items():
        assert fast[part] == expected, part
    return companies[1].settled


NOTES = ["", "plain", 'a "quoted" word', "comma, here", "two\nlines", "甲乙", "x" * 40]
OWNERS = ["u1", "u2", "u3", "ann@example.com", "Bob", "", "nobody"]
USERS = [("u1", "Ann", "ann@example.com"), ("u2", "Bob", "bob@example.com"), ("u3", "Bob", ""), ("Bob", "Zed", "")]


FOOTER = [("",), ("Grand Totals (12 records)",), ("Deals of the month",), ("Confidential - do not distribute",)]


@dataclass
class Night:
    """One night of an example: what is exported, and how the night goes."""

    records: list[Record] | None
    users: list[Record]
    header: list[str] = field(default_factory=lambda: HEADER)
    then: str = "commit"


RECORDS = st.tuples(
    st.sampled_from([f"D{n}" for n in range(4)] + [f"G{n}" for n in range(4)] + ["", " D1"]),
    st.sampled_from(["2024-02-01 10:00:00", "2024-02-05 00:00:00", "2024-02-05", "never"]),
    st.sampled_from(["", "", "h1"]),
    st.sampled_from(["Open", "o", "Won", "Dreaming"]),
    st.sampled_from(["1.50", "2", "-1", "about"]),
    st.sampled_from(OWNERS),
    st.sampled_from(NOTES),
)
GOOD = st.tuples(st.integers(0, 25), st.sampled_from(["", "u1"])).map(
    lambda drawn: (f"G{drawn[0]}", "2024-02-05 00:00:00", "", "Open", "1", drawn[1], "plain")
)
PEOPLE = st.lists(st.sampled_from(USERS), unique=True, max_size=4)


def put(draw: st.DrawFn, records: list[Record], at: int) -> None:
    records[at] = draw(st.one_of(RECORDS, GOOD))


def add(draw: st.DrawFn, records: list[Record], at: int) -> None:
    records.insert(at, draw(st.one_of(RECORDS, GOOD)))


def shuffle(draw: st.DrawFn, records: list[Record], at: int) -> None:  # noqa: ARG001 (each step has the same form)
    records[:] = draw(st.permutations(records))


def footer(draw: st.DrawFn, records: list[Record], at: int) -> None:  # noqa: ARG001
    records[:] = [row for row in records if len(row) > 1] + FOOTER


STEPS = {
    "change": put,
    "mend": lambda draw, records, at: records.__setitem__(at, draw(GOOD)),
    "add": add,
    "remove": lambda draw, records, at: records.pop(at),  # noqa: ARG005
    "repeat": lambda draw, records, at: records.append(records[at]),  # noqa: ARG005
    "ragged": lambda draw, records, at: records.insert(at, records[0][:3]),  # noqa: ARG005
    "shuffle": shuffle,
    "footer": footer,
}


@st.composite
def nights(draw: st.DrawFn) -> list[Night]:
    """Successive nights of one company, each with a few things that differ from the one before."""
    records = draw(st.lists(GOOD, min_size=3, max_size=25, unique_by=lambda record: record[0]))
    records += draw(st.lists(RECORDS, max_size=6))
    users = [USERS[0], *draw(PEOPLE.map(lambda people: people[:2]))][:3]
    found = [Night(list(records), list(dict.fromkeys(users)))]
    for _ in range(draw(st.integers(1, 4))):
        for step in draw(st.lists(st.sampled_from(sorted(STEPS)), max_size=3)):
            if records:
                STEPS[step](draw, records, draw(st.integers(0, len(records) - 1)))
        night = Night(list(records) if draw(st.integers(0, 11)) else None, found[-1].users)
        if not draw(st.integers(0, 5)):
            night.users = draw(PEOPLE)
        if not draw(st.integers(0, 11)):
            night.header = [*HEADER[:-1], "remark"]
        night.then = draw(st.sampled_from(["commit"] * 7 + ["killed", "again", "forget", "configure"]))
        found.append(night)
    return found


@settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(form=st.sampled_from(list(FORMS)), exports=nights(), most_since=st.sampled_from([100.0, 0.5, 0.0]))
def test_a_night_with_settled_rows_leaves_what_one_without_leaves(tmp_path_factory, form, exports, most_since):
    companies = pair(tmp_path_factory.mktemp("settled"), form, with_users=True, most_since=most_since)
    day = 0
    for number, night in enumerate(exports):
        # Of a night that is killed before it is committed nothing remains; one that is run again is recorded anew.
        day += night.then != "again" or number == 0
        settled = same(companies, day, night.records, night.users, header=night.header, commit=night.then != "killed")
        event(f"rows settled: {min(settled, 10)}")
        if night.then == "forget":
            shutil.rmtree(companies[1].workspace.settled, ignore_errors=True)
        for company in companies if night.then == "configure" else ():
            company.ignore_nulls(["x", "plain"] if number % 2 else [])


def good(*numbers: int, **cells: str) -> list[Record]:
    """Records that are accepted, all cells but the deal alike."""
    filled = {"at": "2024-02-05", "id": "", "stage": "Open", "amount": "1", "owner": "u1", "note": "x"} | cells
    return [(f"G{number}", *filled.values()) for number in numbers]


@pytest.fixture()
def companies(tmp_path: Path) -> tuple[Company, Company]:
    """Two companies of the same exports."""
    return pair(tmp_path, "csv")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_only_what_differs_is_judged(tmp_path, form):
    companies = pair(tmp_path, form)
    # The row that goes is the one with the newest date.
    assert same(companies, 0, [*good(0, at="2024-02-20"), *good(*range(1, 20))]) == 0
    # One changed, one new, one gone, and in another order: the 18 others are settled.
    second = [*good(20), *reversed(good(*range(1, 19))), *good(19, amount="2")]
    assert same(companies, 1, second) == 18
    # The same export again: all of its 20 rows.
    assert same(companies, 2, second) == 20


def test_a_fresh_row_with_the_key_of_a_settled_one_calls_for_both(companies):
    same(companies, 0, good(*range(10)))
    # " G3 " is the key G3 once it is read, with another amount: nobody knows which of the two is right.
    double = (" G3 ", *good(3, amount="7")[0][1:])
    assert same(companies, 1, [*good(*range(10)), double]) == 9
    # It goes again: G3 is accepted, and its quarantined row has healed.
    assert same(companies, 2, good(*range(10))) == 9


def test_a_quarantined_row_is_judged_every_night(companies):
    records = [*good(*range(10)), ("", *good(0)[0][1:]), *good(11, stage="Dreaming")]
    same(companies, 0, records)
    assert same(companies, 1, records) == 10
    # Mended: the row without a key has one, and the stage has a name. The row in its place is looked at.
    assert same(companies, 2, good(*range(12))) == 10


def test_whoever_is_named_has_to_be_known_by_id_then_and_now(tmp_path):
    companies = pair(tmp_path, "parquet", with_users=True)
    records = [*good(*range(5)), *good(5, 6, owner="Bob"), *good(7, owner="nobody")]
    people = [("u1", "Ann", "ann@example.com"), ("u2", "Bob", "bob@example.com")]
    same(companies, 0, records, people)
    assert same(companies, 1, records, people) == 5
    # Bob is now an id of somebody else, and u1 has left the list: all 8 rows name somebody in doubt.
    assert same(companies, 2, records, [people[1], ("Bob", "Zed", "")]) == 0


def test_another_header_or_configuration_settles_nothing(companies):
    same(companies, 0, good(*range(10)))
    header = [*HEADER[:-1], "remark"]
    assert same(companies, 1, good(*range(10)), header=header) == 0
    assert same(companies, 2, good(*range(10)), header=header) == 10
    for company in companies:
        company.ignore_nulls(["x"])
    assert same(companies, 3, good(*range(10)), header=header) == 0


def test_a_night_without_the_export_is_no_last_export(companies):
    same(companies, 0, good(*range(10)))
    same(companies, 1, None)
    assert same(companies, 2, good(*range(10))) == 0


def test_a_shrunk_export_is_refused_by_all_its_rows(companies):
    same(companies, 0, good(*range(10)))
    # Six of ten rows are gone, five may be: refused, with all four rows set aside.
    assert same(companies, 1, good(*range(4))) == 4
    assert companies[1].night(FIRST + timedelta(1), commit=False)[0].status == "refused"


def test_a_record_of_several_lines_is_one_record(tmp_path):
    companies = pair(tmp_path, "csv")
    records = [*good(*range(5)), *good(5, note='two\n"lines"\n\nand a blank one')]
    same(companies, 0, records)
    assert same(companies, 1, records) == 6
    # One of the lines comes to stand by itself: its record is fresh, the others are not.
    assert same(companies, 2, [*records[:5], *good(5, note="two"), *good(6, note="lines")]) == 5


def test_many_fresh_rows_are_judged_with_all_others(tmp_path):
    companies = pair(tmp_path, "csv", most_fresh=0.2)
    same(companies, 0, good(*range(10)))
    assert same(companies, 1, [*good(*range(7)), *good(7, 8, 9, amount="3")]) == 0
    assert same(companies, 2, [*good(*range(7)), *good(7, 8, amount="3"), *good(9)]) == 9


def test_a_memory_says_what_differs_from_its_base_until_that_is_too_much(tmp_path):
    companies = pair(tmp_path, "csv", most_since=0.7)
    base, bases = companies[1].workspace.settled / "history", []
    # Changed, changed back beside a new row, the new one gone again, and at last half of the rows changed.
    exports = [good(*range(10)), good(*range(9)) + good(9, amount="2"), good(*range(11)), good(*range(10))]
    exports += [exports[-1], good(*range(5)) + good(*range(5, 10), amount="3"), good(*range(10))]
    settled = []
    for night, records in enumerate(exports):
        settled.append(same(companies, night, records))
        (found,) = (path for path in base.glob("*.base.parquet") if path.name.startswith(str(FIRST + timedelta(night))))
        bases.append(found.stat().st_ino)
    assert settled == [0, 9, 9, 10, 10, 5, 5]
    assert bases == [bases[0]] * 5 + bases[5:]
    assert bases[5] not in (bases[0], bases[6])


def test_without_what_the_last_night_remembered_every_row_is_judged(companies):
    records, settled = good(*range(10)), companies[1].workspace.settled / "history"
    same(companies, 0, records)
    for remembered in (settled / f"{FIRST}.parquet", settled / f"{FIRST}.base.parquet"):
        whole = remembered.read_bytes()
        for content in (None, whole[:-100]):
            remembered.write_bytes(content) if content is not None else remembered.unlink()
            companies[1].night(FIRST + timedelta(1), commit=False)
            assert companies[1].settled == 0
        remembered.write_bytes(whole)
    assert same(companies, 1, records, commit=False) == 10
    # The night before is put back as another run of it had left it: of another file.
    accounting = companies[1].workspace.history / "_source_file" / f"{FIRST}.parquet"
    pl.read_parquet(accounting).with_columns(sha256=pl.lit("0" * 64)).write_parquet(accounting)
    assert same(companies, 1, records) == 0


def test_of_a_source_with_several_files_nothing_is_settled(tmp_path):
    companies = pair(tmp_path, "csv")
    for company in companies:
        everything = company.sources["history"].model_copy(update={"path": (f"{company.inputs}/history*.csv",)})
        company.sources = {**company.sources, "history": everything}
    second = companies[0].inputs / "history-2.csv"
    companies[0].inputs.mkdir(parents=True, exist_ok=True)
    write_csv(second, HEADER, good(*range(20, 30)))
    same(companies, 0, good(*range(10)))
    assert same(companies, 1, good(*range(9))) == 0
    # The second file goes: what it held is deleted, and only then is there a night to go by.
    second.unlink()
    for company in companies:
        company.sources["history"] = company.sources["history"].model_copy(update={"max_shrink": 1.0})
    assert same(companies, 2, good(*range(9))) == 0
    assert same(companies, 3, good(*range(9))) == 9


def test_settled_rows_whose_keys_are_lost_are_not_recorded(tmp_path):
    companies = pair(tmp_path, "csv")
    same(companies, 0, good(*range(10)))
    company, day = companies[1], FIRST + timedelta(1)
    accounts = company.night(day, commit=False)
    assert company.settled == 10
    shutil.rmtree(company.workspace.build / "settled")
    with pytest.raises(PermanentError, match="run the night again"):
        stage_night(company.workspace, day, list(company.sources.values()), accounts)


def take_apart(path: Path) -> TextRecords | None:
    """The records of a CSV file, where they can be told for certain."""
    read_as = Sources.model_validate({"sources": source(path.parent, FORMS["csv"])}).sources["history"]
    return text_records(path, read_as, open_table(path, "csv", read_as), threads=1)


@pytest.mark.parametrize("piece", [1 << 20, 7, 1])
def test_of_text_that_only_quotes_every_record_is_found(tmp_path, monkeypatch, piece):
    monkeypatch.setattr("flows.ingest.settled.text_pieces.PIECE", piece)
    path = tmp_path / "some.csv"
    path.write_bytes(content := b'\xef\xbb\xbfa,b\r\n1,"x\r\ny"\r\n\r\n"",""""\r\n3,plain')
    records = take_apart(path)
    assert [content[start:end] for start, end in zip(records.starts, records.ends - [0, 0, 1], strict=True)] == [
        b'1,"x\r\ny"\r\n',
        b'"",""""\r\n',
        b"3,plain",
    ]
    assert len(set(records.hashes)) == 3


def records_one_by_one(content: bytes) -> list[bytes]:
    """The records of a text, told byte by byte; blank lines are none, and the last one has a line end."""
    found, begin, is_quoted = [], 0, False
    for at, byte in enumerate(content):
        is_quoted ^= byte == ord('"')
        if byte == ord("\n") and not is_quoted:
            found.append(content[begin : at + 1])
            begin = at + 1
    return [record for record in [*found, content[begin:] + b"\n"] if record.strip(b"\r\n")]


CELLS = st.sampled_from(["", "a", "甲", '"x"', '""', '"a,b"', '"a\nb"', '"a\r\n\n"', '"""q"" "', '"'])
LINES = st.lists(st.tuples(st.lists(CELLS, min_size=1, max_size=4).map(",".join), st.sampled_from(["\n", "\r\n"])))


@settings(max_examples=25 * EXAMPLES, deadline=None)
@given(lines=LINES, ends=st.booleans(), piece=st.integers(1, 12) | st.integers(60, 70))
def test_where_a_text_is_cut_changes_no_record(tmp_path_factory, lines, ends, piece):
    content = "".join(line + end for line, end in lines).encode()
    path = tmp_path_factory.mktemp("pieces") / "some.csv"
    path.write_bytes(content := content if ends else content.rstrip(b"\r\n"))
    found = []
    for bytes_of_piece in (piece, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("flows.ingest.settled.text_pieces.PIECE", bytes_of_piece)
            try:
                runs = list(runs_of_records(path, 0, b'"', b",", threads=2))
            except UncertainError:
                found.append(None)
                continue
        places = [place for run in runs for place in zip(run.starts, run.ends, strict=True)]
        hashes = [int(one) for run in runs for one in run.hashes]
        assert [(content + b"\n")[start:end] for start, end in places] == records_one_by_one(content)
        found.append((places, hashes))
    assert found[0] == found[1]


def test_a_text_of_more_records_than_memory_has_room_for_is_left_to_the_reader(tmp_path, monkeypatch):
    path = tmp_path / "some.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 100)
    monkeypatch.setattr("flows.ingest.settled.text_pieces.PIECE", 40)
    assert take_apart(path).count == 100
    monkeypatch.setattr("flows.ingest.settled.text_records.MOST_RECORDS", 50)
    assert take_apart(path) is None


@pytest.mark.parametrize("line", [b'1,5" pipe and a 7" one', b"1,a\rb", b'1,"x" y', b'1,"open\n2,never closed'])
def test_text_in_which_marks_do_more_than_quote_is_not_taken_apart(tmp_path, line):
    path = tmp_path / "some.csv"
    path.write_bytes(b"a,b\n1,2\n" + line + b'\n3,"4"\n' + (b'"' if line.count(b'"') % 2 else b"") + b"5,6\n")
    assert take_apart(path) is None


def test_parquet_is_compared_where_the_engine_finds_the_types_that_the_reader_finds(tmp_path):
    path = tmp_path / "some.parquet"
    frame = pl.DataFrame({"at": ["2024-02-05"], "amount": [1.5]}).with_columns(pl.col("at").str.to_datetime())
    with duckdb.connect() as connection:
        frame.write_parquet(path)
        assert columnar_records(path, open_parquet(path), connection).count == 1
        others = (pl.col("at").cast(pl.Datetime("ms")), pl.lit("a").cast(pl.Categorical), pl.lit([1]))
        for other in others:
            frame.with_columns(other.alias("at")).write_parquet(path)
            assert columnar_records(path, open_parquet(path), connection) is None

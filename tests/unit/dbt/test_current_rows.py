"""``current_rows`` and ``int_activities``: the state is the newest row of each key, whatever the nights before did."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from schemas.registry import ENTITIES
from tests.dbt_fixture import LOG_COLUMNS, PROJECT, frame

START = date(2024, 1, 1)
REPLACED = '"scratch"."intermediate"."int_activities_replaced"'

# What one key does over successive nights: None rests, a number is a new value, "gone" disappears.
Nights = Sequence[int | str | None]
keys = st.lists(st.one_of(st.none(), st.integers(0, 9), st.just("gone")), min_size=1, max_size=6)


def log_rows(nights_by_key: Mapping[str, Nights]) -> list[tuple[str, str, str, date]]:
    """Change rows (key, name, change, night) as the change log records what each key did."""
    rows = []
    for key, nights in nights_by_key.items():
        value: int | None = None
        last = 0
        for number, act in enumerate(nights):
            night = START + timedelta(days=number)
            if act == "gone" and value is not None:
                rows.append((key, str(last), "deleted", night))
                value = None
            elif isinstance(act, int) and act != value:
                rows.append((key, str(act), "new" if value is None else "changed", night))
                value = last = act
    return rows


def compiled(night: Path, model: str) -> str:
    """The SQL dbt made of a model, reading its staging model from a table ``log_rows``."""
    # Unit tests that are given the model are compiled under its name too, below the file that states them.
    found = (night / "target" / "compiled").rglob(f"{model}.sql")
    (path,) = (path for path in found if path.parent.suffix != ".yml")
    text = path.read_text(encoding="utf-8")
    return re.sub(r'"scratch"\."staging"\."stg_log__\w+"', "log_rows", text)


def test_every_entity_of_the_change_log_has_a_staging_model_and_its_key() -> None:
    text = (PROJECT / "macros" / "current_rows.sql").read_text(encoding="utf-8")
    found = re.findall(r"'(\w+)': \{\s*'model': '(\w+)',\s*'key': \[([^\]]*)\]", text)
    assert {name: tuple(re.findall(r"'(\w+)'", key)) for name, _, key in found} == {
        name: schema.key() for name, schema in ENTITIES.items()
    }
    models = {path.stem for path in (PROJECT / "models" / "staging" / "log").glob("*.sql")}
    assert {model for _, model, _ in found} == models


@given(nights_by_key=st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), keys, max_size=4))
def test_the_state_is_the_newest_row_of_each_key(night: Path, nights_by_key: dict[str, Nights]) -> None:
    rows = log_rows(nights_by_key)
    newest: dict[str, tuple[str, str, str, date]] = {}
    first: dict[str, date] = {}
    for row in rows:
        newest[row[0]] = row
        first.setdefault(row[0], row[3])
    expected = sorted((key, name, act == "deleted", first[key]) for key, name, act, _ in newest.values())
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as scratch")
        columns = ", ".join(
            f"null::varchar as {name}" for name in ENTITIES["user"].columns() if name not in ("user_id", "name")
        )
        connection.execute("create table raw (user_id varchar, name varchar, _change varchar, _observed_on date)")
        if rows:
            connection.executemany("insert into raw values (?, ?, ?, ?)", rows)
        connection.execute(f"create table log_rows as select *, {columns} from raw")  # noqa: S608 (names of our schema)
        model = compiled(night, "int_users")
        found = connection.sql(
            f"select user_id, name, is_deleted, first_seen_on from ({model}) order by user_id"
        ).fetchall()  # noqa: S608 (our own model)
    assert found == expected


@given(nights_by_key=st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), keys, max_size=4), is_settled=st.booleans())
def test_activities_are_the_newest_row_of_each_key_that_is_not_deleted(
    night: Path, nights_by_key: dict[str, Nights], is_settled: bool
) -> None:
    """Read from files as the log has them, one a night, or one for all where days came in late."""
    rows = log_rows(nights_by_key)
    newest = {row[0]: row for row in rows}
    expected = sorted((key, name) for key, name, act, _ in newest.values() if act != "deleted")
    dtypes = {**ENTITIES["activity"].dtypes(), **LOG_COLUMNS}
    told = [dict(zip(("activity_id", "subject", "_change", "_observed_on"), row, strict=True)) for row in rows]
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        frame([], dtypes).write_parquet(f"{folder}/00000000.parquet")
        for day in {row["_observed_on"] for row in told}:
            ours = [row for row in told if is_settled or row["_observed_on"] == day]
            frame(ours, dtypes).write_parquet(f"{folder}/{'settled' if is_settled else day}.parquet")
        connection.execute("attach ':memory:' as scratch")
        log = re.sub(r"'[^']*/log/activity/", f"'{folder}/", compiled(night, "stg_log__activities"))
        connection.execute(f"create view log_rows as {log}")
        replaced = compiled(night, "int_activities_replaced")
        connection.execute(f"create schema scratch.intermediate; create table {REPLACED} as {replaced}")
        model = compiled(night, "int_activities")
        found = connection.sql(f"select activity_id, subject from ({model}) order by all").fetchall()  # noqa: S608 (our own model)
    assert found == expected

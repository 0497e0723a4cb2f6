"""Whom a name means: the verdict on each distinct name of tonight's rows, all of them in one query.

Tried in this order, and the first that finds anybody decides: the mapping sheet for the source, the mapping sheet for
all, the mail address, the name as written (of people: those at work at the time, then all), the name without its legal
form. One found: it is meant. Several: ambiguous. A masked name is looked for in the mapping sheet only; what it could
stand for is listed.
"""

from datetime import date

import duckdb
import polars as pl

from flows.ingest.directory import Directory
from flows.ingest.names import name_keys

LISTED = 5
"""Candidates that are listed by name; of the others only their number is told."""
_COMPARED = 200_000_000
"""Masked names times known records: with more, a masked name is quarantined without candidates."""
_MAIL = r"([^\s<>()（）\[\],;，；]+@[^\s<>()（）\[\],;，；]+\.[^\s<>()（）\[\],;，；]+)"

SUBJECT: dict[str, pl.DataType] = {
    "kind": pl.String(),
    "source": pl.String(),
    "written": pl.String(),
    "on": pl.Date(),
}
"""What is asked: a kind of reference, the source that writes it, what it writes, and the day that counts for people."""


def verdicts(subjects: pl.DataFrame, directory: Directory, as_of: date, *, names: str) -> pl.DataFrame:
    """Whom each subject means.

    Args:
        subjects: distinct rows with the columns ``SUBJECT``; ``on`` is null where tonight counts.
        directory: who is known.
        as_of: tonight.
        names: how far names are compared: without_legal_form, as_written or never.

    Returns:
        ``SUBJECT``, ``found_id`` (null where nobody or several are found), ``is_ambiguous`` and ``candidates`` (JSON).
    """
    connection = directory.connection
    asked = _asked(subjects, as_of)
    kinds = set(asked["kind"])
    connection.register("asked_names", asked)
    connection.register("links", directory.links())
    found = [_BY_LINK]
    if "owner" in kinds:
        connection.register("people", directory.people())
        found += [_BY_MAIL] if names == "never" else [_BY_MAIL, _BY_PERSON]
    for kind in ("account", "opportunity"):
        if kind in kinds and names != "never":
            records = directory.records(kind)
            connection.register(f"{kind}s", records)
            found.append(_BY_NAME.format(kind=kind))
            if kind == "account" and names == "without_legal_form":
                found.append(_BY_CORE)
            if kind == "account":
                found += _masked_candidates(connection, asked, "account", records.height)
    if "owner" in kinds and names != "never":
        found += _masked_candidates(connection, asked, "owner", 1)
    verdict = connection.execute(_VERDICT.format(found=" union all ".join(found), listed=LISTED)).pl()
    masked_counts = pl.col("is_masked") & (pl.col("kind") != "opportunity") & (names != "never")
    answered = asked.join(verdict, on="no", how="left", maintain_order="left")
    return answered.select(
        "kind", "source", "written", pl.col("asked_on").alias("on"), "found_id",
        is_ambiguous=pl.col("is_several").fill_null(value=False) | (masked_counts & pl.col("found_id").is_null()),
        candidates=pl.col("candidates").fill_null('{"known":[],"more":0}'),
    )  # fmt: skip


def _asked(subjects: pl.DataFrame, as_of: date) -> pl.DataFrame:
    keys = name_keys(subjects["written"].unique())
    return (
        subjects.join(keys, left_on="written", right_on="name", how="left", maintain_order="left")
        .with_columns(
            mail=pl.col("written").str.extract(_MAIL).str.to_lowercase(),
            asked_on=pl.col("on"),
            on=pl.col("on").fill_null(as_of),
            as_of=pl.lit(as_of),
        )
        .with_row_index("no")
    )


def _masked_candidates(connection: duckdb.DuckDBPyConnection, asked: pl.DataFrame, kind: str, known: int) -> list[str]:
    masked = asked.filter((pl.col("kind") == kind) & pl.col("is_masked"))
    if masked["pattern"].n_unique() * known > _COMPARED:
        return []
    return [_MASKED_PERSON if kind == "owner" else _MASKED_ACCOUNT] if masked.height else []


# Each select: no, level (the lowest counts), id, name. Level 9 lists what a masked name could stand for.
_BY_LINK = """
    select asked.no, case when links.source_name = '' then 1 else 0 end as level, links.id, null as name
    from asked_names as asked
    inner join links
        on asked.kind = links.kind and asked.masked_key = links.masked_key and links.source_name in ('', asked.source)
"""
_AT_WORK = """
    coalesce(people.hired_on <= asked.on, true) and coalesce(people.left_on >= asked.on, true)
    and (people.is_active or people.left_on is not null or asked.on < asked.as_of)
"""
_BY_MAIL = f"""
    select asked.no, case when {_AT_WORK} then 2 else 3 end as level, people.id, people.name
    from asked_names as asked
    inner join people on asked.mail = people.mail
    where asked.kind = 'owner'
"""  # noqa: S608 (our own text)
_BY_PERSON = f"""
    select asked.no, case when {_AT_WORK} then 4 else 5 end as level, people.id, people.name
    from asked_names as asked
    inner join people on asked.key = people.key and asked.key <> ''
    where asked.kind = 'owner' and not asked.is_masked
"""  # noqa: S608 (our own text)
_BY_NAME = """
    select asked.no, 4 as level, known.id, known.name
    from asked_names as asked
    inner join {kind}s as known on asked.key = known.key and asked.key <> ''
    where asked.kind = '{kind}' and (not asked.is_masked or asked.kind = 'opportunity')
"""
_BY_CORE = """
    select asked.no, 5 as level, known.id, known.name
    from asked_names as asked
    inner join accounts as known on asked.core = known.core and asked.core <> ''
    where
        asked.kind = 'account' and not asked.is_masked
        and (asked.form = known.form or asked.form = '' or known.form = '')
"""
_MASKED_ACCOUNT = """
    select asked.no, 9 as level, known.id, known.name
    from asked_names as asked
    inner join accounts as known on known.key like asked.pattern or known.core like asked.pattern
    where asked.kind = 'account' and asked.is_masked
"""
_MASKED_PERSON = """
    select asked.no, 9 as level, people.id, people.name
    from asked_names as asked
    inner join people on people.key like asked.pattern
    where asked.kind = 'owner' and asked.is_masked
"""
_VERDICT = """
    with found as ({found}),

    decided as (
        select no, min(level) as level
        from found
        group by no
    ),

    candidates as (
        select found.no, found.level, found.id, min(found.name) as name
        from found
        inner join decided on found.no = decided.no and found.level = decided.level
        group by all
    )

    select
        no,
        case when count(*) = 1 and min(level) < 9 then min(id) end as found_id,
        count(*) > 1 and min(level) < 9 as is_several,
        to_json({{
            'known': list({{'id': id, 'name': name}} order by id)[:{listed}],
            'more': greatest(count(*) - {listed}, 0)
        }})::varchar as candidates
    from candidates
    group by no
"""

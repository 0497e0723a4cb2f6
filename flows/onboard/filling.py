"""What the names of the columns leave open: keys that no column holds, constants, one date that serves as two."""

from itertools import combinations
from pathlib import Path

import polars as pl

from flows.ingest.headers import header_key
from flows.onboard.funnel import Funnel
from flows.onboard.matching import name_score
from flows.onboard.profile import Profile
from flows.onboard.proposal import Draft
from flows.onboard.vocabulary import meanings, vocabulary, word_key
from flows.onboard.wording import Said
from schemas.registry import ENTITIES

_BY_NAME = ("account", "user", "product", "store", "headcount", "contact", "opportunity", "lead")
_OF_PEOPLE_AND_THINGS = ("user", "account", "product", "store", "contact")
_PERSON = (("First Name", "Last Name", " "), ("Given Name", "Family Name", " "), ("姓", "名", ""))
_PARTS = 3
_NO_PART = ("stage", "currency", "status", "forecast_category", "region", "segment", "source", "next_step")
"""What changes in a record's life, or tells nothing apart."""
_MOMENTS = ("created_at", "closed_at", "expected_close_on", "changed_at", "signed_on", "paid_on", "modified_at")
_NAMED = 0.9
_CANDIDATES = 8
_LONG = 80
_QUARTERS = {(1, 1), (4, 1), (7, 1), (10, 1)}


def fill_person_name(draft: Draft) -> None:
    """A person whose first and last names stand apart is called by both, as far as every row has both."""
    if draft.entity not in ("contact", "user"):
        return
    by_key = {header_key(name): name for name in draft.columns}
    for first, last, separator in _PERSON:
        names = [by_key.get(header_key(first)), by_key.get(header_key(last))]
        taken = draft.column_of("name")
        if None in names or taken not in (None, *names) or "name" in draft.refused:
            continue
        both = [name for name in names if name and draft.columns[name].is_filled]
        if len(both) > 1:
            draft.entries["name"] = {"concat": both, "separator": separator}
        elif both:
            draft.entries["name"] = {"from": both[0]}
        draft.scores["name"] = 0.9
        return


def fill_key(draft: Draft) -> None:
    """See to it that the rows can be told apart by the entity's id: by a column, a unique name, or several columns."""
    keys = ENTITIES[draft.entity].key()
    if len(keys) > 1:
        return
    key = keys[0]
    if key not in draft.entries:
        _find_key(draft, key)
    _fill_name(draft, key)
    if key in draft.entries:
        _judge_repeats(draft, key)


def _find_key(draft: Draft, key: str) -> None:
    rows = draft.part.rows.height
    name = draft.profile_of("name")
    if draft.entity in _BY_NAME and name is not None and name.is_unique and rows > 1:
        draft.fill(key, name.name, 0.7)
        draft.note("key_name", column=name.name, rows=rows, canonical=key)
        return
    found = _unique_columns(draft)
    if found:
        draft.entries[key] = {"concat": list(found)}
        draft.scores[key] = 0.6
        draft.note("key_concat", column=" + ".join(found), rows=rows, canonical=key)
    else:
        draft.ask(key, Said("ask_key", canonical=key), tuple(draft.columns))


def _unique_columns(draft: Draft) -> tuple[str, ...] | None:
    """Two or three filled columns whose values together stand in one row only: ids and names before dates.

    A reference that happens to stand once, in a short file, is no id.
    """
    if not draft.part.rows.height:
        return None
    dtypes = ENTITIES[draft.entity].dtypes()
    mapped = [
        (canonical, column)
        for canonical in dtypes
        if canonical not in _NO_PART and (column := draft.column_of(canonical)) and not dtypes[canonical].is_numeric()
    ]
    mapped.sort(key=lambda pair: (dtypes[pair[0]] in (pl.Date, pl.Datetime), not pair[0].endswith("_id")))
    usable = [column for _, column in mapped if _may_identify(draft.columns[column])]
    texts = {column: draft.columns[column].text for column in usable[:_CANDIDATES]}
    frame = pl.DataFrame([text.alias(name) for name, text in texts.items()])
    for size in range(2, _PARTS + 1):
        for names in combinations(texts, size):
            if frame.select(pl.struct(names).n_unique()).item() == frame.height:
                return names
    return None


def _may_identify(profile: Profile) -> bool:
    longest = max((len(value) for value in profile.distinct), default=0)
    return profile.is_filled and len(profile.distinct) > 1 and longest <= _LONG


def _fill_name(draft: Draft, key: str) -> None:
    """A record without a name is called by its id."""
    declared = ENTITIES[draft.entity].columns().get("name")
    column = draft.column_of(key)
    if declared is not None and not declared.nullable and "name" not in draft.entries and column:
        draft.fill("name", column, 0.7)


def _judge_repeats(draft: Draft, key: str) -> None:
    """Whether rows share an id, and whether they then say the same."""
    entry = draft.entries[key]
    names = [entry["from"]] if "from" in entry else entry.get("concat", [])
    frame = draft.part.rows
    if not names or not frame.height:
        return
    surplus = frame.height - frame.select(pl.struct(names).n_unique()).item()
    if not surplus:
        return
    if draft.entity in _OF_PEOPLE_AND_THINGS:
        _leave_out_lists(draft, key, names)
    differing = frame.select(sorted(draft.used)).unique().filter(pl.struct(names).is_duplicated()).height
    column = " + ".join(names)
    if differing:
        draft.note("key_not_unique", column=column, count=differing, rows=frame.height)
    else:
        draft.options["repeats"] = True
        draft.note("key_repeats", canonical=key, column=column, count=surplus, rows=frame.height)


def _leave_out_lists(draft: Draft, key: str, names: list[str]) -> None:
    """An optional column that alone differs between the rows of a record is a list, such as a person's territories."""
    required = {name for name, declared in ENTITIES[draft.entity].columns().items() if not declared.nullable}
    columns = {canonical: draft.column_of(canonical) for canonical in draft.entries}
    optional = [canonical for canonical, column in columns.items() if canonical not in required and column not in names]
    for canonical in optional:
        rest = sorted({column for other, column in columns.items() if column and other != canonical})
        frame = draft.part.rows.select(rest)
        if not frame.unique().select(pl.struct(names).is_duplicated().any()).item():
            draft.note("left_out", canonical=canonical, column=columns[canonical], key=" + ".join(names))
            del draft.entries[canonical]
            return


def settle_teams(draft: Draft) -> None:
    """Managers who are not people of the file themselves are known by name only: those they lead are a team."""
    manager = draft.profile_of("manager_id")
    if draft.entity != "user" or manager is None or "team" in draft.entries or not manager.filled:
        return
    people = {
        value
        for name in ("user_id", "name", "email")
        if (profile := draft.profile_of(name))
        for value in profile.distinct
    }
    if not people & set(manager.distinct):
        del draft.entries["manager_id"]
        draft.fill("team", manager.name, 0.7)
        draft.note("manager_team", column=manager.name)


def fill_constants(draft: Draft) -> None:
    """What the whole file says once: by the name of a column, of the file, or by its dates."""
    if draft.entity == "target":
        _fill_target(draft)
    if draft.entity == "activity" and "activity_type" not in draft.entries:
        stem = header_key(Path(draft.part.path).stem)
        kind = next(
            (word for word in ("call", "meeting", "task", "email", "visit", "event", "拜访", "会议") if word in stem),
            None,
        )
        if kind:
            draft.constant("activity_type", kind, draft.part.place)
    if (
        draft.entity == "user"
        and "role" not in draft.entries
        and "salesagent" in header_key(draft.column_of("name") or "")
    ):
        draft.constant("role", "rep", str(draft.column_of("name")))


def _fill_target(draft: Draft) -> None:
    if "plan_version" not in draft.entries:
        draft.constant("plan_version", draft.source, draft.part.place)
    base, node = draft.column_of("base"), draft.column_of("node_name")
    if "metric" not in draft.entries and base:
        known = meanings("target", "metric")
        key = word_key(base)
        counts = any(word in key for word in ("count", "deals", "number", "数"))
        metric = known.get(key) or ("won_count" if counts else "bookings" if _speaks_of_money(key) else None)
        if metric:
            draft.constant("metric", metric, base)
    if "node_kind" not in draft.entries and node:
        key = word_key(node)
        kind = next((kind for kind, words in vocabulary()["nodes"].items() if key in words), None)
        if kind:
            draft.constant("node_kind", kind, node)
    if "period_kind" not in draft.entries:
        _fill_period_kind(draft)


def _speaks_of_money(key: str) -> bool:
    words = ("amount", "sales", "revenue", "bookings", "quota", "金额", "额", "业绩", "收入", "销售")
    return any(word in key for word in words)


def _fill_period_kind(draft: Draft) -> None:
    profile = draft.profile_of("period_start_on")
    if profile is None:
        return
    key = word_key(profile.name)
    for kind, words in {"quarter": ("quarter", "季"), "month": ("month", "月"), "year": ("year", "年")}.items():
        if any(word in key for word in words):
            draft.constant("period_kind", kind, profile.name)
            return
    days = {(value.month, value.day) for value in profile.raw.drop_nulls()} if profile.is_moment else set()
    if days and days <= _QUARTERS and len(days) > 1:
        draft.constant("period_kind", "quarter", profile.name)
    elif days and {day for _, day in days} == {1} and len(days) > 1:
        draft.constant("period_kind", "month", profile.name)


def ask_for_missing(draft: Draft) -> None:
    """Ask for what the entity needs and nothing fills; an answer may be a column, several joined by +, or value:X."""
    definition = ENTITIES[draft.entity]
    halves = definition.derived()
    halves = {**halves, **{at: on for on, at in halves.items()}}
    asked = {question.id for question in draft.questions}
    for name, declared in definition.columns().items():
        filled = (
            name in draft.entries
            or halves.get(name) in draft.entries
            or name in halves
            and name in definition.derived()
        )
        follows = name == "name" and draft.id(definition.key()[0]) in asked
        if declared.nullable or filled or follows or draft.id(name) in asked:
            continue
        choices = tuple((declared.properties.get("checks") and _choices(draft.entity, name)) or draft.columns)
        draft.ask(name, Said("ask_column", canonical=name, why=declared.description), choices)


def ask_for_unread(draft: Draft) -> None:
    """Ask about columns that are named like numbers or dates of ours and hold something else: they are never just left.

    A deal without an amount counts for nothing, so amounts are asked for wherever a number might be one.
    """
    definition = ENTITIES[draft.entity]
    open_ones = [name for name in definition.columns() if name not in draft.entries and name not in draft.refused]
    typed = [name for name in open_ones if definition.dtypes()[name].is_numeric() or name in _MOMENTS]
    idle = {name: profile for name, profile in draft.columns.items() if name not in draft.used and profile.filled}
    for column, profile in idle.items():
        named = max(typed, key=lambda name: name_score(draft.entity, name, column), default=None)
        if named and name_score(draft.entity, named, column) >= _NAMED and draft.answer(column) != "ignore":
            typed.remove(named)
            said = Said("ask_unread", column=column, canonical=named)
            draft.ask(column, said, (named, "ignore"), profile.samples)
    asked = {question.id for question in draft.questions}
    numbers = [column for column, profile in idle.items() if profile.is_number and _may_be_money(column)]
    if "amount" in typed and numbers and not asked & {draft.id(column) for column in draft.columns}:
        if draft.answer("amount") != "ignore":
            said = Said("ask_column", canonical="amount", why=definition.columns()["amount"].description)
            draft.ask("amount", said, (*numbers, "ignore"))


def _may_be_money(column: str) -> bool:
    key = word_key(column)
    return any(
        word in key for word in ("amount", "value", "revenue", "price", "total", "acv", "tcv", "arr", "mrr", "额", "价")
    )


def _choices(entity: str, column: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(meanings(entity, column).values()))
    return tuple(f"value:{word}" for word in words)


def share_one_date(draft: Draft, funnel: Funnel, existing) -> None:  # type: ignore[no-untyped-def]
    """One closing date: the expected one while a deal is open, the actual one once it is closed.

    Salesforce, HubSpot and Zoho keep a single date. One that open deals leave empty is the actual date alone.
    """
    expected, actual = draft.column_of("expected_close_on"), draft.column_of("closed_at")
    stage = draft.profile_of("stage")
    if (
        bool(expected) == bool(actual)
        or draft.entity != "opportunity"
        or {"expected_close_on", "closed_at"} & draft.refused
    ):
        return
    column = expected or actual
    assert column is not None  # noqa: S101 (one of the two is filled)
    if actual and stage is not None:
        dated = pl.DataFrame({"stage": stage.text, "date": draft.columns[column].text}).drop_nulls("date")
        open_ones = [text for text in stage.distinct if funnel.category(text, existing) == "open"]
        if not dated["stage"].is_in(open_ones).any():
            return
    score = draft.scores["expected_close_on" if expected else "closed_at"]
    draft.fill("closed_at" if expected else "expected_close_on", column, score)
    draft.note("one_date", column=column)

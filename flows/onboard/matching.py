"""Which column of a table means which column of ours, and what its rows are: by names first, then by content."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from flows.ingest.headers import header_key, synonyms
from flows.onboard.profile import Profile
from flows.onboard.vocabulary import contains_word, meanings, vocabulary, word_key
from schemas.registry import ENTITIES

EXACT = 1.0
CONFIDENT = 0.75
_WORTH = 0.5
_KNOWN = 0.9
_REFERENCE = 0.995
_BY_POSITION = 0.0005
_HINT = 1.0
_ABSENT = 1.2
_REPEATS = 0.8
_AFFIX = re.compile(r"^\(do not modify\)\s*|__c$|^properties[._]|^hs_(?=[a-z]+_?date)", re.IGNORECASE)
_SHARED = ("region", "team", "segment", "industry", "category", "channel", "status")
"""What several records share: a column with a value of its own in each row is something else."""
_SEVERAL = 5
_DYNAMICS = re.compile(r"^\(do not modify\)", re.IGNORECASE)
"""Before the id of a record, which Dynamics heads with the name of its entity."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_PREFIXES = (
    "opportunity",
    "deal",
    "account",
    "company",
    "contact",
    "lead",
    "product",
    "order",
    "商机",
    "客户",
    "线索",
    "联系人",
    "合同",
)
_REST = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Match:
    """A column of a table that fills one of ours; ``score`` is 1 for a known name whose content fits."""

    canonical: str
    column: str
    score: float


@dataclass(frozen=True)
class Candidate:
    """One entity that the rows may be, what fills its columns, and how well it explains the table."""

    entity: str
    matches: dict[str, Match]
    rivals: dict[str, str]
    score: float

    @property
    def missing(self) -> tuple[str, ...]:
        """Required columns that nothing fills."""
        entity = ENTITIES[self.entity]
        other_half = {on: at for on, at in entity.derived().items()} | {at: on for on, at in entity.derived().items()}
        return tuple(
            name
            for name, declared in entity.columns().items()
            if not declared.nullable and name not in self.matches and other_half.get(name) not in self.matches
        )


def rank(columns: Mapping[str, Profile], hints: str) -> list[Candidate]:
    """All entities, the best first.

    Args:
        columns: profiles of the table's columns.
        hints: names of the file and the sheet, which people give for a reason.
    """
    candidates = [match_entity(entity, columns, hints) for entity in ENTITIES]
    return sorted((found for found in candidates if found.matches), key=lambda found: -found.score)


def match_entity(entity: str, columns: Mapping[str, Profile], hints: str = "") -> Candidate:
    """What fills the columns of one entity: each of ours by the column that fits best, each column once."""
    derived = ENTITIES[entity].derived()
    scored = [
        Match(canonical, name, named * fit)
        for canonical in ENTITIES[entity].columns()
        if canonical not in derived
        for name, profile in columns.items()
        if (named := name_score(entity, canonical, name)) >= _WORTH
        and (fit := content_fit(entity, canonical, profile)) > 0
        and named * fit >= _WORTH
    ]
    scored += _by_content(entity, columns)
    matches: dict[str, Match] = {}
    rivals: dict[str, str] = {}
    taken: dict[str, str] = {}
    for match in sorted(scored, key=lambda match: -match.score):
        if match.canonical not in matches and match.column not in taken:
            matches[match.canonical] = match
            taken[match.column] = match.canonical
    for match in scored:
        chosen = matches.get(match.canonical)
        if chosen and match.column not in taken and match.score < CONFIDENT and match.score == chosen.score:
            rivals[match.canonical] = match.column
    candidate = Candidate(entity, matches, rivals, 0.0)
    return Candidate(entity, matches, rivals, _explains(candidate, columns, hints))


def _explains(candidate: Candidate, columns: Mapping[str, Profile], hints: str) -> float:
    """How well the entity explains the table: rare names count more, what is required and absent counts against it."""
    explained = sum(match.score * _rarity(match.column) for match in candidate.matches.values())
    of_all = sum(_rarity(name) for name in columns) or 1.0
    key = set(ENTITIES[candidate.entity].key())
    nameable = {"account_id", "user_id", "product_id", "store_id", "line_item_id", "plan_version", "metric"}
    nameable |= {"period_kind", "node_kind", "activity_type"}
    absent = sum((0.3 if name in nameable else 1.0) for name in candidate.missing)
    keys = sum(match.score >= EXACT - 0.1 for name, match in candidate.matches.items() if name in key)
    only = candidate.matches.get(ENTITIES[candidate.entity].key()[0]) if len(key) == 1 else None
    repeats = only is not None and not columns[only.column].is_unique
    hint = _HINT if _hinted(candidate.entity, hints) else 0.0
    required = _ABSENT * absent / (1 + len(key))
    return explained / of_all * 3 + 0.4 * keys / len(key) - required - _REPEATS * repeats + hint


def _hinted(entity: str, hints: str) -> bool:
    """Whether the names of file and sheet speak of the entity, and of no other that is named more fully."""
    key = header_key(hints)
    told = {
        name: max((len(word) for word in words if word in key), default=0)
        for name, words in vocabulary()["names"].items()
    }
    longest = max(told.values(), default=0)
    return longest > 0 and told.get(entity, 0) == longest


@cache
def _rarity(name: str) -> float:
    """One over the number of entities that know the name; a name that none knows counts a little."""
    known = sum(
        any(name_score(entity, column, name) >= CONFIDENT for column in synonyms()[entity]) for entity in ENTITIES
    )
    return 1 / known if known else 0.25


@cache
def _keys(entity: str, canonical: str) -> dict[str, int]:
    """Known names of a column as they are compared, each with its place in the list."""
    words = (canonical, *synonyms().get(entity, {}).get(canonical, ()))
    return {_plain(word): at for at, word in reversed(list(enumerate(words)))}


@cache
def _tokens(entity: str, canonical: str) -> list[frozenset[str]]:
    words = (canonical, *synonyms().get(entity, {}).get(canonical, ()))
    return [tokens for word in words if (tokens := _words(word)) and len(tokens) > 1]


def _plain(name: str) -> str:
    return _REST.sub("", header_key(name))


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _CAMEL.split(name) if word and word.isascii())


def _variants(name: str) -> list[str]:
    """Ways in which vendors dress a name: a prefix of the object, a suffix for custom fields."""
    bare = _AFFIX.sub("", name.strip())
    last = re.split(r"[./]", bare)[-1] if re.fullmatch(r"\w+([./]\w+)+", bare) else bare
    return list(dict.fromkeys((name, bare, last)))


@cache
def name_score(entity: str, canonical: str, name: str) -> float:
    """How surely a header names one of our columns: 1 for a known name, 0 for a strange one."""
    known = _keys(entity, canonical)
    if _DYNAMICS.match(name) and _plain(name) == entity:
        return EXACT if canonical == ENTITIES[entity].key()[0] else 0.0
    for variant in _variants(name):
        key = _plain(variant)
        if key in known:
            return EXACT - _BY_POSITION * known[key]
        for prefix in _PREFIXES:
            bare = key.removeprefix(prefix)
            if bare != key and bare in known and prefix in (entity, *vocabulary()["names"].get(entity, ())):
                return 0.9
    words = _words(_AFFIX.sub("", name))
    shared = [len(words & tokens) / len(words | tokens) for tokens in _tokens(entity, canonical)]
    best = max(shared, default=0.0)
    key = _plain(name)
    han = max(
        (len(word) / len(key) for word in known if not word.isascii() and len(word) > 2 and word in key), default=0.0
    )
    return 0.85 * max(best if best >= 0.6 else 0.0, han if han >= 0.5 else 0.0)


def content_fit(entity: str, canonical: str, profile: Profile) -> float:
    """Whether the values can be what the column holds: 1 they can, 0 they cannot."""
    definition = ENTITIES[entity]
    dtype = definition.dtypes()[canonical]
    if not len(profile.distinct):
        return 1.0 if name_score(entity, canonical, profile.name) >= _KNOWN else 0.0
    if dtype in (pl.Date, pl.Datetime):
        return 1.0 if profile.is_date else 0.6 if _undatable(profile) else 0.0
    if profile.is_moment or (profile.dates is not None and not profile.is_number):
        return 0.0
    if dtype.is_numeric():
        return 1.0 if profile.is_number else 0.0
    if dtype == pl.Boolean:
        return 1.0 if profile.is_boolean else 0.6 if len(profile.distinct) <= 4 and profile.is_words else 0.0
    return _text_fit(entity, canonical, profile)


def _undatable(profile: Profile) -> bool:
    """Whether the values might be dates in a format that is not known: words with digits."""
    return not profile.is_number and float(profile.distinct.str.contains(r"\d").mean() or 0) > 0.5  # type: ignore[arg-type]


def _text_fit(entity: str, canonical: str, profile: Profile) -> float:
    if canonical == "currency":
        known = meanings(entity, canonical)
        return 1.0 if profile.is_currency or any(_meant(value, known) for value in profile.distinct) else 0.0
    if canonical == "email":
        return 1.0 if profile.is_mail else 0.0
    if canonical == "stage":
        return 1.0 if not profile.is_number and len(profile.distinct) <= 60 else 0.3
    known = meanings(entity, canonical)
    if known:
        share = sum(_meant(value, known) for value in profile.distinct) / len(profile.distinct)
        return (
            1.0
            if share >= 0.5
            else 0.55
            if len(profile.distinct) <= 8 and canonical not in ("role", "language")
            else 0.0
        )
    if canonical == ENTITIES[entity].key()[0] and len(ENTITIES[entity].key()) == 1:
        return 1.0 if profile.is_unique else 0.97 if profile.is_filled else 0.8
    if canonical in _SHARED and profile.is_unique and len(profile.distinct) >= _SEVERAL:
        return 0.0
    if canonical.endswith("_id"):
        return _REFERENCE
    if canonical == "name":
        return 0.85 if profile.is_number and profile.raw.dtype.is_float() else 1.0
    return 1.0


def _meant(value: str, known: Mapping[str, str]) -> bool:
    return word_key(value) in known


def _by_content(entity: str, columns: Mapping[str, Profile]) -> list[Match]:
    """Columns with a strange name and telling content: stages, mail addresses, currencies."""
    found = []
    known = ENTITIES[entity].columns()
    for name, profile in columns.items():
        if "stage" in known and _stage_share(profile) >= 0.8 and len(profile.distinct) >= 3:
            found.append(Match("stage", name, 0.55))
        if "email" in known and profile.is_mail:
            found.append(Match("email", name, 0.6))
        if "currency" in known and profile.is_currency and len(profile.distinct) <= 12 and profile.filled:
            found.append(Match("currency", name, 0.52))
    return found


def _stage_share(profile: Profile) -> float:
    """Share of the values that are known names of stages."""
    if not profile.is_words:
        return 0.0
    known = {word for stage in vocabulary()["stages"] for word in stage["words"]}
    keys = [word_key(value) for value in profile.distinct]
    return sum(key in known or any(contains_word(key, word) for word in known) for key in keys) / len(keys)

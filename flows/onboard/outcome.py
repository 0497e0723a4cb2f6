"""Whether a deal is won, lost or open, where a file keeps that beside its stage: a status, flags, or an archive."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

import polars as pl

from flows.config.stages import Stages
from flows.onboard.concepts import ENDS
from flows.onboard.funnel import QUARANTINE, Funnel
from flows.onboard.proposal import Draft
from flows.onboard.spellings import column_named, flag_columns, is_true
from flows.onboard.vocabulary import vocabulary, word_key
from flows.onboard.wording import Said

_SEPARATOR = " / "
_STATES = ("open", *ENDS)


@dataclass(frozen=True)
class Outcome:
    """Columns that tell how a deal stands.

    Attributes:
        columns: their names.
        meaning: open, won, lost or quarantine by the values of the columns; what is missing leaves it to the stage.
        strange: values of the first column that are no known word, with how many rows hold them.
    """

    columns: tuple[str, ...]
    meaning: Mapping[tuple[str, ...], str]
    strange: dict[str, int] = field(default_factory=dict)


def settle_outcome(draft: Draft, funnel: Funnel, existing: Stages | None) -> bool:
    """Join the column that tells the outcome to the stage, where the stages alone would tell it wrongly.

    A deal that is won or lost keeps the stage in which that happened, in Pipedrive, Dynamics, Copper or Odoo. Where no
    stage is an end, or a deal is over by its status and open by its stage, both columns together make the stage.

    Returns:
        Whether they were joined; else the stage column alone tells.
    """
    stage = draft.profile_of("stage")
    if draft.entity != "opportunity" or stage is None:
        return False
    has_ends = any(funnel.category(text, existing) == "won" for text in funnel.keys)
    for found in (_by_status(draft), _by_flags(draft), _by_archive(draft)):
        if found is None:
            continue
        differing = _differing(draft, found, funnel, existing)
        if not differing and (has_ends or "won" not in found.meaning.values()):
            continue
        for value, count in found.strange.items():
            said = Said("ask_outcome", column=found.columns[0], value=value, count=count)
            draft.ask(f"{found.columns[0]}.{value}", said, (*_STATES, QUARANTINE))
        _join(draft, found, funnel, existing)
        return True
    _tell_lost_reasons(draft, funnel, existing)
    return False


def _by_status(draft: Draft) -> Outcome | None:
    """A column of words such as Open, Won and Lost: by its header, or because it holds nothing but such words."""
    headers = {word_key(header) for header in vocabulary()["outcome_headers"]}
    words = {word_key(word): meant for meant, known in vocabulary()["outcomes"].items() for word in known}
    named = sorted(draft.columns.items(), key=lambda item: word_key(item[0]) not in headers)
    for name, profile in named:
        if name in draft.used or not profile.is_words:
            continue
        meant = {value: words.get(word_key(value)) for value in profile.distinct}
        known = {state for state in meant.values() if state}
        strange = [value for value, state in meant.items() if state is None]
        is_named = word_key(name) in headers
        if not known & set(ENDS) or (not is_named and (strange or len(known) < 2)):
            continue
        counts = dict(profile.counts.iter_rows())
        answers = {value: draft.answer(f"{name}.{value}") for value in strange}
        meaning: dict[tuple[str, ...], str] = {
            (value,): state for value, state in {**meant, **answers}.items() if state
        }
        return Outcome((name,), meaning, {value: counts[value] for value in strange if not answers[value]})
    return None


def _by_flags(draft: Draft) -> Outcome | None:
    """Two flags, or one: is the deal won, is it closed."""
    flags = {end: name for end, name in flag_columns(draft).items() if name not in draft.used}
    if "is_won" not in flags:
        return None
    names = tuple(flags.values())
    meaning = {}
    for values in product(*(draft.columns[name].distinct for name in names)):
        told = dict(zip(flags, is_true(pl.Series(values)), strict=True))
        if told["is_won"]:
            meaning[values] = "won"
        elif "is_closed" in told:
            meaning[values] = "lost" if told["is_closed"] else "open"
    return Outcome(names, meaning)


def _by_archive(draft: Draft) -> Outcome | None:
    """Odoo puts away what is lost: it is no longer active, and stands in the stage where it was."""
    name = column_named(draft, vocabulary()["active_headers"])
    if name is None or name in draft.used or not draft.columns[name].is_boolean:
        return None
    profile = draft.columns[name]
    put_away = [value for value in profile.distinct if not is_true(pl.Series([value]))[0]]
    counts = dict(profile.counts.iter_rows())
    answers = {value: draft.answer(f"{name}.{value}") for value in put_away}
    meaning: dict[tuple[str, ...], str] = {(value,): answer or "lost" for value, answer in answers.items()}
    return Outcome((name,), meaning, {value: counts[value] for value in put_away if not answers[value]})


def _differing(draft: Draft, found: Outcome, funnel: Funnel, existing: Stages | None) -> int:
    """Number of deals that are over by these columns and open by their stage."""
    stage = str(draft.column_of("stage"))
    seen = pl.DataFrame([draft.columns[name].text.alias(str(at)) for at, name in enumerate((*found.columns, stage))])
    differing = 0
    for *values, text, count in seen.drop_nulls().group_by(pl.all()).len().iter_rows():
        told = found.meaning.get(tuple(values))
        if told is None and values[0] in found.strange:
            told = "lost"
        if told in (*ENDS, QUARANTINE) and funnel.category(text, existing) == "open":
            differing += count
    return differing


def _join(draft: Draft, found: Outcome, funnel: Funnel, existing: Stages | None) -> None:
    """Both columns together tell the stage: of what is over by the end it has come to, of the rest by its stage."""
    stage = str(draft.column_of("stage"))
    ends = {end: _end_key(end, funnel, existing) for end in ENDS}
    mapping = {}
    for values in product(*(draft.columns[name].distinct for name in found.columns)):
        told = found.meaning.get(values)
        for text in draft.columns[stage].distinct:
            key = ends.get(str(told)) or funnel.keys.get(text)
            if key and told != QUARANTINE:
                mapping[_SEPARATOR.join((*values, text))] = key
    draft.entries["stage"] = {"concat": [*found.columns, stage], "separator": _SEPARATOR, "map": mapping}
    draft.note("outcome", outcome=" + ".join(found.columns), stage=stage)


def _end_key(end: str, funnel: Funnel, existing: Stages | None) -> str:
    if existing:
        return next((stage.key for stage in existing.stages if stage.closed == end), end)
    return next((stage["key"] for stage in funnel.new if stage.get("closed") == end), end)


def _tell_lost_reasons(draft: Draft, funnel: Funnel, existing: Stages | None) -> None:
    """Deals with a loss reason in an open stage: the column that says that they are lost may be missing."""
    reason, stage = draft.profile_of("loss_reason"), draft.profile_of("stage")
    if reason is None or stage is None or not len(reason.distinct):
        return
    lost = pl.DataFrame({"reason": reason.text, "stage": stage.text}).drop_nulls()
    lost = lost.filter(~pl.col("reason").is_in(reason.nulls))
    open_ones = [text for text in funnel.keys if funnel.category(text, existing) == "open"]
    count = lost.filter(pl.col("stage").is_in(open_ones)).height
    if count:
        draft.note("open_with_reason", count=count, column=reason.name)

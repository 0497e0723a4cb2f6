"""From a table of which nothing is known to a proposed source: what a row stands for, then column by column."""

import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.config.sources import Reading
from flows.config.stages import Stages
from flows.errors import ConfigError
from flows.ingest.templates import Recognised, Unrecognised, recognise
from flows.onboard.filling import (
    ask_for_missing,
    ask_for_unread,
    fill_constants,
    fill_key,
    fill_person_name,
    settle_teams,
    share_one_date,
)
from flows.onboard.funnel import Funnel, settle_funnel
from flows.onboard.looking import Part
from flows.onboard.matching import CONFIDENT, Candidate, match_entity, rank
from flows.onboard.outcome import settle_outcome
from flows.onboard.profile import Profile, profiles
from flows.onboard.proposal import Answers, Draft, Proposal, column_proposals
from flows.onboard.reading import settle_values
from flows.onboard.spellings import column_named, is_true, spellings
from flows.onboard.vocabulary import vocabulary
from flows.onboard.wording import Question, Said
from schemas.registry import ENTITIES

PLURALS = {
    "opportunity": "opportunities",
    "activity": "activities",
    "opportunity_history": "opportunity_history",
    "stage_progress": "stage_progress",
    "headcount": "headcount",
}
IGNORE = "ignore"
_SURE, _APART = 1.5, 0.3
_APPENDED = ("opportunity_history",)
_DATE_IN_NAME = re.compile(r"(?<!\d)(20\d{2})([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")


@dataclass(frozen=True)
class Known:
    """What is settled before a file is looked at.

    Attributes:
        defaults: reading options that hold where a source says nothing.
        sources: names of the sources that are configured.
        stages: the funnel; None where there is none yet.
        zone: the company's time zone, None while not settled.
        currency: its reporting currency, None while not settled.
    """

    defaults: Reading
    sources: frozenset[str] = frozenset()
    stages: Stages | None = None
    zone: str | None = None
    currency: str | None = None


def propose(
    part: Part,
    known: Known,
    answers: Answers,
    *,
    entity: str | None = None,
    source: str | None = None,
    path: str | None = None,
) -> tuple[Proposal, Funnel]:
    """The proposed source for one table, and what it tells about the funnel.

    Args:
        part: the table.
        known: the company as configured so far.
        answers: what a person has said.
        entity: what a row stands for, where a person says so.
        source: the name of the source, where a person says so.
        path: the path that is proposed, where it is not the file's own.
    """
    columns = profiles(part.rows)
    named = {name: profile for name, profile in columns.items() if not name.startswith("(column ")}
    name = source or _free(_slug(part), known.sources)
    entity = entity or answers.get(f"{name}.entity")
    if entity == IGNORE:
        return _unknown(part, name, [], named), Funnel()
    if entity is not None and entity not in ENTITIES:
        raise ConfigError([f"--entity {entity}: is not an entity; expected one of {', '.join(ENTITIES)}"])
    template = _template(part, entity)
    if template:
        taken = source or _free(PLURALS.get(template.entity, template.entity + "s"), known.sources)
        return _propose_template(part, taken, template, named, known, answers, path)
    ranked = rank(named, f"{part.path.stem} {part.table.sheet or ''}")
    chosen = match_entity(entity, named) if entity else _choose(ranked)
    others = [found.entity for found in ranked if chosen is None or found.entity != chosen.entity]
    if chosen is None:
        return _unknown(part, name, ranked, named), Funnel()
    if source is None and not answers.get(f"{name}.entity"):
        name = _free(PLURALS.get(chosen.entity, chosen.entity + "s"), known.sources)
    draft = Draft(name, part, chosen.entity, named, answers, options=dict(part.options), said=list(part.said))
    funnel = _settle(draft, chosen, known, path)
    confidence = 1.0 if entity else _confidence(ranked)
    return _finish(draft, confidence, others[0] if others else None), funnel


def _template(part: Part, entity: str | None) -> Recognised | None:
    """Which process template a sheet is; a text file only if it has no other columns: CRMs export those."""
    found = recognise(part.table.columns)
    if isinstance(found, Unrecognised) or entity not in (None, found.entity):
        return None
    return found if part.format in ("xlsx", "xls") or not found.unknown else None


def _propose_template(
    part: Part,
    name: str,
    found: Recognised,
    columns: dict[str, Profile],
    known: Known,
    answers: Answers,
    path: str | None,
) -> tuple[Proposal, Funnel]:
    """A process template needs no mapping: its columns follow from the header, its values are read as people write."""
    draft = Draft(name, part, found.entity, columns, answers, options=dict(part.options), said=list(part.said))
    draft.options["template"] = True
    draft.note("template", entity=found.entity)
    for canonical, header in found.columns.items():
        draft.fill(canonical, header)
    funnel = settle_funnel(spellings(draft), known.stages, answers) if "stage" in draft.entries else Funnel()
    _settle_mode(draft)
    _settle_path(draft, path)
    return _finish(draft, 1.0, None), funnel


def _choose(ranked: list[Candidate]) -> Candidate | None:
    """The entity that explains the table; None where none does, or two do."""
    if not ranked or ranked[0].score < _SURE:
        return None
    if len(ranked) > 1 and ranked[0].score - ranked[1].score < _APART:
        return None
    return ranked[0]


def _confidence(ranked: list[Candidate]) -> float:
    second = max(ranked[1].score, 0.0) if len(ranked) > 1 else 0.0
    return max(0.5, min(1.0, ranked[0].score / (ranked[0].score + second)))


def _unknown(part: Part, name: str, ranked: list[Candidate], columns: Mapping[str, Profile]) -> Proposal:
    closest = [found.entity for found in ranked[:3]]
    said = Said("ask_entity", place=part.place, found=", ".join(closest) or "-")
    question = Question(f"{name}.entity", said, (*(closest or ENTITIES), IGNORE), tuple(columns))
    samples = {column: profile.samples for column, profile in columns.items()}
    runner_up = closest[0] if closest else None
    return Proposal(name, part.place, None, 0.0, runner_up, part.rows.height, (), {}, samples, (question,), part.said)


def _settle(draft: Draft, chosen: Candidate, known: Known, path: str | None) -> Funnel:
    draft.take(chosen.matches)
    _apply_answers(draft)
    for canonical, rival in chosen.rivals.items():
        if canonical in draft.entries and not draft.answer(canonical):
            both = (draft.column_of(canonical) or "", rival)
            draft.ask(canonical, Said("ask_rival", canonical=canonical, columns=" / ".join(both)), both)
    _tell_weak(draft)
    funnel = Funnel()
    if "stage" in draft.entries:
        funnel = _settle_stage(draft, known)
    share_one_date(draft, funnel, known.stages)
    fill_constants(draft)
    fill_person_name(draft)
    fill_key(draft)
    settle_teams(draft)
    settle_values(draft, known.defaults, known.zone, known.currency)
    ask_for_missing(draft)
    ask_for_unread(draft)
    _settle_mode(draft)
    _settle_path(draft, path)
    return funnel


def _apply_answers(draft: Draft) -> None:
    """What a person says about a column of the file, or about one of ours."""
    ours = ENTITIES[draft.entity].columns()
    for name in draft.columns:
        answer = draft.answer(name)
        if answer == "ignore":
            for canonical in [key for key, entry in draft.entries.items() if entry.get("from") == name]:
                del draft.entries[canonical]
                draft.refused.add(canonical)
        elif answer in ours and answer not in draft.columns:
            for canonical in [key for key, entry in draft.entries.items() if entry.get("from") == name]:
                del draft.entries[canonical]
                draft.refused.add(canonical)
            draft.fill(str(answer), name)
    for canonical in ours:
        answer = draft.answer(canonical)
        parts = [part.strip() for part in answer.split("+")] if answer else []
        if answer and answer.startswith("value:"):
            draft.entries[canonical] = {"value": answer.removeprefix("value:")}
        elif answer in draft.columns:
            draft.fill(canonical, str(answer))
        elif len(parts) > 1 and set(parts) <= set(draft.columns):
            draft.entries[canonical] = {"concat": parts}


def _tell_weak(draft: Draft) -> None:
    for canonical, score in draft.scores.items():
        column = draft.column_of(canonical)
        if column and score < CONFIDENT:
            draft.note("weak_match", column=column, canonical=canonical, id=draft.id(column))


def _settle_stage(draft: Draft, known: Known) -> Funnel:
    funnel = settle_funnel(spellings(draft), known.stages, draft.answers)
    if not settle_outcome(draft, funnel, known.stages):
        draft.entries["stage"]["map"] = "stages"
    return funnel


def _settle_mode(draft: Draft) -> None:
    answer = draft.answer("mode")
    deleted = column_named(draft, vocabulary()["deleted_headers"])
    if not answer and deleted and draft.columns[deleted].is_boolean:
        count = int(is_true(draft.columns[deleted].text).sum())
        if count:
            draft.options.update(mode="delta", deleted=deleted)
            draft.note("mode_delta", column=deleted, count=count)
            return
    mode = answer if answer in ("full", "append") else "append" if draft.entity in _APPENDED else "full"
    if mode != "full":
        draft.options["mode"] = mode
    if not answer:
        draft.note(f"mode_{mode}", id=draft.id("mode"))


def _settle_path(draft: Draft, proposed: str | None) -> None:
    answer = draft.answer("path") or proposed
    path = draft.part.path.resolve()
    draft.options["path"] = answer or glob.escape(str(path))
    dated = dated_path(path)
    if proposed and "{date:" in proposed:
        draft.note("dated_files")
    elif dated and not answer:
        draft.note("dated_name", id=draft.id("path"), path=dated)


def dated_path(path: Path) -> str | None:
    """The path with a place for the day in the file's name, or None where the name holds none."""
    found = _DATE_IN_NAME.search(path.name)
    if not found:
        return None
    mark = found[2]
    name = (
        f"{glob.escape(path.name[: found.start()])}{{date:%Y{mark}%m{mark}%d}}{glob.escape(path.name[found.end() :])}"
    )
    return f"{glob.escape(str(path.parent))}/{name}"


def _finish(draft: Draft, confidence: float, runner_up: str | None) -> Proposal:
    _tell_names(draft)
    read = {*draft.used, draft.options.get("deleted")}
    ignored = {name: profile.samples for name, profile in draft.columns.items() if name not in read}
    order = (
        "path",
        "format",
        "template",
        "encoding",
        "csv",
        "sheet",
        "header_row",
        "mode",
        "deleted",
        "repeats",
        "decimal",
        "thousands",
        "nulls",
    )
    options = {key: draft.options[key] for key in order if key in draft.options}
    asked = {question.id: question for question in draft.questions}
    return Proposal(
        source=draft.source,
        place=draft.part.place,
        entity=draft.entity,
        confidence=confidence,
        runner_up=runner_up,
        rows=draft.part.rows.height,
        columns=column_proposals(draft),
        options=options,
        ignored=ignored,
        questions=tuple(asked.values()),
        said=tuple(draft.said),
    )


def _tell_names(draft: Draft) -> None:
    """References that hold names, not ids: identity resolves them."""
    for canonical in ("owner_id", "account_id", "manager_id"):
        profile = draft.profile_of(canonical)
        if profile is None or canonical in ENTITIES[draft.entity].key() or not len(profile.distinct):
            continue
        if profile.distinct.str.contains(r"\s|[\u4e00-\u9fff]|@").mean() > 0.5:  # type: ignore[operator]
            draft.note("by_name", canonical=canonical, column=profile.name)
        several = [value for value in profile.distinct if {part.strip() for part in value.split(";")} - {value, ""}]
        if several:
            draft.note("several_in_one", canonical=canonical, column=profile.name, sample=several[0])


def _slug(part: Part) -> str:
    stem = f"{part.path.stem}_{part.table.sheet}" if part.table.sheet else part.path.stem
    return re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_") or "source"


def _free(name: str, taken: frozenset[str]) -> str:
    return name if name not in taken else next(f"{name}_{at}" for at in range(2, 999) if f"{name}_{at}" not in taken)

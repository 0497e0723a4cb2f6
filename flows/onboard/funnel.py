"""The stages that an export names: which are known, which are new, in which order, and which of them end a deal."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.config.stages import Stages
from flows.onboard.concepts import ENDS, concept_of, stated_end
from flows.onboard.proposal import Answers
from flows.onboard.spellings import Spelling
from flows.onboard.vocabulary import vocabulary, word_key
from flows.onboard.wording import Question, Said

_NUMBER = re.compile(r"\d{1,3}")
_CERTAIN, _LIKELY = 0.95, 0.75
_HAN = re.compile("[\u4e00-\u9fff]")
QUARANTINE = "quarantine"
"""Answer to a word that is a slip: its rows are set aside until somebody mends them."""


@dataclass
class Funnel:
    """What is proposed for ``stages.yaml``.

    Attributes:
        keys: stage key by spelling, for all spellings that are settled.
        new: stages that do not exist yet, in order, as ``stages.yaml`` writes them.
        aliases: spellings to add to existing stages.
        confidence: by stage key.
        before: the existing stage before which a new one belongs, by its key.
        questions: what is open.
        said: what was assumed.
    """

    keys: dict[str, str] = field(default_factory=dict)
    new: list[dict[str, Any]] = field(default_factory=list)
    aliases: dict[str, list[str]] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)

    def category(self, spelling: str, existing: Stages | None) -> str:
        """open, won or lost."""
        key = self.keys.get(spelling, "")
        ends = {stage["key"]: stage.get("closed") for stage in self.new}
        ends.update({stage.key: stage.closed for stage in existing.stages} if existing else {})
        return ends.get(key) or "open"


def settle_funnel(found: list[Spelling], existing: Stages | None, answers: Answers) -> Funnel:
    """Give every spelling its stage: an existing one, or a new one whose place in the order is known; else ask."""
    funnel = Funnel()
    known = {word_key(spelling): key for spelling, key in existing.by_spelling.items()} if existing else {}
    unsettled = []
    for spelling in found:
        if existing and spelling.text.casefold() in {text.casefold() for text in existing.by_spelling}:
            by_text = {text.casefold(): key for text, key in existing.by_spelling.items()}
            funnel.keys[spelling.text] = by_text[spelling.text.casefold()]
        elif word_key(spelling.text) in known:
            _alias(funnel, spelling.text, known[word_key(spelling.text)])
        else:
            unsettled.append(spelling)
    concepts = _concepts(existing)
    fresh: list[tuple[Spelling, str, float]] = []
    for spelling in sorted(unsettled, key=_sort_key):
        _settle_one(spelling, existing, concepts, answers, funnel, fresh)
    _add_new(fresh, existing, answers, funnel, found)
    return funnel


def _settle_one(
    spelling: Spelling,
    existing: Stages | None,
    concepts: Mapping[str, str],
    answers: Answers,
    funnel: Funnel,
    fresh: list[tuple[Spelling, str, float]],
) -> None:
    answer = answers.get(f"stages.{spelling.text}")
    keys = {stage.key for stage in existing.stages} if existing else set()
    if answer in keys:
        _alias(funnel, spelling.text, str(answer))
    elif answer in ("open", *ENDS):
        fresh.append((spelling, str(answer), 1.0))
    elif answer != QUARANTINE:
        end, confidence = _end_of(spelling)
        concept = concept_of(spelling.text)
        known = existing and concept is not None and concept in concepts
        if answer is None and existing and known and end == _closed(existing, concepts[str(concept)]):
            _alias(funnel, spelling.text, concepts[str(concept)])
        elif end is None or answer is not None:  # an answer that names no stage is none
            choices = ("open", *ENDS, QUARANTINE, *sorted(keys - {*ENDS}))
            said = Said("ask_stage", value=spelling.text, count=spelling.count)
            funnel.questions.append(Question(f"stages.{spelling.text}", said, choices))
        else:
            fresh.append((spelling, end, confidence))


def _alias(funnel: Funnel, text: str, key: str) -> None:
    funnel.keys[text] = key
    funnel.aliases.setdefault(key, []).append(text)
    funnel.said.append(Said("stage_alias", spelling=text, key=key))


def _end_of(spelling: Spelling) -> tuple[str | None, float]:
    """The end, or open, and how surely: by what the file says and by the word; None where they differ or are silent."""
    concept = concept_of(spelling.text)
    meant = concept if concept in ENDS or concept is None else "open"
    told = _told_end(spelling)
    if told is not None:
        return (told, 1.0) if meant in (None, told) else (None, 0.0)
    if spelling.probability is None or meant is None or stated_end(spelling.text):
        inside = spelling.probability is not None and 0 < spelling.probability < 1
        return (meant or "open", _CERTAIN if meant in ENDS else _LIKELY) if meant or inside else (None, 0.0)
    fits = {"won": spelling.probability == 1, "lost": spelling.probability == 0, "open": spelling.probability < 1}
    return (meant, _CERTAIN if meant in ENDS else _LIKELY) if fits[meant] else (None, 0.0)


def _told_end(spelling: Spelling) -> str | None:
    """What the file's flags say of all deals in a stage."""
    if spelling.won == 1:
        return "won"
    if spelling.lost == 1:
        return "lost"
    return "open" if spelling.won == 0 and spelling.lost == 0 else None


def _concepts(existing: Stages | None) -> dict[str, str]:
    """Stage key by the concept that one of its spellings means."""
    found: dict[str, str] = {}
    for stage in existing.stages if existing else ():
        for spelling in stage.spellings:
            concept = concept_of(spelling)
            if concept:
                found.setdefault(concept, stage.key)
    return found


def _closed(existing: Stages, key: str) -> str:
    return next((stage.closed or "open" for stage in existing.stages if stage.key == key), "open")


def _ranks(found: Sequence[Spelling]) -> dict[str, float] | None:
    """The place of each in the order, by the first kind of evidence that ranks all of them apart; None where none does.

    The kinds: the number in front of it, its probability, its place among the stages that sales teams know.
    """
    numbers = {spelling.text: _number(spelling.text) for spelling in found}
    chances = {spelling.text: spelling.probability for spelling in found}
    places = {spelling.text: _place(spelling.text) for spelling in found}
    for ranks in (numbers, chances, places):
        known = {text: float(rank) for text, rank in ranks.items() if rank is not None}
        if len(known) == len(found) == len(set(known.values())):
            return known
    return None


def _number(text: str) -> float | None:
    number = _NUMBER.match(re.sub(r"^(?:stage|step|phase|阶段|[\(\[])\s*", "", text.strip(), flags=re.I))
    return float(number[0]) if number else None


def _place(text: str) -> float | None:
    order = [stage["key"] for stage in vocabulary()["stages"]]
    concept = concept_of(text)
    return float(order.index(concept)) if concept else None


def _sort_key(spelling: Spelling) -> tuple[float, float, float, str]:
    """Where it stands in the order that is offered when none is certain."""
    kinds = (_number(spelling.text), spelling.probability, _place(spelling.text))
    number, chance, place = (rank if rank is not None else 1e9 for rank in kinds)
    return (number, chance, place, spelling.text)


def _add_new(
    fresh: list[tuple[Spelling, str, float]],
    existing: Stages | None,
    answers: Answers,
    funnel: Funnel,
    found: list[Spelling],
) -> None:
    open_ones = _in_order(fresh, answers, funnel)
    taken = {text.casefold() for text in existing.by_spelling} if existing else set()
    taken |= {spelling.text.casefold() for spelling, _, _ in fresh}
    ends = [(spelling, end, confidence) for spelling, end, confidence in fresh if end != "open"]
    for spelling, end, confidence in [
        *((s, "open", c) for s, c in open_ones),
        *sorted(ends, key=lambda item: item[1] != "won"),
    ]:
        same = _same(spelling.text, end, funnel)
        if same is None and end in ENDS and existing:
            same_key = next((stage.key for stage in existing.stages if stage.closed == end), None)
            if same_key:
                _alias(funnel, spelling.text, same_key)
                continue
        if same is not None:
            same.setdefault("aliases", []).append(spelling.text)
            funnel.keys[spelling.text] = same["key"]
            continue
        own = {other.text.casefold() for other, its_end, _ in ends if its_end == end} | {spelling.text.casefold()}
        stage = _stage(spelling, end, taken - own, of_several=len(own) > 1)
        taken |= {str(stage[name]).casefold() for name in ("key", "name_en", "name_zh")}
        funnel.new.append(stage)
        funnel.keys[spelling.text] = stage["key"]
        funnel.confidence[stage["key"]] = confidence
        following = _following(spelling, existing) if end == "open" else None
        if following:
            funnel.before[stage["key"]] = following
    if not existing and found and not funnel.questions:
        _complete_ends(funnel)
    if funnel.new:
        funnel.said.append(Said("stage_order", stages=" > ".join(_shown(stage, funnel) for stage in funnel.new)))


def _following(spelling: Spelling, existing: Stages | None) -> str | None:
    """The first existing open stage that sales teams place after this one."""
    order = [stage["key"] for stage in vocabulary()["stages"]]
    concept = concept_of(spelling.text)
    if concept is None or existing is None:
        return None
    later = {
        key: order.index(found)
        for found, key in _concepts(existing).items()
        if order.index(found) > order.index(concept)
    }
    return next((stage.key for stage in existing.stages if stage.key in later and stage.closed is None), None)


def _complete_ends(funnel: Funnel) -> None:
    """A funnel ends in won and lost; a file in which no deal has got there yet does not name them."""
    for known in vocabulary()["stages"]:
        end = known.get("closed")
        if end and not any(stage.get("closed") == end for stage in funnel.new):
            funnel.new.append(_named(end, known["name_en"], known["name_zh"], end, []))


def _in_order(
    fresh: list[tuple[Spelling, str, float]], answers: Answers, funnel: Funnel
) -> list[tuple[Spelling, float]]:
    """The open ones as they follow each other: as a person says, or as one kind of evidence ranks them; else ask."""
    open_ones = [(spelling, confidence) for spelling, end, confidence in fresh if end == "open"]
    stated = answers.get("stages.order")
    if stated:
        wanted = [text.strip() for text in stated.split(">")]
        open_ones.sort(key=lambda pair: wanted.index(pair[0].text) if pair[0].text in wanted else len(wanted))
    elif len(open_ones) > 1 and (ranks := _ranks([spelling for spelling, _ in open_ones])):
        open_ones.sort(key=lambda pair: ranks[pair[0].text])
    elif len(open_ones) > 1:
        said = Said("ask_stage_order")
        names = tuple(spelling.text for spelling, _ in open_ones)
        funnel.questions.append(Question("stages.order", said, (), (" > ".join(names),)))
    return open_ones


def _same(text: str, end: str, funnel: Funnel) -> dict[str, Any] | None:
    """The new stage that a spelling belongs to: there is one of each end, and case alone makes no other stage."""
    if end in ENDS:
        return next((stage for stage in funnel.new if stage.get("closed") == end), None)
    key = next((key for other, key in funnel.keys.items() if other.casefold() == text.casefold()), None)
    return next((stage for stage in funnel.new if stage["key"] == key), None)


def _stage(spelling: Spelling, end: str, others: set[str], *, of_several: bool) -> dict[str, Any]:
    """A stage as ``stages.yaml`` writes it; none of its names is one that ``others`` have taken."""
    text = spelling.text
    concept = concept_of(text) if end == "open" else end
    known = next((stage for stage in vocabulary()["stages"] if stage["key"] == concept), None)
    key = _free(concept or _slug(text) or "stage", others)
    plain = re.sub(r"\s*[\(（][^()（）]*[\)）]\s*$", "", text)
    own = {"en": "" if of_several or _HAN.search(text) else plain, "zh": plain if _HAN.search(text) else ""}
    own["zh"] = "" if of_several else own["zh"]
    names = {
        language: next(
            name
            for name in (own[language], known[f"name_{language}"] if known else plain, plain, text)
            if name and name.casefold() not in others
        )
        for language in ("en", "zh")
    }
    stage = _named(key, names["en"], names["zh"], end, [] if text in names.values() else [text])
    if end == "open" and known and "category" in known:
        stage["forecast_category"] = known["category"]
    if end == "open" and spelling.probability is not None and 0 < spelling.probability < 1:
        stage["default_win_probability"] = round(spelling.probability, 4)
    return stage


def _named(key: str, name_en: str, name_zh: str, end: str, aliases: list[str]) -> dict[str, Any]:
    stage: dict[str, Any] = {"key": key, "name_en": name_en, "name_zh": name_zh}
    if aliases:
        stage["aliases"] = aliases
    if end in ENDS:
        stage["closed"] = end
        stage["forecast_category"] = "closed" if end == "won" else "omitted"
    return stage


def _free(key: str, taken: set[str]) -> str:
    return key if key not in taken else next(f"{key}_{at}" for at in range(2, 99) if f"{key}_{at}" not in taken)


def _slug(text: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return re.sub(r"^[0-9_]+", "", words)


def _shown(stage: Mapping[str, Any], funnel: Funnel) -> str:
    """As the export writes it, and how it ends."""
    end = f" ({stage['closed']})" if stage.get("closed") else ""
    written = next((text for text, key in funnel.keys.items() if key == stage["key"]), stage["name_en"])
    return f"{written}{end}"

"""The stages that an export names: which are known, which are new, in which order, and which of them end a deal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import polars as pl

from flows.config.stages import Stages
from flows.onboard.proposal import Answers, Draft
from flows.onboard.vocabulary import contains_word, vocabulary, word_key
from flows.onboard.wording import Question, Said

_NUMBER = re.compile(r"\d{1,3}")
_CERTAIN, _LIKELY = 0.95, 0.75
_HAN = re.compile("[\u4e00-\u9fff]")
ENDS = ("won", "lost")
QUARANTINE = "quarantine"
"""Answer to a word that is a slip: its rows are set aside until somebody mends them."""


@dataclass
class Spelling:
    """One way in which an export writes a stage.

    Attributes:
        text: as written.
        count: rows with it.
        probability: usual win probability beside it, from 0 to 1; None where the file keeps none.
        won, lost: share of its rows that the file says are won or lost, None where it does not say.
    """

    text: str
    count: int
    probability: float | None = None
    won: float | None = None
    lost: float | None = None


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


def spellings(draft: Draft) -> list[Spelling]:
    """How the draft's stage column writes its stages, with what other columns tell about each."""
    profile = draft.profile_of("stage")
    if profile is None:
        return []
    frame = pl.DataFrame({"stage": profile.text})
    probability = _column(draft, vocabulary()["probability_headers"])
    if probability:
        frame = frame.with_columns(p=_as_share(draft.columns[probability].text))
    for end, headers in (
        ("is_won", ("iswon", "isclosedwon", "won")),
        ("is_closed", ("isclosed", "closed", "isdealclosed")),
    ):
        name = _column(draft, headers)
        if name and draft.columns[name].is_boolean:
            truth = draft.columns[name].text.str.to_lowercase().is_in(["true", "1", "yes", "是", "t"])
            frame = frame.with_columns(truth.alias(end))
    told = (
        frame.drop_nulls("stage")
        .group_by("stage", maintain_order=True)
        .agg(
            pl.len().alias("count"),
            *([pl.col("p").median()] if "p" in frame.columns else []),
            *(pl.col(end).mean() for end in ("is_won", "is_closed") if end in frame.columns),
        )
    )
    found = []
    for row in told.to_dicts():
        won = row.get("is_won")
        lost = row["is_closed"] - (won or 0) if "is_closed" in row and won is not None else None
        found.append(Spelling(str(row["stage"]), row["count"], row.get("p"), won, lost))
    nulls = set(profile.nulls)
    return [spelling for spelling in found if spelling.text not in nulls]


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
        if (
            existing
            and concept is not None
            and concept in concepts
            and (end is None or end == _closed(existing, concepts[concept]))
        ):
            _alias(funnel, spelling.text, concepts[concept])
        elif end is None:
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
    """open, won or lost, and how surely: by what the file says, else by the word; None where neither tells."""
    if spelling.won is not None and spelling.won > _CERTAIN:
        return "won", 1.0
    if spelling.lost is not None and spelling.lost > _CERTAIN:
        return "lost", 1.0
    if spelling.won is not None and spelling.lost is not None and spelling.won + spelling.lost == 0:
        return "open", 1.0
    concept = concept_of(spelling.text)
    if concept in ENDS:
        return concept, _CERTAIN
    if concept is not None or (spelling.probability is not None and 0 < spelling.probability < 1):
        return "open", _LIKELY
    return None, 0.0


@cache
def concept_of(text: str) -> str | None:
    """The stage of sales teams that a spelling means, by its words; None for a strange one."""
    key = word_key(text)
    stages = vocabulary()["stages"]
    words = {word_key(word): stage["key"] for stage in stages for word in (*stage["words"], stage["name_zh"])}
    if key in words:
        return str(words[key])
    ends = [(word, found) for word, found in words.items() if found in ENDS and contains_word(key, word)]
    others = [(word, found) for word, found in words.items() if contains_word(key, word)]
    best = max(ends or others, key=lambda pair: len(pair[0]), default=None)
    if best is None and re.search(r"(^|[^a-z])(won|lost)([^a-z]|$)", text.lower()):
        return "won" if "won" in text.lower() else "lost"
    return str(best[1]) if best else None


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


def _rank(spelling: Spelling) -> float | None:
    """Its place in the order: the number in front of it, its probability, else its place among known stages."""
    number = _NUMBER.match(re.sub(r"^(?:stage|step|phase|阶段|[\(\[])\s*", "", spelling.text.strip(), flags=re.I))
    if number:
        return float(number[0])
    if spelling.probability is not None:
        return 100 * spelling.probability
    order = [stage["key"] for stage in vocabulary()["stages"]]
    concept = concept_of(spelling.text)
    return order.index(concept) if concept else None


def _sort_key(spelling: Spelling) -> tuple[float, float, str]:
    order = [stage["key"] for stage in vocabulary()["stages"]]
    concept = concept_of(spelling.text)
    rank = _rank(spelling)
    return (rank if rank is not None else 1e9, order.index(concept) if concept else 99, spelling.text)


def _add_new(
    fresh: list[tuple[Spelling, str, float]],
    existing: Stages | None,
    answers: Answers,
    funnel: Funnel,
    found: list[Spelling],
) -> None:
    open_ones = [(spelling, confidence) for spelling, end, confidence in fresh if end == "open"]
    stated = answers.get("stages.order")
    if stated:
        wanted = [text.strip() for text in stated.split(">")]
        open_ones.sort(key=lambda pair: wanted.index(pair[0].text) if pair[0].text in wanted else len(wanted))
    elif len(open_ones) > 1 and not _is_ordered([spelling for spelling, _ in open_ones]):
        said = Said("ask_stage_order")
        names = tuple(spelling.text for spelling, _ in open_ones)
        funnel.questions.append(Question("stages.order", said, (), (" > ".join(names),)))
    taken = {stage.key for stage in existing.stages} if existing else set()
    ends = [(spelling, end, confidence) for spelling, end, confidence in fresh if end != "open"]
    for spelling, end, confidence in [
        *((s, "open", c) for s, c in open_ones),
        *sorted(ends, key=lambda item: item[1] != "won"),
    ]:
        same = next((stage for stage in funnel.new if stage.get("closed") == end), None)
        if same is None and end in ENDS and existing:
            same_key = next((stage.key for stage in existing.stages if stage.closed == end), None)
            if same_key:
                _alias(funnel, spelling.text, same_key)
                continue
        if same is not None:
            same.setdefault("aliases", []).append(spelling.text)
            funnel.keys[spelling.text] = same["key"]
            continue
        stage = _stage(spelling, end, taken)
        taken.add(stage["key"])
        funnel.new.append(stage)
        funnel.keys[spelling.text] = stage["key"]
        funnel.confidence[stage["key"]] = confidence
        following = _following(spelling, existing) if end == "open" else None
        if following:
            funnel.before[stage["key"]] = following
    if not existing and found and not funnel.questions:
        _complete_ends(funnel)
    if funnel.new:
        funnel.said.append(Said("stage_order", stages=" > ".join(_shown(stage) for stage in funnel.new)))


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


def _is_ordered(found: list[Spelling]) -> bool:
    """Whether one kind of evidence ranks all of them apart."""
    ranks = [_rank(spelling) for spelling in found]
    return None not in ranks and len(set(ranks)) == len(ranks)


def _stage(spelling: Spelling, end: str, taken: set[str]) -> dict[str, Any]:
    concept = concept_of(spelling.text) if end == "open" else end
    known = next((stage for stage in vocabulary()["stages"] if stage["key"] == concept), None)
    key = _free(concept or _slug(spelling.text) or "stage", taken)
    is_chinese = bool(_HAN.search(spelling.text))
    plain = re.sub(r"\s*[\(（][^()（）]*[\)）]\s*$", "", spelling.text)
    name_en = plain if not is_chinese else known["name_en"] if known else plain
    name_zh = plain if is_chinese else known["name_zh"] if known else plain
    stage = _named(key, name_en, name_zh, end, [] if spelling.text in (name_en, name_zh) else [spelling.text])
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


def _shown(stage: Mapping[str, Any]) -> str:
    end = f" ({stage['closed']})" if stage.get("closed") else ""
    return f"{(stage.get('aliases') or [stage['name_en']])[0]}{end}"


def _column(draft: Draft, headers: Any) -> str | None:
    known = {word_key(str(header)) for header in headers}
    return next((name for name in draft.columns if word_key(name) in known), None)


def _as_share(text: pl.Series) -> pl.Series:
    """Probabilities as shares: 25, 25% and 0.25 are one."""
    numbers = text.str.replace_all("[%,\\s]", "").cast(pl.Float64, strict=False)
    return numbers / 100 if (numbers.max() or 0) > 1 else numbers  # type: ignore[operator]

"""What onboarding hands over: the proposed source, the questions that are open, and the answers that were given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.config.settings import Language
from flows.errors import ConfigError
from flows.onboard.looking import Part
from flows.onboard.matching import Match
from flows.onboard.profile import Profile
from flows.onboard.wording import Question, Said


class Answers:
    """Answers as given: ``id=value``. Ids hold names of columns, with any character: they are looked up whole."""

    def __init__(self, given: Sequence[str] = ()) -> None:
        self._given = list(given)
        self._used: set[str] = set()

    def get(self, id_: str) -> str | None:
        """The answer to a question; the last one counts."""
        answer = None
        for text in self._given:
            if text.startswith(f"{id_}="):
                self._used.add(text)
                answer = text[len(id_) + 1 :].strip()
        return answer

    def add(self, id_: str, answer: str) -> None:
        """Note an answer given later."""
        self._given.append(f"{id_}={answer}")

    def check(self) -> None:
        """Refuse answers that nothing asked for: a misspelt one must not be lost.

        Raises:
            ConfigError: naming them.
        """
        unused = [text for text in self._given if text not in self._used]
        if unused:
            raise ConfigError(
                [
                    f"--answer {text!r}: expected source.column=answer, found no such column or question."
                    for text in unused
                ]
            )


@dataclass(frozen=True)
class ColumnProposal:
    """How one of our columns is to be filled.

    Attributes:
        canonical: our column.
        entry: what stands for it in ``sources.yaml``.
        columns: columns of the file that it reads.
        confidence: 1 for a known name whose content fits.
        samples: values of the file.
    """

    canonical: str
    entry: Any
    columns: tuple[str, ...]
    confidence: float
    samples: tuple[str, ...] = ()


@dataclass
class Draft:
    """A proposal in the making: one table, taken for one entity."""

    source: str
    part: Part
    entity: str
    columns: dict[str, Profile]
    answers: Answers
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    nulls: list[str] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def id(self, what: str) -> str:
        """How a question about this source is named."""
        return f"{self.source}.{what}"

    def answer(self, what: str) -> str | None:
        """The answer about ``what``."""
        return self.answers.get(self.id(what))

    def ask(self, what: str, said: Said, choices: Sequence[str] = (), samples: Sequence[str] = ()) -> None:
        """Note what the file does not tell."""
        self.questions.append(Question(self.id(what), said, tuple(choices), tuple(samples)))

    def note(self, code: str, **particulars: Any) -> None:
        """Say what was assumed."""
        self.said.append(Said(code, **particulars))

    def fill(self, canonical: str, column: str, score: float = 1.0) -> None:
        """Fill one of our columns from one of the file's."""
        self.entries[canonical] = {"from": column}
        self.scores[canonical] = score

    def take(self, matches: dict[str, Match]) -> None:
        """Fill what the names of the columns tell."""
        for match in matches.values():
            self.fill(match.canonical, match.column, match.score)

    def constant(self, canonical: str, value: str, why: str) -> None:
        """Fill one of our columns with the same value in every row."""
        self.entries[canonical] = {"value": value}
        self.scores[canonical] = 0.8
        self.note("constant", canonical=canonical, value=value, why=why)

    def column_of(self, canonical: str) -> str | None:
        """The one column of the file that fills one of ours."""
        entry = self.entries.get(canonical, {})
        return entry.get("from")

    def profile_of(self, canonical: str) -> Profile | None:
        """Its profile."""
        column = self.column_of(canonical)
        return self.columns[column] if column else None

    @property
    def used(self) -> set[str]:
        """Columns of the file that something reads."""
        return {name for entry in self.entries.values() for name in _origins(entry)}


@dataclass(frozen=True)
class Proposal:
    """The proposed source for one table of one file, or for several files of the same shape.

    Attributes:
        source: its name in ``sources.yaml``.
        place: the file, and the sheet of a workbook.
        entity: what a row stands for; None where that has to be asked.
        confidence: how surely, from 0 to 1.
        runner_up: the entity that comes next.
        rows: records of the table.
        columns: how our columns are filled.
        options: everything else that stands in the entry.
        ignored: columns that nothing reads, with samples.
        questions: what is open; a proposal with questions is not written.
        said: what was assumed.
    """

    source: str
    place: str
    entity: str | None
    confidence: float
    runner_up: str | None
    rows: int
    columns: tuple[ColumnProposal, ...]
    options: dict[str, Any]
    ignored: dict[str, tuple[str, ...]]
    questions: tuple[Question, ...]
    said: tuple[Said, ...]

    def entry(self) -> dict[str, Any]:
        """The entry of ``sources.yaml``."""
        entry: dict[str, Any] = {"entity": self.entity, **self.options}
        if not self.options.get("template"):
            entry["columns"] = {column.canonical: column.entry for column in self.columns}
        if self.ignored:
            entry["ignore"] = list(self.ignored)
        return entry

    def to_record(self, language: Language) -> dict[str, Any]:
        """The proposal as plain values, fit for JSON."""
        return {
            "source": self.source,
            "place": self.place,
            "entity": self.entity,
            "confidence": round(self.confidence, 2),
            "runner_up": self.runner_up,
            "rows": self.rows,
            "columns": [
                {
                    "column": column.canonical,
                    "from": list(column.columns),
                    "entry": column.entry,
                    "confidence": round(column.confidence, 2),
                    "samples": list(column.samples),
                }
                for column in self.columns
            ],
            "ignored": {name: list(samples) for name, samples in self.ignored.items()},
            "options": self.options,
            "assumed": [{"code": said.code, "text": said.text(language)} for said in self.said],
            "questions": [question_record(question, language) for question in self.questions],
            "entry": self.entry(),
        }


def question_record(question: Question, language: Language) -> dict[str, Any]:
    """A question as plain values, fit for JSON."""
    return {
        "id": question.id,
        "text": question.said.text(language),
        "choices": list(question.choices),
        "samples": list(question.samples),
    }


def column_proposals(draft: Draft) -> tuple[ColumnProposal, ...]:
    """The draft's columns, in the short form that people write."""
    from schemas.registry import ENTITIES

    found = []
    for canonical in ENTITIES[draft.entity].columns():
        if canonical in draft.entries:
            entry = draft.entries[canonical]
            origins = _origins(entry)
            samples = draft.columns[origins[0]].samples if origins else ()
            short = entry["from"] if set(entry) == {"from"} else entry
            found.append(ColumnProposal(canonical, short, origins, draft.scores.get(canonical, 1.0), samples))
    return tuple(found)


def _origins(entry: dict[str, Any]) -> tuple[str, ...]:
    return (entry["from"],) if "from" in entry else tuple(entry.get("concat", ()))

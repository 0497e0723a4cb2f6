"""One onboarding: files in; proposed sources, a funnel, settings where there are none, and open questions out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from flows.config.settings import Language
from flows.config.stages import Stages
from flows.errors import ConfigError, PermanentError
from flows.ingest.readers.batch import FileRefused
from flows.onboard.configuration import defaults_of, new_texts, sources_of, stages_text, with_stages
from flows.onboard.countries import country_named, country_of
from flows.onboard.looking import Part, look
from flows.onboard.proposal import Answers, Proposal, question_record
from flows.onboard.propose import IGNORE, Known, dated_path, propose
from flows.onboard.rehearsal import Rehearsal, rehearse
from flows.onboard.wording import Question, Said

_HAN = re.compile("[\u4e00-\u9fff]")
_HISTORY_OR_DEALS = re.compile("opportunit|deal|pipeline|oppty|商机|销售机会")
_BOOKINGS = ("opportunity", "contract", "line_item")


@dataclass(frozen=True)
class Onboarding:
    """What was found.

    Attributes:
        proposals: one a table.
        refused: files that cannot be read, and why.
        new_stages: stages to add, as ``stages.yaml`` writes them, each with a confidence.
        questions: everything that is open.
        said: what was assumed about the company and its funnel.
        texts: the configuration files that would change; empty while a question is open that they depend on.
        rehearsals: what a night would make of the sources; empty while questions are open.
    """

    proposals: tuple[Proposal, ...]
    refused: tuple[tuple[str, str], ...]
    new_stages: tuple[dict[str, Any], ...]
    questions: tuple[Question, ...]
    said: tuple[Said, ...]
    texts: dict[str, str]
    rehearsals: tuple[Rehearsal, ...]

    def to_record(self, language: Language) -> dict[str, Any]:
        """Everything as plain values, fit for JSON."""
        return {
            "proposals": [proposal.to_record(language) for proposal in self.proposals],
            "refused": [{"file": name, "message": message} for name, message in self.refused],
            "stages": list(self.new_stages),
            "assumed": [{"code": said.code, "text": said.text(language)} for said in self.said],
            "questions": [question_record(question, language) for question in self.questions],
            "files": self.texts,
            "rehearsal": [rehearsal.__dict__ for rehearsal in self.rehearsals],
        }


@dataclass(frozen=True)
class Request:
    """What is to be onboarded, and into what.

    Attributes:
        paths: files.
        folder: configuration folder; it need not exist.
        env: variables that paths of a configuration may use.
        as_of: date of the night that is rehearsed.
        entity, source: what a person says they are; only with a single table.
        options: how to read the files, where a person says so: encoding, delimiter, sheet, header_row.
    """

    paths: tuple[Path, ...]
    folder: Path
    env: Mapping[str, str]
    as_of: date
    entity: str | None = None
    source: str | None = None
    options: Mapping[str, Any] | None = None


class Looked:
    """The tables of the files, looked at once however often questions are answered."""

    def __init__(self, request: Request) -> None:
        self.parts: list[tuple[Part, str | None]] = []
        self.refused: list[tuple[str, str]] = []
        for path, dated in _by_shape(request.paths):
            if not path.is_file():
                raise PermanentError(f"{path}: expected a file, found none. Check the path.")
            try:
                self.parts += [(part, dated) for part in look(path, options=dict(request.options or {}))]
            except FileRefused as refusal:
                self.refused.append((path.name, str(refusal)))
        if request.source and len(self.parts) > 1:
            raise ConfigError(
                [f"--source {request.source}: expected one table, found {len(self.parts)}; name a sheet with --sheet."]
            )

    def in_order(self) -> list[tuple[Part, str | None]]:
        """The tables as given, but what tells most about the funnel first."""
        return sorted(self.parts, key=lambda found: not _HISTORY_OR_DEALS.search(found[0].place.lower()))


def _by_shape(paths: Sequence[Path]) -> Iterator[tuple[Path, str | None]]:
    """Files that differ only by the date in their name are one source; the newest is looked at."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(dated_path(path.resolve()) or str(path.resolve()), []).append(path)
    for pattern, members in groups.items():
        yield max(members, key=lambda path: path.name), pattern if len(members) > 1 else None


def onboard(request: Request, looked: Looked, answers: Answers) -> Onboarding:
    """Propose a source for every table.

    Args:
        request: what is to be onboarded.
        looked: its tables.
        answers: what a person has said so far.
    """
    company = _Company(request, looked, answers)
    sources = sources_of(request.folder)
    stages = stages_text(request.folder)
    changed = False
    known = Known(
        defaults=defaults_of(request.folder),
        sources=frozenset(sources),
        stages=_stages(stages),
        zone=company.zone,
        currency=company.currency,
    )
    proposals: list[Proposal] = []
    questions: list[Question] = []
    said: list[Said] = []
    new_stages: list[dict[str, Any]] = []
    for part, dated in looked.in_order():
        proposal, funnel = propose(part, known, answers, entity=request.entity, source=request.source, path=dated)
        if proposal.entity is None and answers.get(f"{proposal.source}.entity") == IGNORE:
            continue
        proposals.append(proposal)
        questions += [*proposal.questions, *funnel.questions]
        said += funnel.said
        known = replace(known, sources=known.sources | {proposal.source})
        if not funnel.questions and (funnel.new or funnel.aliases):
            stages, changed = with_stages(stages, funnel), True
            known = replace(known, stages=_stages(stages))
            new_stages += [{**stage, "confidence": funnel.confidence.get(stage["key"], 0.5)} for stage in funnel.new]
    company.settle(proposals)
    open_ = tuple({question.id: question for question in (*questions, *company.questions)}.values())
    texts, rehearsals = {}, []
    blocking = [question for question in open_ if question.id not in _HARMLESS]
    if proposals and not blocking:
        texts = new_texts(request.folder, proposals, stages if changed else None, company.fields())
        rehearsals = rehearse(
            {**_present(request.folder), **texts},
            [proposal.source for proposal in proposals],
            request.env,
            request.as_of,
        )
    return Onboarding(
        proposals=tuple(proposals),
        refused=tuple(looked.refused),
        new_stages=tuple(new_stages),
        questions=open_,
        said=tuple({sentence.text("en"): sentence for sentence in (*said, *company.said)}.values()),
        texts=texts,
        rehearsals=tuple(rehearsals),
    )


_HARMLESS = {"company.name", "company.reporting_currency", "company.country"}
"""Questions that change nothing in what a rehearsal finds."""


def _present(folder: Path) -> dict[str, str]:
    """The configuration as it stands."""
    return (
        {path.name: path.read_text(encoding="utf-8-sig") for path in folder.glob("*.y*ml")} if folder.is_dir() else {}
    )


def _stages(text: str) -> Stages | None:
    return Stages.model_validate(yaml.safe_load(text)) if text.strip() else None


class _Company:
    """The settings, where there are none yet: what the exports tell about the company, and what has to be asked."""

    def __init__(self, request: Request, looked: Looked, answers: Answers) -> None:
        self.questions: list[Question] = []
        self.said: list[Said] = []
        self._answers = answers
        self._is_new = not (request.folder / "settings.yaml").is_file()
        headers = " ".join(name for part, _ in looked.parts for name in part.table.columns)
        self._language = answers.get("company.language") or ("zh" if _HAN.search(headers) else "en")
        self._bookings = "opportunity"
        self._country: str | None = None
        if self._is_new:
            self._name = answers.get("company.name")
            self.zone = answers.get("company.time_zone") or ("Asia/Shanghai" if self._language == "zh" else None)
            self.currency = answers.get("company.reporting_currency") or ("CNY" if self._language == "zh" else None)
        else:
            settings = _present(request.folder)["settings.yaml"]
            data = yaml.safe_load(settings) or {}
            self.zone = data.get("time_zone", "Asia/Shanghai")
            self.currency = data.get("reporting_currency", "CNY")
            self._name = ""

    def settle(self, proposals: Sequence[Proposal]) -> None:
        """Ask for what the exports do not tell, and say what was taken from them."""
        entities = [proposal.entity for proposal in proposals]
        self._bookings = next((name for name in _BOOKINGS if name in entities), "opportunity")
        if not self._is_new:
            return
        if not self._name:
            self.questions.append(Question("company.name", Said("ask_company")))
        stated = _stated_currencies(proposals)
        if self.currency is None and len(stated) == 1:
            self.currency = stated.pop()
            self._tell("reporting_currency", self.currency)
        elif self.currency is None and any(entities):
            said = Said("ask_reporting_currency")
            self.questions.append(
                Question("company.reporting_currency", said, tuple(sorted(stated)) or ("USD", "EUR", "CNY"))
            )
        elif self.currency and not self._answers.get("company.reporting_currency"):
            self._tell("reporting_currency", self.currency)
        if self.zone is None:
            self.zone = "UTC"
        is_asked = any(question.id == "company.time_zone" for proposal in proposals for question in proposal.questions)
        if not self._answers.get("company.time_zone") and not is_asked:
            self._tell("time_zone", self.zone)
        self._settle_country()
        self.said.append(Said("mails_are_files"))

    def _settle_country(self) -> None:
        """Whose public holidays are no working days: as answered, as zone or currency tell; else it is asked."""
        answer = self._answers.get("company.country")
        if answer is not None:
            self._country = country_named(answer)
            return
        zone = self.zone if self._answers.get("company.time_zone") else None
        self._country = country_of(zone, self.currency)
        if self._country is None:
            self.questions.append(Question("company.country", Said("ask_country"), ("US", "DE", "GB", "CN")))
        else:
            self._tell("country", self._country)

    def _tell(self, what: str, value: str) -> None:
        self.said.append(Said("settings_new", what=what, value=value, id=f"company.{what}"))

    def fields(self) -> dict[str, str]:
        """What a new ``settings.yaml`` says; what is asked for stands for itself, as nothing is written until then."""
        return {
            "name": self._name or "?",
            "language": self._language,
            "time_zone": self.zone or "UTC",
            "currency": self.currency or "USD",
            "bookings_from": self._bookings,
            "country": self._country or "US",
        }


def _stated_currencies(proposals: Sequence[Proposal]) -> set[str]:
    """Currencies that the proposals name, as constants or as the values of a currency column."""
    found: set[str] = set()
    for proposal in proposals:
        for column in proposal.columns:
            if column.canonical == "currency" and isinstance(column.entry, dict) and "value" in column.entry:
                found.add(column.entry["value"])
            elif column.canonical == "currency" and isinstance(column.entry, str):
                found.update(column.samples)
    return found

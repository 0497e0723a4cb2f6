"""How an export writes its stages, and what its other columns tell about each of them."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.ingest.headers import header_key
from flows.onboard.proposal import Draft
from flows.onboard.vocabulary import truths, vocabulary, word_key


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


def spellings(draft: Draft) -> list[Spelling]:
    """How the draft's stage column writes its stages, with what other columns tell about each."""
    profile = draft.profile_of("stage")
    if profile is None:
        return []
    frame = pl.DataFrame({"stage": profile.text})
    probability = column_named(draft, vocabulary()["probability_headers"])
    if probability:
        frame = frame.with_columns(p=_as_share(draft.columns[probability].text))
    for end, name in flag_columns(draft).items():
        frame = frame.with_columns(is_true(draft.columns[name].text).alias(end))
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
    flags = [end for end in ("is_won", "is_closed") if end in told.columns]
    # Flags of the deal and not of its stage say nothing about the stage: the outcome column is then a part of it.
    if any(not told[flag].is_in([0.0, 1.0]).all() for flag in flags):
        told = told.drop(flags)
    for row in told.to_dicts():
        won = row.get("is_won")
        lost = row["is_closed"] - (won or 0) if "is_closed" in row and won is not None else None
        found.append(Spelling(str(row["stage"]), row["count"], row.get("p"), won, lost))
    nulls = set(profile.nulls)
    return [spelling for spelling in found if spelling.text not in nulls]


def flag_columns(draft: Draft) -> dict[str, str]:
    """The columns that say of each deal whether it ``is_won`` and whether it ``is_closed``, where there are any."""
    known = (("is_won", ("iswon", "isclosedwon", "won")), ("is_closed", ("isclosed", "closed", "isdealclosed")))
    named = {end: column_named(draft, headers) for end, headers in known}
    return {end: name for end, name in named.items() if name and draft.columns[name].is_boolean}


def is_true(text: pl.Series) -> pl.Series:
    """Which words of a flag mean yes; null where there is none."""
    meant = {word: truths().get(header_key(word) or word) == "true" for word in text.drop_nulls().unique()}
    return text.replace_strict(meant, default=None, return_dtype=pl.Boolean)


def column_named(draft: Draft, headers: Any) -> str | None:
    """The first column of the file that has one of these headers."""
    known = {word_key(str(header)) for header in headers}
    return next((name for name in draft.columns if word_key(name) in known), None)


def _as_share(text: pl.Series) -> pl.Series:
    """Probabilities as shares: 25, 25% and 0.25 are one."""
    numbers = text.str.replace_all("[%,\\s]", "").cast(pl.Float64, strict=False)
    return numbers / 100 if (numbers.max() or 0) > 1 else numbers  # type: ignore[operator]

"""The words that exports write into coded columns, as ``vocabulary.yaml`` lists them, and how they are compared."""

import re
from functools import cache
from importlib import resources
from typing import Any

import yaml

from flows.ingest.headers import header_key

_NUMBERING = re.compile(r"^[\(\[]?(?:stage|step|phase|阶段)?\s*\d{1,3}\s*[\)\].:、\-–_%]*\s*(?=\D)", re.IGNORECASE)
_NO_LETTER = re.compile(r"[\W_]+")


@cache
def vocabulary() -> Any:
    """The content of ``vocabulary.yaml``."""
    text = resources.files("flows.onboard").joinpath("vocabulary.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 (makes nothing but text, lists and mappings)


@cache
def word_key(word: str) -> str:
    """A value as it is compared: as headers are, and without a number in front (``2 - Proposal``)."""
    return _NO_LETTER.sub("", header_key(_NUMBERING.sub("", word.strip()))) or _NO_LETTER.sub("", header_key(word))


@cache
def meanings(entity: str, column: str) -> dict[str, str]:
    """Our word by every known word for it, for a coded column; empty where none are known."""
    values = vocabulary()["values"]
    known = values.get(f"{entity}.{column}", values.get(column, {}))
    return {
        _NO_LETTER.sub("", key): meant for meant, words in known.items() for key in map(header_key, (meant, *words))
    }


@cache
def truths() -> dict[str, str]:
    """``true`` or ``false`` by every known word for it."""
    return {header_key(word) or word: meant for meant in ("true", "false") for word in vocabulary()["booleans"][meant]}


def contains_word(key: str, word: str) -> bool:
    """Whether a compared word stands in a longer one: three letters or more, or two Han characters."""
    return word in key and (len(word) >= 4 or (not word.isascii() and len(word) >= 2))

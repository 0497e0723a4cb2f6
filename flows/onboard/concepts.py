"""What a spelling of a stage means, by its words alone: a stage that sales teams know, an end, or nothing certain."""

import re
import unicodedata
from functools import cache

from flows.onboard.vocabulary import contains_word, vocabulary, word_key

ENDS = ("won", "lost")
_AT_RISK = "risk|warning|风险|预警|挽回|win.?back"


@cache
def concept_of(text: str) -> str | None:
    """The stage of sales teams that a spelling means, by its words; None for a strange one, and for a doubtful one.

    A word that is only a part decides nothing where another part may turn its meaning: ``Qualified out``,
    ``Demo completed``, ``Nearly won`` and ``待成交`` are asked about.
    """
    key = word_key(text)
    stages = vocabulary()["stages"]
    words = {word_key(word): stage["key"] for stage in stages for word in (*stage["words"], stage["name_zh"])}
    if key in words:
        return str(words[key])
    ended = stated_end(text)
    if ended or _is_doubtful(text):
        return ended
    parts = [(word, found) for word, found in words.items() if contains_word(key, word)]
    best = max(parts, key=lambda pair: len(pair[0]), default=None)
    return str(best[1]) if best and best[1] not in ENDS else None


@cache
def stated_end(text: str) -> str | None:
    """Won or lost, where the spelling or a part of it says so outright, with nothing before it that takes it back."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    for end, words in vocabulary()["contained_ends"].items():
        for word in words:
            found = re.search(rf"(?<![a-z])(?:{word})(?![a-z'’])" if word.isascii() else word, plain)
            if found and not _is_doubtful(plain[: found.start()]) and not re.search(_AT_RISK, plain):
                return str(end)
    return None


def _is_doubtful(text: str) -> bool:
    """Whether a word may turn the meaning of the others."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return any(
        re.search(rf"(?<![a-z]){word}(?![a-z])", plain) if word.isascii() else word in plain
        for word in vocabulary()["doubts"]
    )

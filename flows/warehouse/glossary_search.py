"""Finding a metric by what a person calls it: its key, its name in either language, or words of its definition."""

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from flows.warehouse.glossary import Metric

_CLOSE = 0.55
"""Share of characters in common from which a name is offered."""


def find(metrics: Sequence[Metric], wanted: str) -> tuple[Metric, ...]:
    """The metrics that ``wanted`` means: one whose key or name it is, else all that have every word of it.

    Words are looked for in names first, then in the whole definition.
    """
    plain = _plain(wanted)
    words = plain.split()
    if not words:
        return ()
    for haystacks in (_names, _definition):
        hits = tuple(metric for metric in metrics if all(word in " ".join(haystacks(metric)) for word in words))
        exact = tuple(metric for metric in hits if plain in _names(metric))
        if exact or hits:
            return exact or hits
    return ()


def nearest(metrics: Sequence[Metric], wanted: str, limit: int = 3) -> tuple[Metric, ...]:
    """The metrics whose key or name looks most like ``wanted``, the most similar first.

    None where none is near; what is much less near than the first is left out.
    """
    plain = _plain(wanted)
    ranked = sorted(((_likeness(metric, plain), metric) for metric in metrics), key=lambda pair: pair[0], reverse=True)
    least = max(_CLOSE, 0.8 * ranked[0][0][0]) if ranked else _CLOSE
    return tuple(metric for (likeness, _), metric in ranked[:limit] if likeness >= least)


def _likeness(metric: Metric, plain: str) -> tuple[float, float]:
    """How much of a name, or of its part that is most like ``plain``, is the same; then how much of a whole name.

    覆盖律 is near 总目标覆盖率, and nearer to 覆盖率.
    """
    names = _names(metric)
    parts = {name[start : start + len(plain)] for name in names for start in range(len(name))}
    return max(_ratio(plain, part) for part in {*parts, *names}), max(_ratio(plain, name) for name in names)


def _ratio(plain: str, part: str) -> float:
    return SequenceMatcher(a=plain, b=part, autojunk=False).ratio()


def _names(metric: Metric) -> tuple[str, ...]:
    return _plain(metric.key), _plain(metric.name.en), _plain(metric.name.zh)


def _definition(metric: Metric) -> tuple[str, ...]:
    texts = (metric.formula, metric.grain, metric.null_rule)
    return (
        *_names(metric),
        *(_plain(said) for text in texts for said in (text.en, text.zh)),
        *map(_plain, metric.marts),
    )


def _plain(text: str) -> str:
    """Full-width and half-width, upper and lower case, underscores and blanks written one way."""
    return " ".join(re.sub(r"[_\s]+", " ", unicodedata.normalize("NFKC", text)).casefold().split())

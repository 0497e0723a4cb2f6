"""Geometry of the drawings on the page: gauges, bars and the funnel as SVG coordinates. Numbers in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import cos, pi, sin

GAUGE_FULL = 1.0
"""Attainment at the right end of a gauge; what lies beyond is drawn there."""


@dataclass(frozen=True)
class Gauge:
    """A half circle of radius 80 round (100, 100).

    Attributes:
        track, fill: paths of the whole arc and of the part that is attained; the latter empty at 0.
        tick: ends of the mark that shows how much of the period has passed; None where unknown.
        tone: good, warn or bad, by the pace; none without a target.
    """

    track: str
    fill: str
    tick: tuple[float, float, float, float] | None
    tone: str


def gauge(attainment: float | None, elapsed: float | None, tone: str) -> Gauge:
    """Attainment as an arc, with a tick where it would stand on an even pace."""
    reached = min(max(attainment or 0.0, 0.0), GAUGE_FULL)
    tick = None
    if elapsed is not None:
        inner, outer = _point(elapsed, 68), _point(elapsed, 92)
        tick = (*inner, *outer)
    return Gauge(track=_arc(GAUGE_FULL), fill=_arc(reached) if reached else "", tick=tick, tone=tone)


def tone_of(pace_index: float | None) -> str:
    """Colour of a figure: on pace, behind, far behind, or no pace to speak of."""
    if pace_index is None:
        return "none"
    return "good" if pace_index >= 0.95 else "warn" if pace_index >= 0.75 else "bad"


def bar_width(part: Decimal | float | None, whole: Decimal | float | None, full: float = 100.0) -> float:
    """Length of a bar, 0 to ``full``; 0 where either is missing."""
    if part is None or not whole or whole < 0:
        return 0.0
    return round(min(max(float(part) / float(whole), 0.0), 1.0) * full, 2)


@dataclass(frozen=True)
class Band:
    """One stage of the funnel: ``points`` of a trapezium within 320 × 44, centred, tapering to the next stage."""

    points: str


def funnel_bands(values: Sequence[int], width: float = 320, height: float = 44) -> list[Band]:
    """Bands as wide as their values; an empty stage keeps a sliver, so that the order stays visible."""
    most = max(values, default=0) or 1
    halves = [max(value / most, 0.02) * width / 2 for value in values]
    bands = []
    for place, half in enumerate(halves):
        following = halves[place + 1] if place + 1 < len(halves) else half
        lower = (half + following) / 2
        middle = width / 2
        corners = ((middle - half, 0), (middle + half, 0), (middle + lower, height), (middle - lower, height))
        bands.append(Band(" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)))
    return bands


def _point(share: float, radius: float) -> tuple[float, float]:
    angle = pi * (1 - min(max(share, 0.0), GAUGE_FULL) / GAUGE_FULL)
    return round(100 + radius * cos(angle), 2), round(100 - radius * sin(angle), 2)


def _arc(share: float) -> str:
    x, y = _point(share, 80)
    return f"M20,100 A80,80 0 0 1 {x},{y}"

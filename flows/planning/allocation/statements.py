"""What a plan version states, as whole units: a year's target of a node, a cell set by hand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from flows.config.fiscal import MONTHS_OF, FiscalCalendar
from flows.config.plan.metrics import PlanMetric
from flows.config.plan.model import Pin, Target
from flows.config.plan.versions import PlanVersion
from flows.errors import ConfigError

HUNDRED = 100
Kind = Literal["base", "stretch"]


@dataclass(frozen=True)
class Stated:
    """An amount that a node is to have over the fiscal months ``first`` to ``last`` (from 0, both included).

    Attributes:
        base: in hundredths.
        stretch: in hundredths; None where none is stated.
        is_target: a target of its own, with a season; otherwise a cell set by hand, or one that follows from those.
        period: as the plan names it, for messages.
    """

    node: str
    first: int
    last: int
    base: int
    stretch: int | None
    is_target: bool
    period: str

    @property
    def place(self) -> str:
        """How a message names it."""
        return f"{self.node} {self.period}"


@dataclass
class Faults:
    """Everything that is wrong with the amounts of a version, found before the first is reported.

    Attributes:
        where: file and version.
        found: one line each: where, what was expected, what was found, what to do.
        about: the same without the version: what it is about, and the rest.
    """

    where: str
    found: list[str]
    about: list[tuple[str, str]] = field(default_factory=list)

    def add(self, place: str, text: str) -> None:
        """Note a fault once."""
        if (place, text) not in self.about:
            self.about.append((place, text))
            self.found.append(f"{self.where}.{place}: {text}")


class AmountsRefused(ConfigError):
    """Amounts of a version cannot hold.

    Attributes:
        about: of each fault what it is about, and what was expected and found.
    """

    def __init__(self, faults: Faults) -> None:
        self.about = tuple(faults.about)
        super().__init__(faults.found)


def hundredths(amount: Decimal) -> int:
    """Exact hundredths of an amount of two places."""
    return int(amount.scaleb(2))


def stated_targets(
    version: PlanVersion, metric: PlanMetric, currency: str, blends: Mapping[str, Decimal], faults: Faults
) -> list[Stated]:
    """The annual targets of one metric; parts by segment add up where the whole is not stated.

    Args:
        version: as resolved.
        metric: whose targets.
        currency: reporting currency, in which the statements are.
        blends: base by node, where a target leaves it to its proposals; in the reporting currency.
        faults: what cannot hold is noted here.
    """
    found: dict[str, list[Target]] = {}
    for target in version.whole.targets:
        if target.metric == metric.key:
            found.setdefault(target.node, []).append(target)
    statements = []
    for node, targets in found.items():
        whole = [target for target in targets if target.segment is None] or targets
        amounts = [
            amount for one in whole if (amount := _amounts(version, one, metric, currency, blends, faults)) is not None
        ]
        if len(amounts) < len(whole):
            continue
        if len(amounts) > 1 and not metric.is_additive:
            text = "rates of several segments have no sum; state one for the whole"
            faults.add(f"targets[{metric.key}, {node}]", text)
            continue
        base = sum(one for one, _ in amounts)
        stretches = [base if stretch is None else stretch for base, stretch in amounts]
        stretch = sum(stretches) if any(one is not None for _, one in amounts) else None
        statements.append(Stated(node, 0, 11, base, stretch, is_target=True, period="year"))
    return statements


def stated_pins(version: PlanVersion, metric: PlanMetric, fiscal: FiscalCalendar, faults: Faults) -> list[Stated]:
    """The cells of one metric that are set by hand."""
    found: dict[tuple[str, int, int], Stated] = {}
    for pin in version.whole.pins:
        if pin.metric != metric.key:
            continue
        place = pin_place(pin)
        period = fiscal.named(version.year, pin.period)
        if period is None:
            faults.add(place, f"expected a period of fiscal year {version.year} such as Q3 or M07, found {pin.period}")
            continue
        length = MONTHS_OF[period.kind]
        first = (period.number - 1) * length
        one = Stated(
            pin.node,
            first,
            first + length - 1,
            hundredths(pin.base),
            None if pin.stretch is None else hundredths(pin.stretch),
            is_target=False,
            period=pin.period,
        )
        _check_whole(one, metric, place, faults)
        twin = found.setdefault((one.node, one.first, one.last), one)
        if (twin.base, twin.stretch) != (one.base, one.stretch):
            faults.add(place, f"expected one amount for the period, found another under {twin.period}; keep one")
    return list(found.values())


def pin_place(pin: Pin) -> str:
    """How a message names a cell set by hand."""
    return f"pins[{pin.metric}, {pin.node}, {pin.period}]"


def _amounts(
    version: PlanVersion,
    target: Target,
    metric: PlanMetric,
    currency: str,
    blends: Mapping[str, Decimal],
    faults: Faults,
) -> tuple[int, int | None] | None:
    """Base and stretch of a target in hundredths of the reporting currency; None with a fault noted."""
    place = f"targets[{target.metric}, {target.node}]"
    stated = blends.get(target.node) if target.base is None else target.base
    if stated is None:
        return None  # what the blend has nothing to go by is noted where it is made
    rate = Decimal(1)
    if target.currency not in (None, currency) and target.base is not None:
        if metric.unit != "money":
            faults.add(place, f"expected no currency with a {metric.unit}, found {target.currency}")
            return None
        known = (version.whole.budget_rates or {}).get(str(target.currency))
        if not known:
            faults.add(
                place,
                f"expected budget_rates to say how many {currency} one {target.currency} is, found nothing; add "
                f"`{target.currency}: <rate>` under budget_rates of the version",
            )
            return None
        rate = known
    stretch = target.stretch
    if target.stretch_ratio is not None:
        if stretch is not None:
            faults.add(place, "expected either stretch or stretch_ratio to hold, found both; set the other one to null")
            return None
        stretch = stated * target.stretch_ratio
    step = 2 if metric.unit != "count" else 0
    base, most = _rounded(stated * rate, step), None if stretch is None else _rounded(stretch * rate, step)
    if metric.unit == "count" and stated != base:
        faults.add(place, f"expected a whole count, found {stated}")
        return None
    if most is not None and most < base:
        faults.add(place, f"expected stretch of at least base {base}, found {most}; state both anew")
        return None
    return hundredths(base), None if most is None else hundredths(most)


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _check_whole(one: Stated, metric: PlanMetric, place: str, faults: Faults) -> None:
    if metric.unit == "count" and any(amount % HUNDRED for amount in (one.base, one.stretch or 0)):
        faults.add(place, f"expected a whole count, found {Decimal(one.base).scaleb(-2)}")


def metrics_stated(version: PlanVersion) -> list[str]:
    """Metrics that the version has targets or hand-set cells of, in order of their names."""
    stated: Iterable[Target | Pin] = (*version.whole.targets, *version.whole.pins)
    return sorted({one.metric for one in stated})

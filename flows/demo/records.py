"""What surrounds the deals: leads, activities, contracts, instalments, requirements, objections.

Everything is made once for a chunk of deals; a night's export shows the part that had happened by then.
"""

from dataclasses import dataclass, replace

import numpy as np

from flows.demo import vocabulary as words
from flows.demo.calendar import Floats, Ints, WorkingTime
from flows.demo.deals import Deals, bad_quarter, pick

NOT_YET = 10.0**9
LEAD_BASED = 0.8
UNCONVERTED, UNCONVERTED_IN_BAD_QUARTER = 1.4, 3.6


@dataclass(frozen=True)
class Leads:
    """One entry a lead, in order of creation. ``deal`` is the deal it became or is like; ``converted`` may be never."""

    deal: Ints
    created: Floats
    touched: Floats
    converted: Floats
    quality: Ints


@dataclass(frozen=True)
class Activities:
    """One entry an activity."""

    deal: Ints
    at: Floats
    kind: Ints
    minutes: Ints


@dataclass(frozen=True)
class Contracts:
    """One entry a deal, used from the moment the deal reaches the contract stage."""

    signed: Floats
    cost_share: Floats
    terms: Ints
    delivery: Ints
    main_terms: Ints
    pays_late: Ints
    service_share: Floats


@dataclass(frozen=True)
class Findings:
    """Requirements or objections: one entry each, with the deal, the moment, the stage and what was found."""

    deal: Ints
    at: Floats
    stage: Ints
    kind: Ints
    text: Ints
    answer: Ints


@dataclass(frozen=True)
class Records:
    """All records around one chunk of deals."""

    leads: Leads
    activities: Activities
    contracts: Contracts
    requirements: Findings
    objections: Findings


def surround(rng: np.random.Generator, time: WorkingTime, deals: Deals) -> Records:
    """Make all records around the deals of a chunk."""
    return Records(
        _leads(rng, time, deals),
        _activities(rng, time, deals),
        _contracts(rng, deals),
        _findings(rng, deals, 0, 0.6, (0.4, 0.2, 0.25, 0.15), len(words.REQUIREMENT_TEXTS), len(words.SOLUTIONS)),
        _answered(
            rng,
            deals,
            _findings(
                rng, deals, 2, 0.5, words.OBJECTION_SHARE, len(words.PAIN_POINTS), len(words.OBJECTION_RESPONSES)
            ),
        ),
    )


def _leads(rng: np.random.Generator, time: WorkingTime, deals: Deals) -> Leads:
    """Four of five deals began as a lead; each has unconverted siblings, many more in the south's bad quarter."""
    count = deals.count
    began = np.maximum(deals.created - 6 * rng.exponential(size=count), 0.01)
    based = rng.random(count) < LEAD_BASED
    start, end = bad_quarter(time)
    bad = (deals.region == words.SOUTH) & (began >= start) & (began < end)
    siblings = rng.poisson(np.where(bad, UNCONVERTED_IN_BAD_QUARTER, UNCONVERTED))
    alike = np.repeat(np.arange(count), siblings)
    near = np.clip(began[alike] + rng.uniform(-10, 10, len(alike)), 0.01, time.end - 0.01)
    # A sibling stays in its own quarter of the story: the drop begins and ends with the quarter.
    near = np.where(bad[alike], np.clip(near, start + 0.01, end - 0.01), near)
    deal = np.concatenate([np.flatnonzero(based), alike])
    created = np.concatenate([began[based], near])
    converted = np.concatenate([deals.created[based], np.full(len(alike), NOT_YET)])
    patience = rng.exponential(size=len(deal)) * 1.2
    touched = np.where(
        converted < NOT_YET, created + (converted - created) * np.minimum(patience / 6, 1), created + patience
    )
    touched = np.where((converted >= NOT_YET) & (rng.random(len(deal)) < 0.15), NOT_YET, touched)
    good = (rng.random(len(deal)) + (converted < NOT_YET) * 0.25) * 3
    quality = np.clip(2 - good.astype(np.int64), 0, 2)
    order = np.argsort(created, kind="stable")
    return Leads(deal[order], created[order], touched[order], converted[order], quality[order])


def _activities(rng: np.random.Generator, time: WorkingTime, deals: Deals) -> Activities:
    """About three activities a deal, spread over its life."""
    last = deals.lasts
    closed = deals.event_stage[last] >= words.WON
    end = np.where(closed, deals.event_at[last], np.minimum(time.end, deals.created + 90))
    number = rng.poisson(2 + np.minimum((end - deals.created) / 40, 2.0))
    deal = np.repeat(np.arange(deals.count), number)
    at = deals.created[deal] + (end - deals.created)[deal] * rng.random(len(deal))
    kind = pick(rng, (0.35, 0.3, 0.18, 0.1, 0.07), len(deal))
    return Activities(deal, at, kind, rng.integers(1, 13, len(deal)) * 5)


def _contracts(rng: np.random.Generator, deals: Deals) -> Contracts:
    last = deals.lasts
    count = deals.count
    won = deals.event_stage[last] == words.WON
    delay = np.where(rng.random(count) < 0.7, 0.0, 4 * rng.random(count))
    return Contracts(
        np.where(won, deals.event_at[last] + delay, NOT_YET),
        np.round(0.5 + 0.25 * rng.random(count), 4),
        pick(rng, words.PAYMENT_SHARE, count),
        rng.integers(0, len(words.DELIVERY_TERMS), count),
        rng.integers(0, len(words.MAIN_TERMS), count),
        np.where(rng.random(count) < 0.3, rng.integers(5, 90, count), rng.integers(-5, 4, count)),
        np.where(rng.random(count) < 0.45, np.round(0.1 + 0.2 * rng.random(count), 2), 0.0),
    )


def _findings(
    rng: np.random.Generator,
    deals: Deals,
    from_stage: int,
    share: float,
    kinds: tuple[float, ...],
    texts: int,
    answers: int,
) -> Findings:
    """One finding for a share of the deals, raised when the deal first reaches ``from_stage`` or a later open one."""
    reached = np.flatnonzero((deals.event_stage >= from_stage) & (deals.event_stage < words.WON))
    deal, first = np.unique(deals.event_deal[reached], return_index=True)
    kept = rng.random(len(deal)) < share
    deal, place = deal[kept], reached[first[kept]]
    count = len(deal)
    return Findings(
        deal,
        deals.event_at[place] + 0.5 * rng.random(count),
        deals.event_stage[place],
        pick(rng, kinds, count),
        rng.integers(0, texts, count),
        rng.integers(0, answers, count),
    )


def _answered(rng: np.random.Generator, deals: Deals, objections: Findings) -> Findings:
    """One answer works better than the others: it stands more often with deals won, and less with lost ones."""
    outcome = deals.event_stage[deals.lasts][objections.deal]
    chance, other = rng.random(len(outcome)), rng.integers(0, words.ANSWER_THAT_WORKS, len(outcome))
    answer = np.where((outcome == words.WON) & (chance < 0.35), words.ANSWER_THAT_WORKS, objections.answer)
    failed = (outcome == words.LOST) & (answer == words.ANSWER_THAT_WORKS) & (chance < 0.6)
    return replace(objections, answer=np.where(failed, other, answer))

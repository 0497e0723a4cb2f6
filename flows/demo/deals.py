"""The life of every deal, simulated in columns: when it starts, moves, is pushed, re-priced, handed over, won or lost.

All deals of a chunk advance together, one event each per round. The three years are simulated once; what a night's
export shows is the part of each life that had happened by then.
"""

from dataclasses import dataclass, field

import numpy as np

from flows.demo import vocabulary as words
from flows.demo.calendar import Floats, Ints, WorkingTime, month_start, quarter_start
from flows.demo.organisation import Organisation

DWELL = np.array([4.0, 5.4, 6.4, 5.6, 3.5])
"""Typical working days from one event to the next, by stage; pushes and edits make a stage last longer."""
LOST = np.array([0.2, 0.147, 0.12, 0.08, 0.031])
"""Share of events by which a deal is lost, by stage."""
PUSH, EDIT, BACK, SKIP = 0.3, 0.14, 0.03, 0.04
ROUNDS = 30
SEGMENT_DWELL = np.array([0.75, 1.05, 1.5])
SEGMENT_AMOUNT = np.array([11.8, 12.5, 13.2])
SEASON = np.array([0.95, 0.9, 1.15, 1.0, 1.0, 1.05, 0.92, 0.92, 1.1, 0.95, 1.08, 0.98])
FX_FOR_PRICING = np.array([1.0, 7.15, 0.915])
STUCK_STAGE, STUCK_DAYS, STUCK_FACTOR = 2, 60, 1.8
FALLING_DAYS = 170


def pick(rng: np.random.Generator, share: tuple[float, ...], count: int) -> Ints:
    """``count`` draws from a list of shares."""
    edges = np.cumsum(share)[:-1] / sum(share)
    return np.searchsorted(edges, rng.random(count), side="right")


@dataclass
class Deals:
    """One chunk of deals and all their events.

    Deal columns have one entry a deal. Event columns are sorted by deal and moment; the last event of a deal is how it
    stands on the last night. Amounts are hundredths in the deal's currency, dates are epoch days.
    """

    first_number: int
    account: Ints
    region: Ints
    segment: Ints
    industry: Ints
    currency: Ints
    source: Ints
    product: Ints
    seat: Ints
    created: Floats
    event_deal: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    event_at: Floats = field(default_factory=lambda: np.zeros(0))
    event_stage: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    event_amount: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    event_expected: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    event_owner: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    deleted_night: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def count(self) -> int:
        """Number of deals."""
        return len(self.created)

    @property
    def starts(self) -> Ints:
        """Position of each deal's first event."""
        return np.searchsorted(self.event_deal, np.arange(self.count), side="left")

    @property
    def lasts(self) -> Ints:
        """Position of each deal's last event."""
        return np.searchsorted(self.event_deal, np.arange(self.count), side="right") - 1

    def sort(self) -> None:
        """Restore the order of events by deal and moment."""
        order = np.lexsort((self.event_at, self.event_deal))
        for name in ("event_deal", "event_at", "event_stage", "event_amount", "event_expected"):
            setattr(self, name, getattr(self, name)[order])
        if len(self.event_owner):
            self.event_owner = self.event_owner[order]


@dataclass(frozen=True)
class Accounts:
    """Customers of one chunk."""

    first_number: int
    region: Ints
    segment: Ints
    industry: Ints
    currency: Ints
    name: Ints


def make_accounts(rng: np.random.Generator, first_number: int, count: int) -> Accounts:
    """Customers with region, segment, industry and the currency they buy in."""
    region = pick(rng, words.REGION_SHARE, count)
    chance = rng.random(count)
    currency = np.where((region == words.INTERNATIONAL) & (chance < 0.85), 1, 0)
    currency = np.where((region == words.SOUTH) & (chance < 0.12), 2, currency)
    return Accounts(
        first_number,
        region,
        pick(rng, words.SEGMENT_SHARE, count),
        pick(rng, words.INDUSTRY_SHARE, count),
        currency,
        np.arange(first_number, first_number + count),
    )


def simulate(
    rng: np.random.Generator,
    time: WorkingTime,
    organisation: Organisation,
    accounts: Accounts,
    first_number: int,
    count: int,
) -> Deals:
    """Simulate ``count`` deals from their creation to the last night; owners are not settled yet."""
    created = _creation(rng, time, count)
    account = _accounts_of_deals(rng, time, accounts, created)
    region = accounts.region[account]
    segment = accounts.segment[account]
    deals = Deals(
        first_number,
        account,
        region,
        segment,
        accounts.industry[account],
        accounts.currency[account],
        _sources(rng, time, created),
        pick(rng, words.PRODUCT_SHARE, count),
        _seats(rng, organisation, region, created),
        created,
    )
    _live(rng, time, organisation, deals)
    return deals


def _creation(rng: np.random.Generator, time: WorkingTime, count: int) -> Floats:
    """Sorted creation moments: growth of about a sixth a year, a season, no work on days off."""
    end = int(time.end)
    days = np.arange(end)
    month = (time.working[:end].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)) % 12
    weight = SEASON[month] * (1 + 0.16 * days / 250)
    edges = np.concatenate([[0.0], np.cumsum(weight)]) / weight.sum()
    return np.interp(np.sort(rng.random(count)), edges, np.arange(end + 1.0))


def bad_quarter(time: WorkingTime) -> tuple[float, float]:
    """The latest third quarter that has ended by the last night, as working moments."""
    year = time.last.year if time.last.month >= 10 else time.last.year - 1
    start = quarter_start(time.last.replace(year=year, month=7, day=1))
    return float(time.index(start)), float(time.index(month_start(start, 3)))


def _accounts_of_deals(rng: np.random.Generator, time: WorkingTime, accounts: Accounts, created: Floats) -> Ints:
    """The customer of each deal, some much more often than others; fewer of the south in its bad quarter."""
    total = len(accounts.region)
    account = (total * rng.random(len(created)) ** 1.4).astype(np.int64)
    again = (total * rng.random(len(created)) ** 1.4).astype(np.int64)
    start, end = bad_quarter(time)
    fewer = (accounts.region[account] == words.SOUTH) & (created >= start) & (created < end)
    return np.where(fewer & (rng.random(len(created)) < 0.35), again, account)


def _sources(rng: np.random.Generator, time: WorkingTime, created: Floats) -> Ints:
    source = pick(rng, words.SOURCE_SHARE, len(created))
    drop = np.clip((created - (time.end - FALLING_DAYS)) / 60, 0, 0.85)
    fallen = (source == words.FALLING_SOURCE) & (rng.random(len(created)) < drop)
    return np.where(fallen, pick(rng, (0.4, 0.2, 0, 0.2, 0.1, 0.1, 0), len(created)), source)


def _seats(rng: np.random.Generator, organisation: Organisation, region: Ints, created: Floats) -> Ints:
    """The seat of each deal: in the customer's region, not before the seat exists, rarely while its holder is new."""
    count = len(region)
    order = np.argsort(organisation.seat_region, kind="stable")
    sizes = np.bincount(organisation.seat_region, minlength=len(words.REGIONS))
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    started = np.where(organisation.seat_refilled < 1e8, organisation.seat_refilled, organisation.seat_opens)
    seat = np.full(count, -1)
    for _ in range(4):
        drawn = order[first[region] + (sizes[region] * rng.random(count)).astype(np.int64)]
        tenure = created - np.where(created >= started[drawn], started[drawn], organisation.seat_opens[drawn])
        ramp = np.where(started[drawn] > 0, np.clip(0.3 + 0.7 * tenure / 126, 0.3, 1), 1.0)
        accepted = (created >= organisation.seat_opens[drawn]) & (rng.random(count) < ramp)
        piled = (
            (region == words.NORTH)
            & (created > organisation.seat_opens[drawn])
            & (rng.random(count) < 0.32 / sizes[words.NORTH])
        )
        drawn = np.where(piled, organisation.piling_seat, drawn)
        seat = np.where((seat < 0) & (accepted | piled), drawn, seat)
    return np.where(seat < 0, organisation.seat_cover[order[first[region]]], seat)


def _amounts(rng: np.random.Generator, deals: Deals) -> Ints:
    """First amounts in hundredths of the deal's currency, round to the hundred as people quote them."""
    price = np.array([item[3] for item in words.PRODUCTS]) / 160_000
    value = np.exp(SEGMENT_AMOUNT[deals.segment] + 0.4 * rng.standard_normal(deals.count)) * price[deals.product] ** 0.5
    value /= FX_FOR_PRICING[deals.currency]
    cents = np.where(rng.random(deals.count) < 0.1, np.round(value * 100), np.round(value / 100) * 10_000)
    return np.maximum(cents, 100_000).astype(np.int64)


def _live(rng: np.random.Generator, time: WorkingTime, organisation: Organisation, deals: Deals) -> None:
    """Let every deal move until it closes or the last night comes."""
    count = deals.count
    stage = np.zeros(count, np.int64)
    now = deals.created.copy()
    amount = _amounts(rng, deals)
    expected = time.day(now) + (18 + 38 * SEGMENT_DWELL[deals.segment] * (0.6 + rng.random(count))).astype(np.int64)
    drag = SEGMENT_DWELL[deals.segment] * np.where(rng.random(count) < 0.02, 5.0, 1.0)
    skill = organisation.seat_skill[deals.seat]
    piled = (deals.seat == organisation.piling_seat) & (deals.created > time.end - 280)
    events: list[tuple[Ints, Floats, Ints, Ints, Ints]] = []
    alive = np.arange(count)
    events.append((alive, now.copy(), stage.copy(), amount.copy(), expected.copy()))
    quarter_ends = _quarter_ends(time)
    for _ in range(ROUNDS):
        here = stage[alive]
        wait = DWELL[here] * drag[alive] * np.exp(0.7 * rng.standard_normal(len(alive)))
        stuck = (here == STUCK_STAGE) & (now[alive] >= time.end - STUCK_DAYS)
        wait *= np.where(stuck, STUCK_FACTOR, 1.0) * np.where(piled[alive], 2.2, 1.0)
        then = now[alive] + np.maximum(wait, 0.03)
        chance, size = rng.random(len(alive)), rng.random(len(alive))
        losing = LOST[here] * np.where(piled[alive], 0.25, skill[alive])
        pushing = np.where(piled[alive], 0.6, PUSH)
        edges = np.cumsum([losing, pushing, np.full(len(alive), EDIT), np.where(here > 0, BACK, 0.0)], axis=0)
        kind = (chance >= edges).sum(axis=0)  # 0 lost, 1 push, 2 edit, 3 back, 4 advance
        step = np.where(kind == 4, 1 + ((size < SKIP) & (here < 3)), 0) - (kind == 3)
        after = np.where(kind == 0, words.LOST, here + step)
        then = _pull_to_quarter_end(rng, then, now[alive], after == words.WON, quarter_ends)

        happens = then < time.end
        alive, after, kind, then, size = alive[happens], after[happens], kind[happens], then[happens], size[happens]
        if not len(alive):
            break
        today = time.day(then)
        closing = after >= words.WON
        later = np.maximum(expected[alive], today) + (8 + 28 * size).astype(np.int64)
        overtaken = (expected[alive] < today) & (size < 0.6)
        expected[alive] = np.where(closing, today, np.where((kind == 1) | overtaken, later, expected[alive]))
        factor = np.where(kind == 2, 0.75 + 0.4 * size, np.where(closing & (size < 0.3) & (kind == 4), 0.94, 1.0))
        amount[alive] = np.where(factor == 1.0, amount[alive], np.round(amount[alive] * factor / 1000) * 1000)
        stage[alive], now[alive] = after, then
        events.append((alive, then, after, amount[alive], expected[alive]))
        alive = alive[~closing]
    columns = [np.concatenate(column) for column in zip(*events, strict=True)]
    deals.event_deal, deals.event_at, deals.event_stage, deals.event_amount, deals.event_expected = columns
    deals.sort()


def _quarter_ends(time: WorkingTime) -> Floats:
    """The ends of all quarters as working moments."""
    ends, day = [], quarter_start(time.first)
    while day < time.last:
        day = month_start(day, 3)
        ends.append(float(time.index(day)))
    return np.array(ends)


def _pull_to_quarter_end(rng: np.random.Generator, then: Floats, now: Floats, won: np.ndarray, ends: Floats) -> Floats:
    """Some deals that would be signed soon after a quarter's end are signed in its last three days."""
    place = np.searchsorted(ends, then, side="right") - 1
    end = np.where(place >= 0, ends[np.maximum(place, 0)], -1e9)
    pulled = end - 0.05 - 3 * rng.random(len(then))
    chosen = won & (then - end < 8) & (pulled > now + 0.05) & (rng.random(len(then)) < 0.35)
    return np.where(chosen, pulled, then)

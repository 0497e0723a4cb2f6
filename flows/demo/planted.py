"""What is planted into the simulated deals: who wins this quarter, who recovers, which deals are handed over or vanish.

Runs after the simulation and before owners are written into the events.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from flows.demo import vocabulary as words
from flows.demo.calendar import Floats, Ints, WorkingTime, month_start, quarter_start
from flows.demo.deals import Deals
from flows.demo.organisation import NEVER, Organisation

KEPT_BY_WEAK_TEAM = 0.25
KEPT_BY_RECOVERING = 0.3
SETTLED_EARLIER = 0.9
WINS_A_SEAT = 1.25


@dataclass(frozen=True)
class Nights:
    """The nights that are written, oldest first."""

    dates: tuple[date, ...]
    time: WorkingTime

    def recovery(self) -> int | None:
        """Number of the night on which a rep recovers: the last working day after the first night."""
        worked = [
            number
            for number, night in enumerate(self.dates)
            if number and self.time.index(night) < self.time.index(night.fromordinal(night.toordinal() + 1))
        ]
        return worked[-1] if worked else None


def plant(rng: np.random.Generator, organisation: Organisation, deals: Deals, nights: Nights) -> None:
    """Plant all truths that live in the deals of one chunk, then write owners into every event."""
    settle_before(rng, deals, nights)
    win_early(deals, nights.time)
    top_up(rng, organisation, deals, nights)
    share_out_wins(rng, organisation, deals, nights.time)
    _recover(organisation, deals, nights)
    switched, switch_at = _hand_over(rng, organisation, deals, nights)
    _settle_owners(organisation, deals, switched, switch_at, nights.time)
    _delete(rng, deals, nights)


def share_out_wins(rng: np.random.Generator, organisation: Organisation, deals: Deals, time: WorkingTime) -> None:
    """Deal out the quarter's wins evenly over the seats of each region, but for those who are planted to lag.

    A rep wins a handful of deals a quarter; left to chance, a third of a healthy team would have none.
    """
    lasts = deals.lasts
    quarter = float(time.index(quarter_start(time.last)))
    month = float(time.index(month_start(time.last)))
    won_at = deals.event_at[lasts]
    won = (deals.event_stage[lasts] == words.WON) & (won_at >= quarter)
    started = np.where(organisation.seat_leaves < NEVER, organisation.seat_refilled, organisation.seat_opens)
    for region in range(len(words.REGIONS)):
        seats = np.flatnonzero((organisation.seat_region == region) & (started < quarter))
        seats = rng.permutation(seats[seats != organisation.piling_seat])
        weak = organisation.seat_team[seats] == organisation.weak_team
        chosen = np.flatnonzero(won & (deals.region == region))
        chosen = chosen[np.argsort(won_at[chosen], kind="stable")]
        # Each win goes to the seat that has had least; for those who are to lag a win weighs more.
        weight = np.where(seats == organisation.recovering_seat, 1 / KEPT_BY_RECOVERING, 1.0)
        load = weight - 1
        for deal in chosen.tolist():
            place = int(np.argmin(load))
            deals.seat[deal] = seats[place]
            lags = weak[place] and won_at[deal] >= month
            load[place] += max(weight[place], 1 / KEPT_BY_WEAK_TEAM if lags else 1.0)


def top_up(rng: np.random.Generator, organisation: Organisation, deals: Deals, nights: Nights) -> None:
    """In a small company, let some late losses of the quarter be wins, so that each region has about one win a seat.

    A deal lost from the proposal or the negotiation goes on through the stages left and is won some days later.
    """
    time = nights.time
    quarter, first = float(time.index(quarter_start(time.last))), float(time.index(nights.dates[0]))
    lasts = deals.lasts
    at, stage, before = deals.event_at[lasts], deals.event_stage[lasts], deals.event_stage[lasts - 1]
    inside = at >= quarter
    turned = []
    for region in range(len(words.REGIONS)):
        here = inside & (deals.region == region)
        missing = round(WINS_A_SEAT * np.sum(organisation.seat_region == region)) - np.sum(here & (stage == words.WON))
        able = np.flatnonzero(here & (stage == words.LOST) & np.isin(before, (2, 3)) & (at < first - 4))
        turned.append(rng.permutation(able)[: max(0, missing)])
    deal = np.concatenate(turned)
    last = lasts[deal]
    deals.event_stage[last] = before[deal] + 1
    amount = deals.event_amount[last]
    won_at = at[deal] + 3.5
    _append(deals, deal, won_at, np.full(len(deal), words.WON), amount, time.day(won_at))
    between = before[deal] == 2
    signing = at[deal][between] + 1.5
    _append(deals, deal[between], signing, np.full(len(signing), 4), amount[between], time.day(won_at[between]))
    deals.sort()


def settle_before(rng: np.random.Generator, deals: Deals, nights: Nights) -> None:
    """Move most deals signed in the written nights some days back: these nights' story is the planted one."""
    first = float(nights.time.index(nights.dates[0]))
    lasts = deals.lasts
    signed = deals.event_at[lasts]
    late = (deals.event_stage[lasts] == words.WON) & (signed >= first) & (rng.random(deals.count) < SETTLED_EARLIER)
    earlier = signed - (first - 0.2) + 9 * rng.random(deals.count)
    late &= deals.created - earlier > 0
    shift = np.where(late, earlier, 0.0)
    deals.event_at -= shift[deals.event_deal]
    deals.created = deals.created - shift
    moved = lasts[late]
    deals.event_expected[moved] = nights.time.day(deals.event_at[moved])


def win_early(deals: Deals, time: WorkingTime) -> None:
    """Let a small company win its first deal in the first January of its data at the latest.

    The plan draws lines through the years before, and a year that begins without any result is not known in full.
    """
    latest = float(time.index(date(time.first.year + 1, 2, 1))) - 1
    lasts = deals.lasts
    won = np.flatnonzero(deals.event_stage[lasts] == words.WON)
    if deals.first_number != 1 or not len(won) or deals.event_at[lasts[won]].min() < latest:
        return
    deal = won[np.argmin(deals.event_at[lasts[won]])]
    created, signed = deals.created[deal], deals.event_at[lasts[deal]]
    began = min(created, latest / 2)
    deals.created[deal] = began
    life = deals.event_deal == deal
    deals.event_at[life] = began + (deals.event_at[life] - created) * (latest - began) / (signed - created)
    deals.event_expected[lasts[deal]] = time.day(np.array([latest]))[0]


def _recover(organisation: Organisation, deals: Deals, nights: Nights) -> None:
    """Let the recovering rep win overdue deals on the night of the recovery."""
    night = nights.recovery()
    if night is None:
        return
    time = nights.time
    first = float(time.index(nights.dates[0]))
    closing = float(time.index(nights.dates[night])) + 0.55
    lasts = deals.lasts
    stage, at = deals.event_stage[lasts], deals.event_at[lasts]
    ready = np.flatnonzero(
        (stage >= 1) & (stage < words.WON) & (at < first - 3) & (deals.region == words.EAST) & (deals.currency == 0)
    )
    quarter = float(time.index(quarter_start(time.last)))
    wins = np.sum((stage == words.WON) & (at >= quarter) & (deals.region == words.EAST))
    seats = max(1, int(np.sum(organisation.seat_region == words.EAST)))
    wanted = max(int(deals.first_number == 1), round(0.8 * wins / seats))
    ready = ready[np.argsort(-deals.event_amount[lasts][ready], kind="stable")]
    # From the middle of the list: neither the largest deals of the company nor the smallest.
    chosen = ready[len(ready) // 2 :][:wanted]
    deals.seat[chosen] = organisation.recovering_seat
    amount = deals.event_amount[lasts][chosen]
    signing = np.full(len(chosen), first - 1.5)
    won = closing + 0.3 * np.arange(len(chosen)) / max(1, len(chosen))
    _append(deals, chosen, signing, np.full(len(chosen), 4), amount, time.day(won))
    _append(deals, chosen, won, np.full(len(chosen), words.WON), amount, time.day(won))
    deals.sort()


def _append(deals: Deals, deal: Ints, at: Floats, stage: Ints, amount: Ints, expected: Ints) -> None:
    deals.event_deal = np.concatenate([deals.event_deal, deal])
    deals.event_at = np.concatenate([deals.event_at, at])
    deals.event_stage = np.concatenate([deals.event_stage, stage])
    deals.event_amount = np.concatenate([deals.event_amount, amount])
    deals.event_expected = np.concatenate([deals.event_expected, expected])


def _hand_over(
    rng: np.random.Generator, organisation: Organisation, deals: Deals, nights: Nights
) -> tuple[Ints, Floats]:
    """Deals that change seat within their team between two nights: the new seat (or the old one) and the moment."""
    switched, moment = deals.seat.copy(), np.full(deals.count, NEVER)
    steady = np.zeros(organisation.seats, bool)
    steady[organisation.steady] = True
    steady[[organisation.piling_seat, organisation.recovering_seat]] = False
    lasts = deals.lasts
    first = float(nights.time.index(nights.dates[0]))
    cover = organisation.seat_cover[deals.seat]
    able = (deals.event_stage[lasts] < words.WON) & (deals.event_at[lasts] < first - 1) & steady[deals.seat]
    able &= steady[cover] & (cover != deals.seat)
    candidates = rng.permutation(np.flatnonzero(able))
    each = max(1, round(0.02 * len(candidates)))
    for number, night in enumerate(nights.dates[1:]):
        mine = candidates[number * each : (number + 1) * each]
        switched[mine] = cover[mine]
        moment[mine] = float(nights.time.index(night)) + 0.2
        if nights.time.index(night) == nights.time.index(nights.dates[number]):
            moment[mine] = NEVER
    return switched, moment


def _settle_owners(
    organisation: Organisation, deals: Deals, switched: Ints, switch_at: Floats, time: WorkingTime
) -> None:
    """Add an event wherever a deal changes hands while it is open, and write the owner into every event."""
    lasts = deals.lasts
    closed = np.where(deals.event_stage[lasts] >= words.WON, deals.event_at[lasts], time.end)
    added_deal, added_at = [], []
    for moment in (
        organisation.seat_leaves[deals.seat] + 0.001,
        organisation.seat_refilled[deals.seat] + 0.002,
        switch_at,
    ):
        handed = np.flatnonzero((moment > deals.created) & (moment < closed) & (moment < time.end))
        added_deal.append(handed)
        added_at.append(moment[handed])
    deal, at = np.concatenate(added_deal), np.concatenate(added_at)
    missing = np.full(len(deal), -1)
    _append(deals, deal, at, missing, missing, missing)
    deals.sort()
    for _ in range(len(added_deal)):
        unknown = np.flatnonzero(deals.event_stage < 0)
        for column in (deals.event_stage, deals.event_amount, deals.event_expected):
            column[unknown] = column[unknown - 1]
    seat = np.where(
        deals.event_at >= switch_at[deals.event_deal], switched[deals.event_deal], deals.seat[deals.event_deal]
    )
    deals.event_owner = organisation.holder(seat, deals.event_at)


def _delete(rng: np.random.Generator, deals: Deals, nights: Nights) -> None:
    """A few open deals are deleted in the CRM before each later night: they are missing from then on."""
    deals.deleted_night = np.full(deals.count, len(nights.dates), np.int64)
    lasts = deals.lasts
    first = float(nights.time.index(nights.dates[0]))
    quiet = (deals.event_stage[lasts] < words.WON) & (deals.event_at[lasts] < first - 5)
    candidates = rng.permutation(np.flatnonzero(quiet))
    each = max(1, round(0.005 * len(candidates)))
    for number in range(1, len(nights.dates)):
        deals.deleted_night[candidates[(number - 1) * each : number * each]] = number

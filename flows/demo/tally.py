"""Counting what is true, from the simulation and not from the files written, so that a fault in writing shows."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from flows.demo import vocabulary as words
from flows.demo.calendar import Floats, Ints, WorkingTime, epoch_day, month_start, quarter_start
from flows.demo.deals import STUCK_DAYS, STUCK_STAGE, Deals
from flows.demo.organisation import Organisation
from flows.demo.plan import Wins
from flows.demo.records import Records
from flows.demo.view import View

LONG_SPELL = 20
"""Working days past which a proposal is called stuck."""


class Tally:
    """Counts that add up over the chunks.

    Attributes:
        wins: deals won by the last night.
        history_rows: rows of the stage history of the last night.
        nights: totals by night.
    """

    def __init__(
        self, organisation: Organisation, time: WorkingTime, nights: Sequence[date], rates: list[tuple[str, date, int]]
    ) -> None:
        self.organisation = organisation
        self.time = time
        self.dates = tuple(nights)
        self.nights: list[dict[str, int]] = [{} for _ in nights]
        self.history_rows = 0
        self.wins = Wins(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
        self.quarters = _quarters(time)
        self.leads = np.zeros((2, len(words.REGIONS), len(self.quarters)), np.int64)
        self.sources = np.zeros((len(words.SOURCES), len(self.quarters)), np.int64)
        self.open_by_person = np.zeros(len(organisation.people), np.int64)
        self.advances_by_person = np.zeros(len(organisation.people), np.int64)
        self.proposals = np.zeros((2, 2), np.int64)
        self._rates = rates

    def count(self, deals: Deals, records: Records, now: View) -> None:
        """Add one chunk's share of one night."""
        self._count_night(deals, now)
        if now.number == len(self.dates) - 1:
            self._count_last(deals, records, now)

    def drop_mistyped(self, number: int) -> None:
        """The deal whose amount is unreadable on a night is open, and not among the accepted ones."""
        self.nights[number]["opportunities"] -= 1
        self.nights[number]["open"] -= 1

    def _count_night(self, deals: Deals, now: View) -> None:
        stage, amount = deals.event_stage[now.last], deals.event_amount[now.last]
        currency = deals.currency[now.deals]
        won = stage == words.WON
        counts = {
            "opportunities": len(stage),
            "open": int(np.sum(stage < words.WON)),
            "won": int(won.sum()),
            "lost": int(np.sum(stage == words.LOST)),
            "history_rows": int(now.events.sum()),
        }
        for number, code in enumerate(words.CURRENCIES):
            counts[f"won_hundredths_{code}"] = int(amount[won & (currency == number)].sum())
        if now.number:
            counts |= self._changes(deals, now)
        _add(self.nights[now.number], counts)

    def _changes(self, deals: Deals, now: View) -> dict[str, int]:
        """What happened since the night before, among the deals that are still in the export."""
        before = float(self.time.index(self.dates[now.number]))
        fresh = np.flatnonzero(now.events & (deals.event_at >= before))
        is_first = deals.starts[deals.event_deal[fresh]] == fresh
        moved = fresh[~is_first]
        held = deals.event_stage[moved] == deals.event_stage[moved - 1]
        expected = deals.event_expected[moved] > deals.event_expected[moved - 1]
        return {
            "created": int(is_first.sum()),
            "stage_changes": int(np.sum(~held)),
            "pushes": int(np.sum(held & expected)),
            "amount_edits": int(np.sum(held & (deals.event_amount[moved] != deals.event_amount[moved - 1]))),
            "owner_changes": int(np.sum(deals.event_owner[moved] != deals.event_owner[moved - 1])),
            "deleted": int(np.sum((deals.deleted_night == now.number) & (deals.created < before))),
        }

    def _count_last(self, deals: Deals, records: Records, now: View) -> None:
        self.history_rows += int(now.events.sum())
        won = deals.event_stage[now.last] == words.WON
        deal, last = now.deals[won], now.last[won]
        day = self.time.day(deals.event_at[last])
        value = self._in_cny(deals.event_amount[last], deals.currency[deal], day)
        self.wins = Wins(
            np.concatenate([self.wins.person, deals.event_owner[last]]),
            np.concatenate([self.wins.day, day]),
            np.concatenate([self.wins.value, value]),
        )
        still_open = now.last[deals.event_stage[now.last] < words.WON]
        people = len(self.open_by_person)
        self.open_by_person += np.bincount(deals.event_owner[still_open], minlength=people)
        recent = np.flatnonzero(now.events & (deals.event_at > self.time.end - 125))
        recent = recent[deals.starts[deals.event_deal[recent]] != recent]
        forward = recent[
            (deals.event_stage[recent] > deals.event_stage[recent - 1]) & (deals.event_stage[recent] <= words.WON)
        ]
        self.advances_by_person += np.bincount(deals.event_owner[forward], minlength=people)
        self._count_leads(deals, records, now)
        self._count_proposals(deals, now)

    def _in_cny(self, amount: Ints, currency: Ints, day: Ints) -> Ints:
        """Hundredths of the reporting currency, rounded half up as money is, at the rate that held on the day."""
        rate = np.full(len(amount), 10_000)
        for number, code in enumerate(words.CURRENCIES):
            known = [(epoch_day(start), value) for name, start, value in self._rates if name == code]
            if known:
                starts, values = np.array(known).T
                held = values[np.searchsorted(starts, day, side="right") - 1]
                rate = np.where(currency == number, held, rate)
        return (amount * rate + 5_000) // 10_000

    def _count_leads(self, deals: Deals, records: Records, now: View) -> None:
        leads = records.leads
        seen = leads.created < now.cutoff
        day = self.time.day(leads.created)
        quarter = np.searchsorted([epoch_day(start) for start in self.quarters], day, side="right") - 1
        region = deals.region[leads.deal]
        np.add.at(self.leads[0], (region[seen], quarter[seen]), 1)
        converted = seen & (leads.converted < now.cutoff)
        np.add.at(self.leads[1], (region[converted], quarter[converted]), 1)
        np.add.at(self.sources, (deals.source[leads.deal][seen], quarter[seen]), 1)

    def _count_proposals(self, deals: Deals, now: View) -> None:
        """Spells in the stuck stage that began in its last months, and those a year before: how many lasted long."""
        entered, stayed = _spells(deals, now, STUCK_STAGE, self.time.end)
        for row, start in enumerate((self.time.end - STUCK_DAYS - 250, self.time.end - STUCK_DAYS)):
            chosen = (entered >= start) & (entered < start + STUCK_DAYS - LONG_SPELL)
            self.proposals[row] += [chosen.sum(), (chosen & (stayed > LONG_SPELL)).sum()]


def _add(total: dict[str, int], part: dict[str, int]) -> None:
    for name, value in part.items():
        total[name] = total.get(name, 0) + value


def _quarters(time: WorkingTime) -> list[date]:
    days, day = [], quarter_start(time.first)
    while day <= time.last:
        days.append(day)
        day = month_start(day, 3)
    return days


def _spells(deals: Deals, now: View, stage: int, end: float) -> tuple[Floats, Floats]:
    """Entry and length so far of all stays in a stage."""
    at = np.flatnonzero(now.events)
    deal, place, moment = deals.event_deal[at], deals.event_stage[at], deals.event_at[at]
    begins = np.ones(len(at), bool)
    begins[1:] = (deal[1:] != deal[:-1]) | (place[1:] != place[:-1])
    first = np.flatnonzero(begins)
    leaves = np.full(len(first), end)
    same = deal[first[1:]] == deal[first[:-1]]
    leaves[:-1] = np.where(same, moment[first[1:]], end)
    chosen = place[first] == stage
    return moment[first][chosen], (leaves - moment[first])[chosen]

"""What is true about the generated files, for tests: totals of every night, dirty cells, and the stories that were planted.

Counted from the simulation, not from the files, so that a fault in writing shows.
"""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from flows.demo import vocabulary as words
from flows.demo.calendar import Floats, Ints, WorkingTime, epoch_day, month_start, quarter_start
from flows.demo.deals import STUCK_DAYS, STUCK_STAGE, Accounts, Deals, bad_quarter
from flows.demo.dirty import MISTYPED
from flows.demo.exports import View
from flows.demo.files import NightFolder
from flows.demo.organisation import Organisation
from flows.demo.plan import PLANNED_HEADS_KEPT, Plan, Wins, nodes
from flows.demo.planted import Nights
from flows.demo.records import Records
from flows.demo.sheets import COMPANY

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

    def count(self, chunk: int, deals: Deals, accounts: Accounts, records: Records, now: View) -> None:
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


def write_truths(
    path: Path,
    scale: float,
    seed: int,
    nights: Nights,
    organisation: Organisation,
    plan: Plan,
    tally: Tally,
    folders: Sequence[NightFolder],
) -> Path:
    """Write truths.json."""
    for number, folder in enumerate(folders):
        if any(row.value == MISTYPED for row in folder.dirty):
            tally.drop_mistyped(number)
    attainment = _Attainment(organisation, plan, tally.wins, nights.time)
    by_night = {
        night.isoformat(): {
            "totals": tally.nights[number],
            "rows": folders[number].rows,
            "dirty": [row.as_dict() for row in folders[number].dirty],
            "masked_names": folders[number].masked,
            "pace": attainment.at(night),
        }
        for number, night in enumerate(nights.dates)
    }
    truths = {
        "scale": scale,
        "seed": seed,
        "company": COMPANY,
        "last_night": nights.dates[-1].isoformat(),
        "planted": _planted(nights, organisation, plan, tally),
        "nights": by_night,
    }
    path.write_text(json.dumps(truths, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


class _Attainment:
    """Bookings, target and pace of every node in the running month, quarter and year."""

    def __init__(self, organisation: Organisation, plan: Plan, wins: Wins, time: WorkingTime) -> None:
        self._plan, self._wins, self._time = plan, wins, time
        reps = organisation.people.head(len(plan.value))
        self._members = {}
        for kind, name, values, _ in nodes(plan, organisation, COMPANY):
            if kind == "company":
                self._members["company"] = (np.ones(len(reps), bool), values)
            elif kind == "rep":
                self._members[f"rep:{name}"] = ((reps["user_id"] == name).to_numpy(), values)
            else:
                chosen = (reps[kind] == name).to_numpy()
                key = f"region:{name}" if kind == "region" else f"team:{reps['region'][int(np.argmax(chosen))]}/{name}"
                self._members[key] = (chosen, values)

    def at(self, night: date) -> dict[str, dict[str, dict[str, float | int | None]]]:
        """By period kind and node key: bookings and target in hundredths, the pace index, the part of the period passed."""
        year = date(night.year, 1, 1)
        periods = {
            "month": (month_start(night), 1), "quarter": (quarter_start(night), 3), "year": (year, 12),
        }  # fmt: skip
        return {
            kind: self._period(start, month_start(start, length), night) for kind, (start, length) in periods.items()
        }

    def _period(self, start: date, end: date, night: date) -> dict[str, dict[str, float | int | None]]:
        passed = self._time.elapsed(start, end, night)
        chosen = (self._wins.day >= epoch_day(start)) & (self._wins.day <= epoch_day(night))
        columns = [number for number, month in enumerate(self._plan.months) if start <= month < end]
        sold = np.bincount(
            self._wins.person[chosen], weights=self._wins.value[chosen], minlength=len(self._plan.value)
        ).astype(np.int64)
        result = {}
        for key, (members, values) in self._members.items():
            target, actual = int(values[columns].sum()), int(sold[: len(members)][members].sum())
            pace = round(actual / (target * passed), 6) if target and passed else None
            result[key] = {"bookings": actual, "target": target, "pace_index": pace, "elapsed": round(passed, 6)}
        return result


def _planted(nights: Nights, organisation: Organisation, plan: Plan, tally: Tally) -> dict[str, object]:
    time = nights.time
    ids = organisation.people["user_id"]
    holder = organisation.holder(np.arange(organisation.seats), np.full(organisation.seats, time.end - 0.01))
    piling, recovering = int(holder[organisation.piling_seat]), int(holder[organisation.recovering_seat])
    active = np.unique(holder[holder != piling])
    night = nights.recovery()
    before, during = tally.proposals
    team = organisation.team_names[organisation.weak_team]
    return {
        "lead_conversion_drop": _lead_drop(time, tally),
        "falling_lead_source": {
            "source": words.SOURCES[words.FALLING_SOURCE],
            "leads_by_quarter": {
                quarter.isoformat(): int(count)
                for quarter, count in zip(tally.quarters, tally.sources[words.FALLING_SOURCE], strict=True)
            },
        },
        "deals_piled_up": {
            "user_id": ids[piling],
            "open": int(tally.open_by_person[piling]),
            "median_open_of_others": float(np.median(tally.open_by_person[active])),
            "advances_last_half_year": int(tally.advances_by_person[piling]),
        },
        "stuck_stage": {
            "stage": words.STAGE_KEYS[STUCK_STAGE],
            "longer_than_working_days": LONG_SPELL,
            "spells": int(during[0]),
            "long_share": round(float(during[1] / max(1, during[0])), 4),
            "long_share_a_year_before": round(float(before[1] / max(1, before[0])), 4),
        },
        "fewer_heads_more_each": _fewer_heads(organisation, plan, tally),
        "team_below_pace": {"node_key": f"team:{words.REGIONS[words.SOUTH]}/{team}", "period_kind": "month"},
        "rep_recovers": night
        and {
            "node_key": f"rep:{ids[recovering]}",
            "period_kind": "quarter",
            "below_until": nights.dates[night - 1].isoformat(),
            "recovered_on": nights.dates[night].isoformat(),
        },
        "on_plan": {"node_key": "company", "period_kinds": ["month", "quarter", "year"]},
    }


def _lead_drop(time: WorkingTime, tally: Tally) -> dict[str, object]:
    start, _ = bad_quarter(time)
    day = date.fromordinal(date(1970, 1, 1).toordinal() + int(time.day(np.array([start]))[0]))
    number = tally.quarters.index(quarter_start(day))
    created, converted = tally.leads[:, words.SOUTH]
    earlier = slice(1, number)
    return {
        "region": words.REGIONS[words.SOUTH],
        "quarter_start_on": tally.quarters[number].isoformat(),
        "leads": int(created[number]),
        "converted": int(converted[number]),
        "leads_in_earlier_quarters": int(created[earlier].sum()),
        "converted_in_earlier_quarters": int(converted[earlier].sum()),
    }


def _fewer_heads(organisation: Organisation, plan: Plan, tally: Tally) -> dict[str, object] | None:
    """Heads in the plan and at work, bookings and target of the first region in the month after the departures."""
    month = organisation.leavers_month
    if month not in plan.months:
        return None
    column = plan.months.index(month)
    reps = organisation.people.head(len(plan.value))
    east = (reps["region"] == words.REGIONS[words.EAST]).to_numpy()
    start, end = epoch_day(month), epoch_day(month_start(month, 1))
    hired = np.array([epoch_day(day) for day in reps["hired_on"]])
    left = np.array([epoch_day(day) if day else 10**8 for day in reps["left_on"]])
    inside = (tally.wins.day >= start) & (tally.wins.day < end)
    mine = np.isin(tally.wins.person, np.flatnonzero(east))
    bookings, target = int(tally.wins.value[inside & mine].sum()), int(plan.value[east, column].sum())
    heads, planned = int(np.sum(east & (hired < end) & (left >= start))), int(np.sum(east & plan.planned[:, column]))
    return {
        "region": words.REGIONS[words.EAST],
        "month": month.isoformat(),
        "planned_heads": planned,
        "heads": heads,
        "heads_ratio": round(heads / planned, 4),
        "bookings": bookings,
        "target": target,
        "productivity_ratio": round(bookings / heads / (target / planned), 4) if target and heads else None,
        "expected_heads_ratio": PLANNED_HEADS_KEPT,
    }

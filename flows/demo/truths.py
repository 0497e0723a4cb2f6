"""What is true about the generated files, for tests: totals of every night, dirty cells, the planted stories."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from flows.demo import vocabulary as words
from flows.demo.calendar import WorkingTime, epoch_day, month_start, quarter_start
from flows.demo.deals import STUCK_STAGE, bad_quarter
from flows.demo.dirty import MISTYPED
from flows.demo.files import NightFolder
from flows.demo.organisation import Organisation
from flows.demo.plan import PLANNED_HEADS_KEPT, Plan, Wins, nodes
from flows.demo.planted import Nights
from flows.demo.sheets import COMPANY
from flows.demo.success import STEADY
from flows.demo.tally import LONG_SPELL, Tally

FAR_BELOW, RECOVERED = 0.75, 0.95


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
        "planted": _planted(nights, organisation, plan, tally, attainment),
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
        """By period kind and node key: bookings and target in hundredths, pace index, part of the period passed."""
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


def _planted(
    nights: Nights, organisation: Organisation, plan: Plan, tally: Tally, attainment: _Attainment
) -> dict[str, object]:
    time = nights.time
    ids = organisation.people["user_id"]
    holder = organisation.holder(np.arange(organisation.seats), np.full(organisation.seats, time.end - 0.01))
    piling, recovering = int(holder[organisation.piling_seat]), int(holder[organisation.recovering_seat])
    active = np.unique(holder[holder != piling])
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
        "answer_that_works": {"response": words.OBJECTION_RESPONSES[words.ANSWER_THAT_WORKS]},
        "delisted_stores": {"region": words.REGIONS[words.SOUTH]},
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
        "rep_recovers": _recovery(nights, f"rep:{ids[recovering]}", attainment),
        "on_plan": {"node_key": "company", "period_kinds": ["month", "quarter", "year"]},
        "steady_reps": {"node_keys": list(STEADY), "metric": "cash_collected", "year": nights.dates[-1].year},
    }


def _recovery(nights: Nights, node_key: str, attainment: _Attainment) -> dict[str, object] | None:
    """The rep who recovers within a quarter; None where the nights are too few or fall into two quarters."""
    night = nights.recovery()
    if night is None:
        return None
    eve, day = nights.dates[night - 1], nights.dates[night]
    before, after = (attainment.at(when)["quarter"][node_key]["pace_index"] or 0.0 for when in (eve, day))
    if before > FAR_BELOW or after < RECOVERED or quarter_start(nights.dates[0]) != quarter_start(day):
        return None
    return {
        "node_key": node_key,
        "period_kind": "quarter",
        "below_until": eve.isoformat(),
        "recovered_on": day.isoformat(),
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
    if month not in plan.months or not tally.wins.value.size:
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
        "productivity_ratio": round(bookings / heads / (target / planned), 4)
        if target and heads and bookings
        else None,
        "expected_heads_ratio": PLANNED_HEADS_KEPT,
    }

"""The people of the demo company: territories (seats) in teams in regions, and who holds each of them when.

A deal belongs to a seat; its owner is whoever holds the seat at the time. So a departure hands open deals over, and
deals that were closed before stay with the person who closed them.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from flows.demo import vocabulary as words
from flows.demo.calendar import Floats, Ints, WorkingTime, month_start, quarter_start

NUMERALS = "一二三四五六七八九十"
NEVER = 10.0**9


@dataclass(frozen=True)
class Organisation:
    """Seats, people and teams.

    Attributes:
        seat_region: Region of each seat.
        seat_team: Team of each seat.
        seat_cover: Seat that stands in while this one is vacant: the first of its team, which is never vacant.
        seat_first: Person who holds the seat first.
        seat_second: Person who takes the seat over; the first again where nobody does.
        seat_opens: Working moment at which the seat comes into being.
        seat_leaves: Working moment at which the first holder leaves.
        seat_refilled: Working moment at which the second holder starts.
        seat_skill: Factor on the odds of losing; below 1 is a good seller.
        people: One row per person: user_id, name, email, manager_id, role, region, team, hired_on, left_on, language,
            seat.
        team_names: Names by team number.
        team_region: Region of each team.
        piling_seat: Seat of the rep who piles up deals.
        weak_team: Team that is behind plan in the current month.
        recovering_seat: Seat of the rep who recovers.
        leavers_month: Month in which a quarter of the seats of the first region are vacant.
    """

    seat_region: Ints
    seat_team: Ints
    seat_cover: Ints
    seat_first: Ints
    seat_second: Ints
    seat_opens: Floats
    seat_leaves: Floats
    seat_refilled: Floats
    seat_skill: Floats
    people: pl.DataFrame
    team_names: tuple[str, ...]
    team_region: Ints
    piling_seat: int
    weak_team: int
    recovering_seat: int
    leavers_month: date

    @property
    def seats(self) -> int:
        """Number of seats."""
        return len(self.seat_region)

    @property
    def steady(self) -> Ints:
        """Seats that one person holds all the time."""
        return np.flatnonzero((self.seat_leaves >= NEVER) & (self.seat_opens <= 0))

    def holder(self, seat: Ints, moment: Floats) -> Ints:
        """Person responsible for each seat at each working moment."""
        vacant = (moment >= self.seat_leaves[seat]) & (moment < self.seat_refilled[seat])
        own = np.where(moment >= self.seat_refilled[seat], self.seat_second[seat], self.seat_first[seat])
        return np.where(vacant, self.seat_first[self.seat_cover[seat]], own)


def seats_at(scale: float) -> int:
    """Number of seats: 24 at scale 1, about 450 at scale 500."""
    return max(12, round(24 * scale**0.4717))


def build(rng: np.random.Generator, scale: float, time: WorkingTime) -> Organisation:
    """Make the organisation of a company of the given scale."""
    region, team, team_names, team_region = _territories(seats_at(scale))
    count = len(region)
    cover = np.array([int(np.flatnonzero(team == number)[0]) for number in team])
    changeable = np.flatnonzero(cover != np.arange(count))
    leavers_month = month_start(quarter_start(time.last), -2)

    opens, leaves, refilled = np.zeros(count), np.full(count, NEVER), np.full(count, NEVER)
    # A quarter of the first region leaves on the last day of a month; their seats are filled a month later.
    east = changeable[region[changeable] == words.EAST]
    leaving = east[-max(1, round(np.sum(region == words.EAST) / 4)) :]
    leaves[leaving] = time.index(leavers_month)
    refilled[leaving] = time.index(month_start(leavers_month, 1))
    others = np.setdiff1d(changeable, east)
    grown = others[rng.random(len(others)) < 0.3]
    opens[grown] = np.floor(rng.uniform(60, time.end * 0.6, len(grown)))
    stable = np.setdiff1d(others, grown)
    replaced = stable[rng.random(len(stable)) < 0.3]
    leaves[replaced] = np.floor(rng.uniform(0.25, 0.6, len(replaced)) * time.end)
    refilled[replaced] = leaves[replaced] + np.floor(rng.uniform(5, 30, len(replaced)))

    skill = np.exp(rng.normal(0, 0.16, count))
    steady = np.flatnonzero((leaves >= NEVER) & (opens <= 0))
    piling = int(steady[region[steady] == words.NORTH][-1])
    recovering = int(steady[region[steady] == words.EAST][-1])
    weak_team = int(np.flatnonzero(team_region == words.SOUTH)[-1])
    second_holders = np.flatnonzero(leaves < NEVER)
    first = np.arange(count)
    second = first.copy()
    second[second_holders] = count + np.arange(len(second_holders))
    people = _people(rng, time, region, team, team_names, team_region, opens, leaves, refilled, second_holders)
    return Organisation(
        region, team, cover, first, second, opens, leaves, refilled, skill, people, team_names, team_region,
        piling, weak_team, recovering, leavers_month,
    )  # fmt: skip


def _territories(count: int) -> tuple[Ints, Ints, tuple[str, ...], Ints]:
    """Region and team of each seat, names and regions of the teams. The first region has a multiple of four seats."""
    east = max(4, 4 * round(count * words.REGION_SHARE[0] / 4))
    south = max(4, round(count * words.REGION_SHARE[1]))
    north = max(3, round(count * words.REGION_SHARE[2]))
    sizes = (east, south, north, max(2, count - east - south - north))
    team_size = 4 if count < 60 else 8
    region, team, names, team_region = [], [], [], []
    for number, size in enumerate(sizes):
        at_least = 2 if number in {words.EAST, words.SOUTH} else 1
        teams = max(at_least, round(size / team_size))
        for place in range(teams):
            names.append(_team_name(number, place))
            team_region.append(number)
        region += [number] * size
        team += sorted(len(names) - teams + place % teams for place in range(size))
    return np.array(region), np.array(team), tuple(names), np.array(team_region)


def _team_name(region: int, place: int) -> str:
    if region == words.INTERNATIONAL:
        return f"International Team {place + 1}"
    return f"{words.REGIONS[region]}{_numeral(place + 1)}部"


def _numeral(number: int) -> str:
    ten, one = divmod(number, 10)
    if ten == 0:
        return NUMERALS[one - 1]
    return (NUMERALS[ten - 1] if ten > 1 else "") + "十" + (NUMERALS[one - 1] if one else "")


def _people(
    rng: np.random.Generator,
    time: WorkingTime,
    region: Ints,
    team: Ints,
    team_names: tuple[str, ...],
    team_region: Ints,
    opens: Floats,
    leaves: Floats,
    refilled: Floats,
    second_holders: Ints,
) -> pl.DataFrame:
    """Reps in order of person number (first holders, then second holders), then managers, leaders and operations."""
    seats, regions, teams = len(region), len(words.REGIONS), len(team_names)
    holders = np.concatenate([np.arange(seats), second_holders])
    reps = len(holders)
    names = _names(rng, np.concatenate([region[holders], team_region, np.arange(regions), [0, 0]]))
    ids = [f"U{number:04d}" for number in range(1, reps + teams + regions + 3)]
    leader = ids[reps + teams + regions]
    rows: list[tuple[str | None, str, str | None, str | None, date, date | None, int | None]] = []
    started = time.first - timedelta(days=1)
    for person, seat in enumerate(holders.tolist()):
        is_second = person >= seats
        opened = started - timedelta(days=int(rng.integers(90, 2000))) if opens[seat] <= 0 else _day(time, opens[seat])
        hired = _day(time, refilled[seat]) if is_second else opened
        left = None if is_second or leaves[seat] >= NEVER else _day(time, leaves[seat] - 1)
        manager = ids[reps + int(team[seat])]
        rows.append((manager, "rep", words.REGIONS[region[seat]], team_names[team[seat]], hired, left, seat))
    for number in range(teams):
        manager = ids[reps + teams + int(team_region[number])]
        hired = started - timedelta(days=1200 + 30 * (number % 20))
        rows.append((manager, "manager", words.REGIONS[team_region[number]], team_names[number], hired, None, None))
    rows += [(leader, "leader", name, None, date(2019, 3, 1), None, None) for name in words.REGIONS]
    rows.append((None, "leader", None, None, date(2018, 1, 2), None, None))
    rows.append((leader, "operations", None, None, date(2020, 6, 1), None, None))
    schema = {
        "manager_id": pl.String, "role": pl.String, "region": pl.String, "team": pl.String,
        "hired_on": pl.Date, "left_on": pl.Date, "seat": pl.Int64,
    }  # fmt: skip
    people = pl.DataFrame(rows, schema=schema, orient="row")
    return people.with_columns(
        user_id=pl.Series(ids),
        name=pl.Series([name for name, _, _ in names]),
        email=pl.Series([email for _, email, _ in names]),
        language=pl.Series([language for _, _, language in names]),
    )


def _day(time: WorkingTime, moment: float) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(time.day(np.array([moment]))[0]))


def _names(rng: np.random.Generator, region: Ints) -> list[tuple[str, str, str]]:
    """A name, a mail address of one's own and a language for each person; English in the international region."""
    chinese = rng.permutation(len(words.SURNAMES) * len(words.GIVEN_NAMES))
    english = rng.permutation(len(words.FIRST_NAMES) * len(words.LAST_NAMES))
    names, used = [], set()
    for place, number in enumerate(region.tolist()):
        if number == words.INTERNATIONAL:
            pick = int(english[place % len(english)])
            given, family = words.FIRST_NAMES[pick % 25], words.LAST_NAMES[pick // 25]
            name, address, language = f"{given} {family}", f"{given}.{family}".lower(), "en"
        else:
            pick = int(chinese[place % len(chinese)])
            (given, given_latin), (family, family_latin) = words.GIVEN_NAMES[pick % 25], words.SURNAMES[pick // 25]
            name, address, language = family + given, f"{given_latin}.{family_latin}", "zh"
        if address in used:
            address = f"{address}{place}"
        used.add(address)
        names.append((name, f"{address}@example.com", language))
    return names

"""Visits to the demo company's points of sale over the last year."""

import numpy as np
import polars as pl

from flows.demo import vocabulary as words
from flows.demo.calendar import Ints, WorkingTime
from flows.demo.columns import dates, numbered, word
from flows.demo.organisation import Organisation
from flows.demo.view import person_ids

EVERY_DAYS, VISITS = 14, 26
DELISTED_VISITS, FIRST_STOCK = 5, 40


def store_count(scale: float) -> int:
    """60 stores at scale 1, growing with the square root."""
    return max(12, round(60 * scale**0.5))


def visits(time: WorkingTime, organisation: Organisation, stores: int, today: int) -> pl.DataFrame:
    """One visit a fortnight for a year up to ``today`` (epoch day); some planned ones did not take place."""
    number = np.arange(stores * VISITS)
    store, turn = number % stores, number // stores
    # Visits are counted back from a fixed day, so that a visit keeps its date from night to night.
    day = time.working[int(time.end) - 1] - turn * EVERY_DAYS - store % EVERY_DAYS
    mix = (number * 2_654_435_761 % 2**32) // 2**8
    done = mix % 10 != 0
    region = store % 3
    owner = np.zeros(stores * VISITS, np.int64)
    for place in range(3):
        seats = np.flatnonzero(organisation.seat_region == place)
        mine = region == place
        owner[mine] = organisation.seat_first[organisation.seat_cover[seats[store[mine] % len(seats)]]]
    # Some stores never took the products on; in the south half of the others stopped showing them some weeks ago.
    shows = (store % 9 != 4) & ~((region == words.SOUTH) & (store % 2 == 0) & (turn < DELISTED_VISITS))
    stocked = np.where(shows, 3 + mix % 10, 0)
    sold = stocked * (2 + mix // 16 % 4) // 6
    received = np.where(done & shows, 20 + mix // 64 % 60, 0)
    units, left = _units(received, mix, stores)
    table = pl.DataFrame(
        {
            "拜访编号": numbered("BF-", VISITS * store + VISITS - turn),
            "门店编号": numbered("MD-", store + 1, 5),
            "负责人编号": person_ids(owner),
            "拜访日期": dates(day),
            "是否计划内": word(("否", "是"), (mix // 256 % 8 != 0).astype(np.int64)),
            "是否完成": word(("否", "是"), done.astype(np.int64)),
            "在架品数": pl.Series(np.where(done, stocked, 0)),
            "动销品数": pl.Series(np.where(done, sold, 0)),
            "进货数量": pl.Series(received),
            "销售数量": pl.Series(units),
            "库存数量": pl.Series(left),
        }
    )
    return table.filter(pl.Series(day <= today)).sort("拜访编号")


def _units(received: Ints, mix: Ints, stores: int) -> tuple[Ints, Ints]:
    """Units sold since the visit before and units left, visit by visit from the oldest: what came and went adds up."""
    units, left = np.zeros_like(received), np.zeros_like(received)
    stock = np.full(stores, FIRST_STOCK)
    for turn in range(VISITS - 1, -1, -1):
        here = slice(turn * stores, (turn + 1) * stores)
        wanted = received[here] * (8 + mix[here] // 32 % 5) // 10
        units[here] = np.minimum(wanted, stock + received[here])
        stock = stock + received[here] - units[here]
        left[here] = stock
    return units, left

"""What the CRM shows on one night: the part of every deal's life that had happened by then, and ids."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from flows.demo.calendar import Ints, WorkingTime, epoch_day
from flows.demo.columns import known, numbered
from flows.demo.deals import Accounts, Deals
from flows.demo.records import Records


@dataclass(frozen=True)
class View:
    """What is known of a chunk of deals on one night.

    Attributes:
        number: Number of the night, from 0.
        cutoff: Moment at which the night's export is made.
        day: Epoch day of the night.
        events: Whether each event is in the export.
        deals: Deals in the export.
        last: Position of the newest event of each of them.
        modified: When each of them was last touched, in local seconds.
        visible: Whether each deal of the chunk is in the export.
    """

    number: int
    cutoff: float
    day: int
    events: np.ndarray
    deals: Ints
    last: Ints
    modified: Ints
    visible: np.ndarray


def view(time: WorkingTime, deals: Deals, records: Records, number: int, night: date) -> View:
    """The deals as they stand at the end of ``night``."""
    cutoff = float(time.index(night + timedelta(days=1)))
    events = (deals.event_at < cutoff) & (deals.deleted_night[deals.event_deal] > number)
    seen = np.bincount(deals.event_deal[events], minlength=deals.count)
    visible = seen > 0
    shown = np.flatnonzero(visible)
    last = deals.starts[shown] + seen[shown] - 1
    touched = np.zeros(deals.count)
    np.maximum.at(touched, deals.event_deal[events], deals.event_at[events])
    done = records.activities.at < cutoff
    np.maximum.at(touched, records.activities.deal[done], records.activities.at[done])
    return View(number, cutoff, epoch_day(night), events, shown, last, time.seconds(touched[shown]), visible)


def person_ids(numbers: Ints) -> pl.Series:
    """user_id by person number."""
    return numbered("U", numbers + 1, 4)


def deal_ids(deals: Deals, chosen: Ints) -> pl.Series:
    """Ids of deals; null for a negative number."""
    return known(numbered("OPP-", deals.first_number + np.maximum(chosen, 0)), chosen >= 0)


def account_ids(accounts: Accounts, chosen: Ints) -> pl.Series:
    """Ids of customers."""
    return numbered("KH-", accounts.first_number + chosen)

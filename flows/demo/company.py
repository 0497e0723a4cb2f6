"""Writing the demo company's input files, chunk by chunk and night by night, with the truths planted in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from flows.demo import contract_exports, customer_exports, deal_exports, sheets, success, team_sheets
from flows.demo import vocabulary as words
from flows.demo.calendar import Ints, WorkingTime, epoch_day, month_start
from flows.demo.deals import Accounts, Deals, make_accounts, simulate
from flows.demo.files import NightFolder
from flows.demo.organisation import Organisation, build
from flows.demo.plan import Plan, make_plan
from flows.demo.planted import Nights, plant
from flows.demo.records import Records, surround
from flows.demo.stores import store_count, visits
from flows.demo.success import Subscriptions, subscribe
from flows.demo.tally import Tally
from flows.demo.truths import write_truths
from flows.demo.view import View, view
from flows.errors import PermanentError

DEFAULT_LAST_NIGHT = date(2026, 11, 20)
"""A Friday past the middle of a month, in a year whose Chinese calendar is published."""
YEARS = 3
DEALS_PER_SCALE = 2_000
CHUNK = 100_000
ACCOUNTS_PER_DEAL = 0.35


@dataclass(frozen=True)
class DemoManifest:
    """What ``generate`` wrote.

    Attributes:
        folder: holds one folder a night, and truths.json.
        nights: the nights, oldest first.
        opportunities: deals simulated; a few are deleted before the last night.
        history_rows: stage history rows of the last night.
        truths: the file with everything that was planted and the true totals.
        files: rows by file of the last night, as a person would count them without headers.
    """

    folder: Path
    nights: tuple[date, ...]
    opportunities: int
    history_rows: int
    truths: Path
    files: dict[str, int]


def generate(
    folder: Path, *, scale: float = 1, seed: int = 1, nights: int = 1, last_night: date = DEFAULT_LAST_NIGHT
) -> DemoManifest:
    """Write ``<folder>/<YYYY-MM-DD>/…`` for successive nights, and ``<folder>/truths.json``.

    The same arguments give the same bytes. Memory is bounded by the chunk, not by the scale.

    Args:
        folder: where the nights' folders are made; files of the same names are replaced.
        scale: 1 is about 2,000 opportunities and 24 reps, 500 is 1,000,000 and about 450.
        seed: another seed is another company.
        nights: number of nights; the last is ``last_night``, the others are the days before.
        last_night: business date of the newest export; three years of data end here.

    Raises:
        PermanentError: the scale is too small to plant anything in, or there are no nights.
    """
    total = round(DEALS_PER_SCALE * scale)
    if total < 100 or nights < 1:
        raise PermanentError(f"Expected scale >= 0.05 and nights >= 1, found scale {scale} and nights {nights}.")
    time = WorkingTime.of_china(month_start(last_night, -12 * YEARS), last_night)
    dates = Nights(tuple(last_night - timedelta(days=back) for back in range(nights - 1, -1, -1)), time)
    organisation = build(_random(seed, 0), scale, time)
    chunks = -(-total // CHUNK)
    folders = [NightFolder(folder / night.isoformat(), chunks) for night in dates.dates]
    tally = Tally(organisation, time, dates.dates, sheets.exchange_rates(time))
    firsts = _Firsts()
    for chunk in range(chunks):
        count = min(CHUNK, total - chunk * CHUNK)
        random = _random(seed, 1, chunk)
        accounts = make_accounts(random, firsts.account, max(10, round(count * ACCOUNTS_PER_DEAL)))
        deals = simulate(random, time, organisation, accounts, firsts.deal, count)
        plant(random, organisation, deals, dates)
        records = surround(random, time, deals)
        subscriptions = subscribe(_random(seed, 3), time, accounts) if chunk == 0 else None
        for number, night in enumerate(dates.dates):
            now = view(time, deals, records, number, night)
            _write_chunk(
                folders[number], time, organisation, accounts, deals, records, now, firsts, dates.dates, subscriptions
            )
            if chunk == 0:
                folders[number].add_templates(
                    team_sheets.write_templates(folders[number].root, accounts, organisation, dates.dates[0], night)
                )
            tally.count(deals, records, now)
        firsts.advance(accounts, deals, records)
    plan = make_plan(_random(seed, 2), time, organisation, tally.wins)
    for night_folder, night in zip(folders, dates.dates, strict=True):
        _write_rest(night_folder, time, organisation, plan, night, scale)
    truths = write_truths(folder / "truths.json", scale, seed, dates, organisation, plan, tally, folders)
    return DemoManifest(folder, dates.dates, total, tally.history_rows, truths, dict(folders[-1].rows))


def _random(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(key))))


@dataclass
class _Firsts:
    """First free numbers of the next chunk."""

    deal: int = 1
    account: int = 1
    lead: int = 1
    activity: int = 1

    def advance(self, accounts: Accounts, deals: Deals, records: Records) -> None:
        self.deal += deals.count
        self.account += len(accounts.name)
        self.lead += len(records.leads.deal)
        self.activity += len(records.activities.deal)


def _write_chunk(
    folder: NightFolder,
    time: WorkingTime,
    organisation: Organisation,
    accounts: Accounts,
    deals: Deals,
    records: Records,
    now: View,
    firsts: _Firsts,
    nights: Sequence[date],
    subscriptions: Subscriptions | None,
) -> None:
    """All tables that grow with the deals; the first chunk also holds what customers of the service subscribed to."""
    night = nights[now.number]
    mistyped = (
        _mistyped(deals, time, nights[0])
        if firsts.deal == 1 and (now.number < len(nights) - 1 or len(nights) == 1)
        else None
    )
    lead_owner = organisation.holder(deals.seat[records.leads.deal], records.leads.created)
    account_owner = _account_owner(organisation, accounts, now)
    folder.csv(
        "opportunities", deal_exports.opportunities(time, deals, accounts, now, organisation.people), mistyped=mistyped
    )
    folder.parquet("opportunity_history", deal_exports.opportunity_history(time, deals, now))
    folder.csv("leads", deal_exports.leads(time, deals, accounts, records, now, lead_owner, firsts.lead))
    folder.csv("accounts", customer_exports.accounts_table(time, accounts, account_owner))
    folder.csv("contacts", customer_exports.contacts(accounts), encoding="gb18030")
    folder.json_lines("activities", deal_exports.activities(time, deals, accounts, records, now, firsts.activity))
    contracts = contract_exports.contracts(time, deals, accounts, records, now)
    lines = contract_exports.order_lines(time, deals, accounts, records, now)
    payments = contract_exports.payments(time, deals, records, now)
    if subscriptions is not None:
        contracts = pl.concat([contracts, success.contracts(subscriptions, accounts, night)])
        lines = pl.concat([lines, success.order_lines(subscriptions, accounts, night)])
        payments = pl.concat([payments, success.payments(subscriptions, night)])
    folder.csv("contracts", contracts)
    folder.csv("order_lines", lines, encoding="utf-8")
    folder.csv("payments", payments)
    folder.csv("requirements", customer_exports.requirements(time, deals, accounts, records, now))
    folder.csv("objections", customer_exports.objections(time, deals, records, now))
    folder.next_part()


def _mistyped(deals: Deals, time: WorkingTime, first_night: date) -> str:
    """The youngest open deal that is in the export of every night; nothing else is planted in it."""
    last = deals.lasts
    is_open = deals.event_stage[last] < words.OPEN_STAGES
    kept = deals.deleted_night == deals.deleted_night.max()
    old = deals.created < time.index(first_night) - 12
    return f"OPP-{deals.first_number + int(np.flatnonzero(is_open & kept & old)[-1]):07d}"


def _account_owner(organisation: Organisation, accounts: Accounts, now: View) -> Ints:
    """Accounts are spread over the seats of their region; whoever holds the seat tonight owns them."""
    order = np.argsort(organisation.seat_region, kind="stable")
    sizes = np.bincount(organisation.seat_region, minlength=len(words.REGIONS))
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    seat = order[first[accounts.region] + accounts.name % sizes[accounts.region]]
    seat = np.where(organisation.seat_opens[seat] < now.cutoff, seat, organisation.seat_cover[seat])
    return organisation.holder(seat, np.full(len(seat), now.cutoff - 0.01))


def _write_rest(
    folder: NightFolder, time: WorkingTime, organisation: Organisation, plan: Plan, night: date, scale: float
) -> None:
    """People, products, stores and the planning book."""
    people = pl.concat([organisation.people, success.team_members(organisation)])
    folder.csv("users", customer_exports.users(people, night), encoding="utf-8")
    folder.workbook("crm/products.xlsx", len(words.PRODUCTS), sheets.products)
    count = store_count(scale)
    folder.workbook("crm/stores.xlsx", count, lambda path: sheets.stores(path, time, organisation, count))
    folder.csv("store_visits", visits(time, organisation, count, epoch_day(night)))
    folder.workbook("planning.xlsx", None, lambda path: sheets.planning(path, time, organisation, plan))

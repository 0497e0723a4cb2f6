"""The customer-success teams: reps whose customers settle their use of a cloud service every working day.

They sell nothing new. What they answer for is cash, and it comes in steadily: on every working day, weekends worked to
make up for a bridge day included, and never on a holiday. They are planned exactly so, and stand for reps on plan.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from flows.demo import vocabulary as words
from flows.demo.calendar import Ints, WorkingTime, epoch_day
from flows.demo.columns import account_names, dates, grouped, known, numbered, plain, word
from flows.demo.deals import Accounts
from flows.demo.organisation import Organisation
from flows.demo.view import account_ids

CUSTOMERS = 5
"""Of each rep, of about the same size."""
SWING = 0.03
"""What a customer settles on one day differs by so much from what it uses on average."""
GROWTH = 1.15
CNY, USD = 0, 1
PRODUCT, SERVICE, TERMS = "P-310", "云服务订阅", "按工作日结算"


@dataclass(frozen=True)
class _Rep:
    """A rep, and what all customers together settle a working day of the last night's year, in hundredths."""

    user_id: str
    name: str
    address: str
    region: int
    team: str
    manager_id: str
    currency: int
    a_day: int


_CHINA, _ABROAD = (words.NORTH, "华北客户成功部"), (words.INTERNATIONAL, "International Customer Success")
_MANAGERS = (
    ("U9001", "彭立新", "lixin.peng", *_CHINA),
    ("U9002", "Helen Brandt", "helen.brandt", *_ABROAD),
)
_REPS = (
    _Rep("U9003", "沈嘉宁", "jianing.shen", *_CHINA, "U9001", CNY, 150_000),
    _Rep("U9004", "曹一帆", "yifan.cao", *_CHINA, "U9001", CNY, 120_000),
    _Rep("U9005", "Nina Okafor", "nina.okafor", *_ABROAD, "U9002", USD, 20_000),
    _Rep("U9006", "Paul Lindqvist", "paul.lindqvist", *_ABROAD, "U9002", USD, 18_000),
)
STEADY = tuple(f"rep:{rep.user_id}" for rep in _REPS)
"""Node keys of the reps who are on plan all the time."""


def team_members(organisation: Organisation) -> pl.DataFrame:
    """Managers and reps, with the columns of ``Organisation.people``: they have been there for years."""
    leaders = organisation.people.filter((pl.col("role") == "leader") & pl.col("region").is_not_null())
    leader = dict(leaders.select("region", "user_id").iter_rows())
    rows = []
    for user_id, name, address, region, team in _MANAGERS:
        rows.append((user_id, name, address, leader[words.REGIONS[region]], "manager", region, team, date(2021, 4, 1)))
    for rep in _REPS:
        rows.append((rep.user_id, rep.name, rep.address, rep.manager_id, "rep", rep.region, rep.team, date(2022, 3, 1)))
    people = [
        {
            "user_id": user_id, "name": name, "email": f"{address}@example.com", "manager_id": manager, "role": role,
            "region": words.REGIONS[region], "team": team, "hired_on": hired, "left_on": None, "seat": None,
            "language": "en" if region == words.INTERNATIONAL else "zh",
        }
        for user_id, name, address, manager, role, region, team, hired in rows
    ]  # fmt: skip
    return pl.DataFrame(people, schema=organisation.people.schema)


@dataclass(frozen=True)
class Subscriptions:
    """A contract for each customer and year, and what it is settled by: one instalment every working day of the year.

    Attributes:
        rep: Rep of each contract, by place.
        account: Customer of each contract, by place among the accounts.
        year: Year that each contract is for.
        signed: Epoch day of its signature, the last working day before the year.
        starts: Place of its first instalment; one more at the end.
        due: Epoch day of each instalment, on which it is also collected.
        amount: Hundredths of each instalment.
    """

    rep: Ints
    account: Ints
    year: Ints
    signed: Ints
    starts: Ints
    due: Ints
    amount: Ints

    def signed_by(self, day: int) -> Ints:
        """Contracts signed by an epoch day."""
        return np.flatnonzero(self.signed <= day)


def subscribe(rng: np.random.Generator, time: WorkingTime, accounts: Accounts) -> Subscriptions:
    """The subscriptions of the last night's year and of the year before."""
    contracts, dues, amounts = [], [], []
    for place, rep in enumerate(_REPS):
        theirs = np.flatnonzero(accounts.region == rep.region)
        theirs = theirs if len(theirs) else np.arange(len(accounts.region))
        first = CUSTOMERS * (place % 2)
        for customer in np.resize(np.roll(theirs, -first), CUSTOMERS).tolist():
            for year in (time.last.year - 1, time.last.year):
                days = time.working[time.index(date(year, 1, 1)) : time.index(date(year + 1, 1, 1))]
                usual = rep.a_day / CUSTOMERS / (1.0 if year == time.last.year else GROWTH)
                signed = time.working[time.index(date(year, 1, 1)) - 1]
                contracts.append((place, customer, year, signed))
                dues.append(days)
                amounts.append(np.round(usual * (1 + SWING * rng.uniform(-1, 1, len(days)))).astype(np.int64))
    rep_place, account, of_year, signed_on = np.array(contracts, dtype=np.int64).T
    starts = np.concatenate([[0], np.cumsum([len(days) for days in dues])])
    return Subscriptions(rep_place, account, of_year, signed_on, starts, np.concatenate(dues), np.concatenate(amounts))


def contracts(subscriptions: Subscriptions, accounts: Accounts, night: date) -> pl.DataFrame:
    """Contracts signed by ``night``, as the CRM writes contracts; no opportunity stands behind them."""
    chosen = subscriptions.signed_by(epoch_day(night))
    account, currency = subscriptions.account[chosen], _currency(subscriptions, chosen)
    amount = _amounts(subscriptions, chosen)
    count = len(chosen)
    return pl.DataFrame(
        {
            "合同编号": _contract_ids(subscriptions, chosen),
            "商机编号": pl.Series([None] * count, dtype=pl.String),
            "客户编号": account_ids(accounts, account),
            "客户名称": account_names(accounts.name[account], accounts.region[account]),
            "负责人编号": _owners(subscriptions, chosen),
            "合同金额（元）": grouped(amount, words.AMOUNT_PREFIX, currency),
            "成本（元）": grouped(amount * 2 // 5, words.AMOUNT_PREFIX, currency),
            "币种": word(words.CURRENCIES, currency),
            "签订日期": dates(subscriptions.signed[chosen], "%Y年%m月%d日"),
            "状态": pl.Series(["已签订"] * count, dtype=pl.String),
            "付款方式": pl.Series([TERMS] * count, dtype=pl.String),
            "交付周期": pl.Series(["分期交付"] * count, dtype=pl.String),
            "主要条款": pl.Series([SERVICE] * count, dtype=pl.String),
            "归档状态": pl.Series(["已归档"] * count, dtype=pl.String),
        }
    )


def order_lines(subscriptions: Subscriptions, accounts: Accounts, night: date) -> pl.DataFrame:
    """One line for each contract."""
    chosen = subscriptions.signed_by(epoch_day(night))
    amount = _amounts(subscriptions, chosen)
    contract = _contract_ids(subscriptions, chosen)
    count = len(chosen)
    return pl.DataFrame(
        {
            "Line ID": contract + "-1",
            "Contract": contract,
            "Opportunity ID": pl.Series([None] * count, dtype=pl.String),
            "Product": pl.Series([PRODUCT] * count, dtype=pl.String),
            "Account ID": account_ids(accounts, subscriptions.account[chosen]),
            "Owner ID": _owners(subscriptions, chosen),
            "Quantity": pl.Series([1] * count, dtype=pl.Int64),
            "Unit Price": plain(amount),
            "Amount": plain(amount),
            "Cost": plain(amount * 2 // 5),
            "Currency": word(words.CURRENCIES, _currency(subscriptions, chosen)),
            "Booked": dates(subscriptions.signed[chosen]),
        }
    )


def payments(subscriptions: Subscriptions, night: date) -> pl.DataFrame:
    """Instalments of the contracts signed by ``night``: each is debited on the working day on which it is due."""
    chosen = subscriptions.signed_by(epoch_day(night))
    sizes = np.diff(subscriptions.starts)
    contract = np.repeat(np.arange(len(sizes)), sizes)
    place = np.flatnonzero(np.isin(contract, chosen))
    contract = contract[place]
    turn = place - subscriptions.starts[contract] + 1
    due, amount = subscriptions.due[place], subscriptions.amount[place]
    paid = due <= epoch_day(night)
    number = _contract_ids(subscriptions, contract)
    day = dates(due, "%Y年%m月%d日")
    return pl.DataFrame(
        {
            "回款编号": number + "-P" + pl.Series(turn).cast(pl.String),
            "合同编号": number,
            "期次": pl.Series(turn),
            "应收日期": day,
            "实收日期": known(day, paid),
            "应收金额": grouped(amount),
            "实收金额": known(grouped(amount), paid),
            "币种": word(words.CURRENCIES, _currency(subscriptions, contract)),
        }
    )


def _contract_ids(subscriptions: Subscriptions, chosen: Ints) -> pl.Series:
    """Numbers of their own, in the eight millions, with the year that the contract is for."""
    customer = 8_000_000 + chosen // 2 + 1
    return "HT-" + pl.Series(subscriptions.year[chosen]).cast(pl.String) + "-" + numbered("", customer)


def _owners(subscriptions: Subscriptions, chosen: Ints) -> pl.Series:
    return word([rep.user_id for rep in _REPS], subscriptions.rep[chosen])


def _currency(subscriptions: Subscriptions, chosen: Ints) -> Ints:
    return np.array([rep.currency for rep in _REPS], dtype=np.int64)[subscriptions.rep[chosen]]


def _amounts(subscriptions: Subscriptions, chosen: Ints) -> Ints:
    return np.add.reduceat(subscriptions.amount, subscriptions.starts[:-1])[chosen]

"""Contracts, their order lines and instalments on one night."""

import numpy as np
import polars as pl

from flows.demo import vocabulary as words
from flows.demo.calendar import Ints, WorkingTime
from flows.demo.columns import account_names, dates, grouped, known, moments, numbered, plain, word
from flows.demo.deals import Accounts, Deals
from flows.demo.records import Contracts, Records
from flows.demo.view import View, account_ids, deal_ids, person_ids


def _contracted(deals: Deals, contracts: Contracts, now: View) -> tuple[Ints, Ints, np.ndarray]:
    """Deals with a contract, their newest event, and whether the contract is signed."""
    stage = deals.event_stage[now.last]
    mask = (stage == words.WON) | (stage == words.OPEN_STAGES - 1)
    chosen, last = now.deals[mask], now.last[mask]
    return chosen, last, (stage[mask] == words.WON) & (contracts.signed[chosen] < now.cutoff)


def contract_ids(time: WorkingTime, deals: Deals, chosen: Ints) -> pl.Series:
    """Contract numbers carry the year in which the deal began, which is not the year of signature."""
    year = moments(time.seconds(deals.created[chosen]), "%Y")
    return "HT-" + year + "-" + numbered("", deals.first_number + chosen)


def contracts(time: WorkingTime, deals: Deals, accounts: Accounts, records: Records, now: View) -> pl.DataFrame:
    """Contracts; an unsigned one says 待签订 where its date would stand."""
    terms = records.contracts
    chosen, last, signed = _contracted(deals, terms, now)
    account = deals.account[chosen]
    cost = np.round(deals.event_amount[last] * terms.cost_share[chosen]).astype(np.int64)
    signed_on = dates(time.day(np.minimum(terms.signed[chosen], now.cutoff - 0.5)), "%Y年%m月%d日")
    return pl.DataFrame(
        {
            "合同编号": contract_ids(time, deals, chosen),
            "商机编号": deal_ids(deals, chosen),
            "客户编号": account_ids(accounts, account),
            "客户名称": account_names(accounts.name[account], accounts.region[account]),
            "负责人编号": person_ids(deals.event_owner[last]),
            "合同金额（元）": grouped(deals.event_amount[last], words.AMOUNT_PREFIX, deals.currency[chosen]),
            "成本（元）": grouped(cost, words.AMOUNT_PREFIX, deals.currency[chosen]),
            "币种": word(words.CURRENCIES, deals.currency[chosen]),
            "签订日期": pl.select(
                pl.when(pl.lit(pl.Series(signed))).then(pl.lit(signed_on)).otherwise(pl.lit("待签订"))
            ).to_series(),
            "状态": word(("待签订", "已签订"), signed.astype(np.int64)),
            "付款方式": word([item[0] for item in words.PAYMENT_TERMS], terms.terms[chosen]),
            "交付周期": word(words.DELIVERY_TERMS, terms.delivery[chosen]),
            "主要条款": word(words.MAIN_TERMS, terms.main_terms[chosen]),
            "归档状态": word(
                ("未归档", "已归档"), (signed & (terms.signed[chosen] < now.cutoff - 15)).astype(np.int64)
            ),
        }
    )


def order_lines(time: WorkingTime, deals: Deals, accounts: Accounts, records: Records, now: View) -> pl.DataFrame:
    """One or two lines for each signed contract; they add up to its amount."""
    terms = records.contracts
    chosen, last, signed = _contracted(deals, terms, now)
    chosen, last = chosen[signed], last[signed]
    amount = deals.event_amount[last]
    service = np.round(amount * terms.service_share[chosen]).astype(np.int64)
    has_service = np.flatnonzero(service > 0)
    place = np.concatenate([np.arange(len(chosen)), has_service])
    is_service = np.concatenate([np.zeros(len(chosen), np.int64), np.ones(len(has_service), np.int64)])
    order = np.argsort(place, kind="stable")
    place, is_service = place[order], is_service[order]
    deal = chosen[place]
    value = np.where(is_service == 1, service[place], (amount - service)[place])
    quantity = np.where(is_service == 1, 1, 1 + deal % 4)
    quantity = np.where(value % quantity == 0, quantity, 1)
    product = np.where(is_service == 1, 6, deals.product[deal])
    contract = contract_ids(time, deals, deal)
    return pl.DataFrame(
        {
            "Line ID": contract + "-" + pl.Series(is_service + 1).cast(pl.String),
            "Contract": contract,
            "Opportunity ID": deal_ids(deals, deal),
            "Product": word([code for code, _, _, _ in words.PRODUCTS], product),
            "Account ID": account_ids(accounts, deals.account[deal]),
            "Owner ID": person_ids(deals.event_owner[last][place]),
            "Quantity": pl.Series(quantity),
            "Unit Price": plain(value // quantity),
            "Amount": plain(value),
            "Cost": plain(np.round(value * terms.cost_share[deal]).astype(np.int64)),
            "Currency": word(words.CURRENCIES, deals.currency[deal]),
            "Booked": dates(time.day(terms.signed[deal])),
        }
    )


def payments(time: WorkingTime, deals: Deals, records: Records, now: View) -> pl.DataFrame:
    """Instalments of signed contracts as their terms say; a third of the customers pays late."""
    terms = records.contracts
    chosen, last, signed = _contracted(deals, terms, now)
    chosen, last = chosen[signed], last[signed]
    parts = np.array([len(item[1]) for item in words.PAYMENT_TERMS])[terms.terms[chosen]]
    place = np.repeat(np.arange(len(chosen)), parts)
    turn = np.arange(len(place)) - np.repeat(np.cumsum(parts) - parts, parts)
    share, days = np.zeros((len(words.PAYMENT_TERMS), 3)), np.zeros((len(words.PAYMENT_TERMS), 3), np.int64)
    for number, (_, shares, due_after) in enumerate(words.PAYMENT_TERMS):
        share[number, : len(shares)], days[number, : len(shares)] = shares, due_after
    deal = chosen[place]
    amount = deals.event_amount[last][place]
    # Differences of what is due in all by each instalment: they add up to the contract, to the cent.
    due_by = np.round(amount * np.cumsum(share, axis=1)[terms.terms[deal], turn]).astype(np.int64)
    due = due_by - np.where(turn == 0, 0, np.roll(due_by, 1))
    due_on = time.day(terms.signed[deal]) + days[terms.terms[deal], turn]
    paid_on = due_on + terms.pays_late[deal]
    paid = paid_on <= now.day
    contract = contract_ids(time, deals, deal)
    return pl.DataFrame(
        {
            "回款编号": contract + "-P" + pl.Series(turn + 1).cast(pl.String),
            "合同编号": contract,
            "期次": pl.Series(turn + 1),
            "应收日期": dates(due_on, "%Y年%m月%d日"),
            "实收日期": known(dates(paid_on, "%Y年%m月%d日"), paid),
            "应收金额": grouped(due),
            "实收金额": known(grouped(due), paid),
            "币种": word(words.CURRENCIES, deals.currency[deal]),
        }
    )

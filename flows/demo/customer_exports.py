"""People on both sides: the sales organisation, customers and contacts, what they require and object to."""

from datetime import date

import numpy as np
import polars as pl

from flows.demo import vocabulary as words
from flows.demo.calendar import Ints, WorkingTime
from flows.demo.columns import account_names, contact_names, dates, known, numbered, word
from flows.demo.deals import Accounts, Deals
from flows.demo.records import Findings, Records
from flows.demo.view import View, account_ids, deal_ids, person_ids


def users(people: pl.DataFrame, night: date) -> pl.DataFrame:
    """Everybody who has joined by ``night``; whoever has left by then is inactive."""
    left = pl.col("left_on") < night
    return people.filter(pl.col("hired_on") <= night).select(
        pl.col("user_id").alias("User ID"),
        pl.col("name").alias("Name"),
        pl.col("email").alias("Email"),
        pl.col("manager_id").alias("Manager ID"),
        pl.col("role").alias("Role"),
        pl.col("region").alias("Region"),
        pl.col("team").alias("Team"),
        pl.when(left.fill_null(value=False)).then(pl.lit("FALSE")).otherwise(pl.lit("TRUE")).alias("Active"),
        pl.col("hired_on").dt.strftime("%Y-%m-%d").alias("Hired"),
        pl.when(left).then(pl.col("left_on").dt.strftime("%Y-%m-%d")).alias("Left"),
        pl.col("language").alias("Language"),
    )


def accounts_table(time: WorkingTime, accounts: Accounts, owner: Ints) -> pl.DataFrame:
    """Customers."""
    numbers = accounts.name
    return pl.DataFrame(
        {
            "客户编号": numbered("KH-", numbers),
            "客户名称": account_names(numbers, accounts.region),
            "所属行业": word(words.INDUSTRIES, accounts.industry),
            "客户类型": word(words.SEGMENTS, accounts.segment),
            "企业规模": word(words.SIZE_BANDS, np.minimum(accounts.segment + numbers % 2, 3)),
            "区域": word(words.REGIONS, accounts.region),
            "负责人编号": person_ids(owner),
            "创建日期": dates(time.working[0] - 20 - numbers % 700, "%Y/%m/%d"),
        }
    )


def contacts(accounts: Accounts) -> pl.DataFrame:
    """One or two people for each customer."""
    place = np.repeat(np.arange(len(accounts.name)), 1 + (accounts.name * 13 % 5 < 3))
    turn = (np.arange(len(place)) > 0) & (place == np.roll(place, 1))
    number = accounts.name[place] * 2 + turn
    title = (number * 5) % len(words.TITLES)
    return pl.DataFrame(
        {
            "联系人编号": numbered("LX-", number),
            "客户编号": numbered("KH-", accounts.name[place]),
            "姓名": contact_names(number, accounts.region[place]),
            "职务": word(words.TITLES, title),
            "手机": "1" + pl.Series(3_800_000_000 + (number * 104_729) % 100_000_000).cast(pl.String),
            "邮箱": "contact" + pl.Series(number).cast(pl.String) + "@example.com",
            "是否决策人": word(("否", "是"), ((title == 2) | (title == 7)).astype(np.int64)),
        }
    )


def requirements(time: WorkingTime, deals: Deals, accounts: Accounts, records: Records, now: View) -> pl.DataFrame:
    """Requirements as customers confirmed them."""
    found, chosen = _visible(records.requirements, now)
    deal = found.deal[chosen]
    number = deals.first_number + deal
    return pl.DataFrame(
        {
            "需求编号": numbered("XQ-", number),
            "商机编号": deal_ids(deals, deal),
            "客户编号": account_ids(accounts, deals.account[deal]),
            "需求类型": word(words.REQUIREMENT_TYPES, found.kind[chosen]),
            "具体需求描述": word(words.REQUIREMENT_TEXTS, found.text[chosen]),
            "优先级": word(words.PRIORITIES, number % 3),
            "客户痛点": word(words.PAIN_POINTS, number % len(words.PAIN_POINTS)),
            "解决方案方向": word(words.SOLUTIONS, found.answer[chosen]),
            "确认人": contact_names(number, deals.region[deal]),
            "确认时间": dates(time.day(found.at[chosen])),
        }
    )


def objections(time: WorkingTime, deals: Deals, records: Records, now: View) -> pl.DataFrame:
    """Objections and what became of them, judged by what became of the deal."""
    found, chosen = _visible(records.objections, now)
    deal = found.deal[chosen]
    stage = np.full(deals.count, 0)
    stage[now.deals] = deals.event_stage[now.last]
    # Settled by the first event that takes the deal on from the stage of the objection.
    at, where = np.full(deals.count, np.inf), np.zeros(deals.count, np.int64)
    at[deal], where[deal] = found.at[chosen], found.stage[chosen]
    passed = np.flatnonzero(
        now.events & (deals.event_at > at[deals.event_deal]) & (deals.event_stage > where[deals.event_deal])
    )
    settled = np.full(deals.count, -1)
    settled[deals.event_deal[passed[::-1]]] = passed[::-1]
    on = settled[deal]
    outcome = np.where(stage[deal] == words.LOST, 2, np.where(stage[deal] > found.stage[chosen], 0, 1))
    return pl.DataFrame(
        {
            "异议编号": numbered("YY-", deals.first_number + deal),
            "商机编号": deal_ids(deals, deal),
            "异议类型": word(words.OBJECTION_TYPES, found.kind[chosen]),
            "所处阶段": word(words.STAGES_ZH, found.stage[chosen]),
            "提出日期": dates(time.day(found.at[chosen])),
            "处理日期": known(dates(time.day(deals.event_at[np.maximum(on, 0)])), (on >= 0) & (outcome != 1)),
            "应对方式": word(words.OBJECTION_RESPONSES, found.answer[chosen]),
            "结果": word(("已解决", "未解决", "导致丢单"), outcome),
        }
    )


def _visible(found: Findings, now: View) -> tuple[Findings, Ints]:
    return found, np.flatnonzero((found.at < now.cutoff) & now.visible[found.deal])

"""The CRM's export of one night, table by table: the rows that exist by then, written the way each system writes them."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from flows.demo import vocabulary as words
from flows.demo.calendar import Floats, Ints, WorkingTime, epoch_day
from flows.demo.columns import account_names, contact_names, dates, grouped, known, moments, numbered, plain, word
from flows.demo.deals import Accounts, Deals
from flows.demo.records import NOT_YET, Contracts, Findings, Records


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


def opportunities(time: WorkingTime, deals: Deals, accounts: Accounts, now: View, people: pl.DataFrame) -> pl.DataFrame:
    """Opportunities with Chinese headers; amounts with a currency sign and thousands, moments in local time."""
    chosen, last = now.deals, now.last
    account = deals.account[chosen]
    stage, owner = deals.event_stage[last], deals.event_owner[last]
    closed = stage >= words.WON
    number = deals.first_number + chosen
    names = account_names(accounts.name[account], accounts.region[account])
    at = deals.event_at[last]
    step = (number * 31 + last - deals.starts[chosen]) % len(words.NEXT_STEPS)
    # One open deal in eight has no next step; a sales leader will want to see these.
    step = np.where(closed | (number % 8 == 0), -1, step)
    lost = stage == words.LOST
    reason_edges = np.cumsum(words.LOSS_SHARE)[:-1]
    reason = np.searchsorted(reason_edges, (number * 0.6180339887) % 1.0, side="right")
    rival = np.where((reason == 1) | (number % 5 == 0), number % len(words.COMPETITORS), -1)
    moment = "%Y/%m/%d %H:%M:%S"
    return pl.DataFrame(
        {
            "商机编号": deal_ids(deals, chosen),
            "商机名称": names + " " + word([name for _, name, _, _ in words.PRODUCTS], deals.product[chosen]),
            "客户编号": account_ids(accounts, account),
            "负责人编号": person_ids(owner),
            "负责人": people["name"].gather(owner),
            "阶段": word(words.STAGES_ZH, stage),
            "金额": grouped(deals.event_amount[last], words.AMOUNT_PREFIX, deals.currency[chosen]),
            "币种": word(words.CURRENCIES, deals.currency[chosen]),
            "创建时间": moments(time.seconds(deals.created[chosen]), moment),
            "预计成交日期": dates(deals.event_expected[last]),
            "关闭时间": known(moments(time.seconds(at), moment), closed),
            "产品编号": word([code for code, _, _, _ in words.PRODUCTS], deals.product[chosen]),
            "客户类型": word(words.SEGMENTS, deals.segment[chosen]),
            "区域": word(words.REGIONS, deals.region[chosen]),
            "来源": word(words.SOURCES, deals.source[chosen]),
            "预测类别": word(words.CATEGORIES_ZH, stage),
            "丢单原因": word(words.LOSS_REASONS, np.where(lost, reason, -1)),
            "竞争对手": word(words.COMPETITORS, np.where(lost, rival, -1)),
            "下一步": word(words.NEXT_STEPS, step),
            "最后修改时间": moments(now.modified, moment),
            "商机评分": pl.Series(number * 7 % 100),
        }
    )


def opportunity_history(time: WorkingTime, deals: Deals, now: View) -> pl.DataFrame:
    """Every recorded change as a typed Parquet table; moments in UTC."""
    at = np.flatnonzero(now.events)
    deal = deals.event_deal[at]
    stage = deals.event_stage[at]
    utc = (time.seconds(deals.event_at[at]) - 8 * 3600) * 1_000_000
    order = at - deals.starts[deal] + 1
    return pl.DataFrame(
        {
            "Id": numbered("H", deals.first_number + deal) + "-" + pl.Series(order).cast(pl.String).str.zfill(2),
            "OpportunityId": deal_ids(deals, deal),
            "CreatedDate": pl.Series(utc).cast(pl.Datetime("us", "UTC")),
            "StageName": word(words.STAGES_EN, stage),
            "Amount": (pl.Series(deals.event_amount[at]).cast(pl.Decimal(20, 2)) / 100).cast(pl.Decimal(18, 2)),
            "CurrencyIsoCode": word(words.CURRENCIES, deals.currency[deal]),
            "CloseDate": pl.Series(deals.event_expected[at].astype(np.int32)).cast(pl.Date),
            "OwnerId": person_ids(deals.event_owner[at]),
            "ForecastCategory": word(words.CATEGORIES_EN, stage),
        }
    )


def leads(
    time: WorkingTime, deals: Deals, accounts: Accounts, records: Records, now: View, owner: Ints, first: int
) -> pl.DataFrame:
    """Leads with English headers and day-first moments without seconds."""
    lead = records.leads
    chosen = np.flatnonzero(lead.created < now.cutoff)
    deal = lead.deal[chosen]
    converted = lead.converted[chosen] < now.cutoff
    touched = lead.touched[chosen] < now.cutoff
    old = now.cutoff - lead.created[chosen] > 60  # noqa: PLR2004
    status = np.where(converted, 3, np.where(touched & old, 2, np.where(touched, 1, 0)))
    layout = "%d/%m/%Y %H:%M"
    account = deals.account[deal]
    # An unconverted lead is another company of the same kind.
    other = np.where(
        lead.converted[chosen] < NOT_YET, accounts.name[account], accounts.name[account] + 31 * (chosen + 1)
    )
    return pl.DataFrame(
        {
            "Lead ID": numbered("L-", first + chosen, 8),
            "Company": account_names(other, deals.region[deal]),
            "Lead Source": word(words.SOURCES, deals.source[deal]),
            "Rating": word(words.QUALITIES_ZH, lead.quality[chosen]),
            "Status": word(("New", "Contacted", "Disqualified", "Converted"), status),
            "Industry": word(words.INDUSTRIES, deals.industry[deal]),
            "Segment": word(words.SEGMENTS, deals.segment[deal]),
            "Region": word(words.REGIONS, deals.region[deal]),
            "Owner ID": person_ids(owner[chosen]),
            "Created": moments(time.seconds(lead.created[chosen]), layout),
            "First Touch": known(
                moments(time.seconds(np.minimum(lead.touched[chosen], now.cutoff - 1)), layout), touched
            ),
            "Converted": known(
                moments(time.seconds(np.minimum(lead.converted[chosen], now.cutoff - 1)), layout), converted
            ),
            "Opportunity ID": deal_ids(deals, np.where(converted, deal, -1)),
        }
    )


def activities(
    time: WorkingTime, deals: Deals, accounts: Accounts, records: Records, now: View, first: int
) -> pl.DataFrame:
    """Activities as JSON lines, moments in UTC with a Z; those of deleted deals are gone with them."""
    activity = records.activities
    chosen = np.flatnonzero((activity.at < now.cutoff) & now.visible[activity.deal])
    deal, kind = activity.deal[chosen], activity.kind[chosen]
    owner = _owner_at(deals, deal, activity.at[chosen])
    return pl.DataFrame(
        {
            "id": numbered("A-", first + chosen, 8),
            "type": word(words.ACTIVITY_TYPES, kind),
            "opportunity_id": deal_ids(deals, deal),
            "account_id": account_ids(accounts, deals.account[deal]),
            "owner_id": person_ids(owner),
            "occurred_at": moments(time.seconds(activity.at[chosen]), "%Y-%m-%dT%H:%M:%SZ", utc=True),
            "duration_min": pl.Series(activity.minutes[chosen]),
            "subject": word(words.ACTIVITY_SUBJECTS, kind),
        }
    )


def _owner_at(deals: Deals, deal: Ints, at: Floats) -> Ints:
    """Owner of each deal at a moment: that of its newest event by then."""
    # Deal and moment in one sortable number; a moment is below 10,000 working days.
    place = np.searchsorted(deals.event_deal * 1e4 + deals.event_at, deal * 1e4 + at, side="right") - 1
    return deals.event_owner[np.maximum(place, deals.starts[deal])]


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
    due = np.round(amount * share[terms.terms[deal], turn]).astype(np.int64)
    paid_before = np.round(amount * np.cumsum(share, axis=1)[terms.terms[deal], turn]).astype(np.int64)
    # The last instalment is what is left, so that the parts add up to the contract.
    is_last = turn == parts[place] - 1
    due = np.where(is_last, amount - (paid_before - due), due)
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
            "是否决策人": word(("否", "是"), ((title == 2) | (title == 7)).astype(np.int64)),  # noqa: PLR2004
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
    outcome = np.where(stage[deal] == words.LOST, 2, np.where(stage[deal] > found.stage[chosen], 0, 1))
    return pl.DataFrame(
        {
            "异议编号": numbered("YY-", deals.first_number + deal),
            "商机编号": deal_ids(deals, deal),
            "异议类型": word(words.OBJECTION_TYPES, found.kind[chosen]),
            "所处阶段": word(words.STAGES_ZH, found.stage[chosen]),
            "提出日期": dates(time.day(found.at[chosen])),
            "应对方式": word(words.OBJECTION_RESPONSES, found.answer[chosen]),
            "结果": word(("已解决", "未解决", "导致丢单"), outcome),
        }
    )


def _visible(found: Findings, now: View) -> tuple[Findings, Ints]:
    return found, np.flatnonzero((found.at < now.cutoff) & now.visible[found.deal])


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

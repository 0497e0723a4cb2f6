"""Deals, their history, leads and activities of one night, written the way each system writes them."""

import numpy as np
import polars as pl

from flows.demo import vocabulary as words
from flows.demo.calendar import Floats, Ints, WorkingTime
from flows.demo.columns import account_names, dates, grouped, known, moments, numbered, word
from flows.demo.deals import Accounts, Deals
from flows.demo.records import NOT_YET, Records
from flows.demo.view import View, account_ids, deal_ids, person_ids


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
    gathered = _gathered(deals, now, chosen)
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
            "采购要素": word(words.BUYING_ELEMENT_SETS, gathered - 1),
            "最后修改时间": moments(now.modified, moment),
            "商机评分": pl.Series(number * 7 % 100),
        }
    )


def _gathered(deals: Deals, now: View, chosen: Ints) -> Ints:
    """The buying elements known of each deal, as a number of four bits: more with every stage reached, in any order.

    Drawn from the deal's number and not from the stream that made the company, which stays what it is.
    """
    furthest = np.zeros(deals.count, np.int64)
    events = np.flatnonzero(now.events & (deals.event_stage < words.WON))
    np.maximum.at(furthest, deals.event_deal[events], deals.event_stage[events])
    stage = np.where(deals.event_stage[now.last] == words.WON, words.WON, furthest[chosen])
    number = deals.first_number + chosen
    bits = np.zeros(len(chosen), np.int64)
    for element, share in enumerate(words.GATHERED_BY_STAGE):
        draw = (number * (0.7548776662 + 0.1 * element) + 0.1 * element) % 1.0
        bits += (draw < np.array(share)[stage]).astype(np.int64) << element
    return bits


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
    old = now.cutoff - lead.created[chosen] > 60
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

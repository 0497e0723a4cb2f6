"""Deals of the demo company: history fits state, totals are true, nights differ as stated, figures are plausible."""

from collections import Counter, defaultdict
from datetime import date

import pytest

from flows.demo.vocabulary import STAGES_EN, STAGES_ZH
from tests.unit.demo.conftest import Company, amount

LAST_OF_HISTORY = """
    select OpportunityId, arg_max(StageName, Id), arg_max(Amount, Id), arg_max(CloseDate, Id), arg_max(OwnerId, Id),
        strftime(min(CreatedDate), '%Y/%m/%d %H:%M:%S'), strftime(max(CreatedDate), '%Y/%m/%d %H:%M:%S')
    from {history} group by all
"""


def test_the_last_history_row_of_every_deal_is_how_it_stands(company: Company) -> None:
    english = dict(zip(STAGES_ZH, STAGES_EN, strict=True))
    for night in company.manifest.nights:
        rows = {row["商机编号"]: row for row in company.good(night, "crm/opportunities.csv")}
        history = {row[0]: row[1:] for row in company.sql(LAST_OF_HISTORY, night)}
        assert len(history) - len(rows) == (night != company.last), "one deal is mistyped before the last night"
        for key, row in rows.items():
            stage, value, closing, owner, first, last = history[key]
            assert stage == english[row["阶段"]]
            assert round(value * 100) == amount(row["金额"])
            assert (closing.isoformat(), owner) == (row["预计成交日期"], row["负责人编号"])
            assert first == row["创建时间"]
            assert row["关闭时间"] == (last if "Closed" in stage else "")
            assert row["最后修改时间"] >= last


def test_histories_go_forward_in_time_and_end_with_the_close(company: Company) -> None:
    (faults,) = company.sql(
        """
        with steps as (
            select *,
                lag(CreatedDate) over deal as before,
                lag(StageName) over deal as stage_before,
                lag(Amount) over deal as amount_before,
                lag(CloseDate) over deal as close_before,
                lag(OwnerId) over deal as owner_before
            from {history}
            window deal as (partition by OpportunityId order by Id)
        )
        select
            count(*) filter (before >= CreatedDate),
            count(*) filter (stage_before like 'Closed%'),
            count(*) filter (before is null and StageName <> 'Prospecting'),
            count(*) filter (
                before is not null and StageName = stage_before and Amount = amount_before and CloseDate = close_before
                and OwnerId = owner_before
            ),
            count(*) filter (StageName = 'Closed Won' and stage_before <> 'Contracting')
        from steps
        """,
        company.last,
    )
    assert faults[:3] == (0, 0, 0)
    assert faults[3] <= 5, "a push lands on the same day now and then"
    assert faults[4] == 0


def test_totals_of_every_night_are_those_of_its_files(company: Company) -> None:
    for night in company.manifest.nights:
        stated = company.night(night)["totals"]
        rows = company.good(night, "crm/opportunities.csv")
        stages = Counter(row["阶段"] for row in rows)
        won: dict[str, int] = defaultdict(int)
        for row in rows:
            if row["阶段"] == "已成交":
                won[row["币种"]] += amount(row["金额"])
        assert stated["opportunities"] == len(rows)
        assert (stated["won"], stated["lost"]) == (stages["已成交"], stages["流失"])
        assert stated["open"] == len(rows) - stages["已成交"] - stages["流失"]
        assert {code: stated[f"won_hundredths_{code}"] for code in ("CNY", "USD", "HKD")} == won


def test_between_nights_deals_come_move_change_hands_and_vanish(company: Company) -> None:
    nights = company.manifest.nights
    for before, night in zip(nights, nights[1:], strict=False):
        old = {row["商机编号"]: row for row in company.good(before, "crm/opportunities.csv")}
        new = {row["商机编号"]: row for row in company.good(night, "crm/opportunities.csv")}
        stated = company.night(night)["totals"]
        mended = {row["商机编号"] for row in _mistyped(company, before)} & new.keys()
        assert len(new.keys() - old.keys() - mended) == stated["created"] > 0
        assert len(old.keys() - new.keys()) == stated["deleted"] > 0
        both = old.keys() & new.keys()
        assert sum(old[key]["负责人编号"] != new[key]["负责人编号"] for key in both) == stated["owner_changes"] > 0
        assert 0 < sum(old[key]["阶段"] != new[key]["阶段"] for key in both) <= stated["stage_changes"]
        assert stated["pushes"] > 0
        assert all(old[key] == new[key] for key in both if old[key]["阶段"] in {"已成交", "流失"})


def _mistyped(company: Company, night: date) -> list[dict[str, str]]:
    header, *records = company.records(night, "crm/opportunities.csv")
    rows = [dict(zip(header, record, strict=False)) for record in records]
    return [row for row in rows if row.get("金额") == "12O,000.00"]


def test_one_real_deal_is_mistyped_until_the_last_night(company: Company) -> None:
    *earlier, last = company.manifest.nights
    keys = {row["商机编号"] for night in earlier for row in _mistyped(company, night)}
    assert len(keys) == 1
    assert _mistyped(company, last) == []
    (mended,) = [row for row in company.good(last, "crm/opportunities.csv") if row["商机编号"] in keys]
    assert amount(mended["金额"]) > 0


def test_contracts_lines_and_instalments_add_up(company: Company) -> None:
    contracts = {row["合同编号"]: row for row in company.good(company.last, "crm/contracts.csv")}
    signed = {key: row for key, row in contracts.items() if row["状态"] == "已签订"}
    due: dict[str, int] = defaultdict(int)
    lines: dict[str, int] = defaultdict(int)
    for row in company.good(company.last, "crm/payments.csv"):
        due[row["合同编号"]] += amount(row["应收金额"])
    for row in company.good(company.last, "crm/order_lines.csv"):
        lines[row["Contract"]] += amount(row["Amount"])
        assert amount(row["Unit Price"]) * int(row["Quantity"]) == amount(row["Amount"])
    stated = {key: amount(row["合同金额（元）"]) for key, row in signed.items()}
    assert due == stated == lines
    assert {row["签订日期"] for key, row in contracts.items() if key not in signed} == {"待签订"}
    assert len(contracts) > len(signed) > 0


def test_child_records_refer_to_parents_that_exist(company: Company) -> None:
    last = company.last
    users = {row["User ID"] for row in company.good(last, "crm/users.csv")}
    accounts = {row["客户编号"] for row in company.good(last, "crm/accounts.csv")}
    deals = {row["商机编号"]: row for row in company.good(last, "crm/opportunities.csv")}
    assert {row["负责人编号"] for row in deals.values()} <= users
    assert {row["客户编号"] for row in deals.values()} <= accounts
    assert {row["客户编号"] for row in company.good(last, "crm/contacts.csv")} <= accounts
    assert {row["商机编号"] for row in company.good(last, "crm/objections.csv")} <= deals.keys()
    assert {row["Owner ID"] for row in company.good(last, "crm/leads.csv")} <= users
    assert {row["负责人编号"] for row in company.good(last, "crm/store_visits.csv")} <= users


@pytest.mark.parametrize(
    ("figure", "low", "high"),
    [
        ("win rate of closed deals", 0.24, 0.31),
        ("median days from creation to win", 55, 95),
        ("pipeline dated this year over what is left of the year's target", 2.0, 4.5),
        ("share of open deals past their stated close", 0.02, 0.3),
    ],
)
def test_figures_are_those_of_a_plausible_company(company: Company, figure: str, low: float, high: float) -> None:
    assert low <= _figures(company)[figure] <= high


def _figures(company: Company) -> dict[str, float]:
    rows = company.good(company.last, "crm/opportunities.csv")
    won = [row for row in rows if row["阶段"] == "已成交"]
    lost = [row for row in rows if row["阶段"] == "流失"]
    open_ = [row for row in rows if not row["关闭时间"]]
    rate = {"CNY": 1.0, "USD": 7.1, "HKD": 0.91}
    days = sorted((_day(row["关闭时间"]) - _day(row["创建时间"])).days for row in won)
    year = company.night(company.last)["pace"]["year"]["company"]
    dated = sum(amount(row["金额"]) * rate[row["币种"]] for row in open_ if row["预计成交日期"] <= "2026-12-31")
    return {
        "win rate of closed deals": len(won) / (len(won) + len(lost)),
        "median days from creation to win": days[len(days) // 2],
        "pipeline dated this year over what is left of the year's target": dated / (year["target"] - year["bookings"]),
        "share of open deals past their stated close": sum(
            row["预计成交日期"] < company.last.isoformat() for row in open_
        )
        / len(open_),
    }


def _day(text: str) -> date:
    return date.fromisoformat(text[:10].replace("/", "-"))

"""The stories planted in the demo company can be found in its files, by counting them without planloop."""

from bisect import bisect_right
from collections import Counter, defaultdict
from datetime import date, datetime
from statistics import median
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.unit.demo.conftest import Company, amount


def _planted(company: Company, name: str) -> dict[str, Any]:
    found: dict[str, Any] = company.truths["planted"][name]
    return found


def _sheet(company: Company, name: str, header_row: int) -> list[dict[str, Any]]:
    rows = (
        CalamineWorkbook.from_path(company.folder(company.last) / "planning.xlsx").get_sheet_by_name(name).to_python()
    )
    header = [str(cell) for cell in rows[header_row - 1]]
    return [dict(zip(header, row, strict=True)) for row in rows[header_row:]]


def _quarter(day: date) -> str:
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1).isoformat()


def _created(lead: dict[str, str]) -> date:
    return datetime.strptime(lead["Created"], "%d/%m/%Y %H:%M").date()  # noqa: DTZ007 (a date as written)


def _bookings(company: Company, night: date) -> list[tuple[str, date, int]]:
    """Owner, day and hundredths of CNY of every won deal, at the rate that held on the day."""
    rates: dict[str, list[tuple[date, int]]] = defaultdict(list)
    for row in sorted(_sheet(company, "汇率", 1), key=lambda row: row["生效日期"]):
        rates[row["币种"]].append((row["生效日期"], round(row["汇率"] * 10_000)))
    result = []
    for row in company.good(night, "crm/opportunities.csv"):
        if row["阶段"] != "已成交":
            continue
        day, value = date.fromisoformat(row["关闭时间"][:10].replace("/", "-")), amount(row["金额"])
        if row["币种"] != "CNY":
            known = rates[row["币种"]]
            value = (value * known[bisect_right(known, (day, 10**9)) - 1][1] + 5_000) // 10_000
        result.append((row["负责人编号"], day, value))
    return result


def test_lead_conversion_of_the_south_falls_in_the_third_quarter(company: Company) -> None:
    story = _planted(company, "lead_conversion_drop")
    leads = [row for row in company.good(company.last, "crm/leads.csv") if row["Region"] == story["region"]]
    total = Counter(_quarter(_created(row)) for row in leads)
    converted = Counter(_quarter(_created(row)) for row in leads if row["Opportunity ID"])
    bad = story["quarter_start_on"]
    assert bad == "2026-07-01"
    assert (total[bad], converted[bad]) == (story["leads"], story["converted"])
    before = [quarter for quarter in total if quarter < bad]
    assert converted[bad] / total[bad] < 0.7 * sum(converted[q] for q in before) / sum(total[q] for q in before)
    assert converted[bad] / total[bad] < min(converted[q] / total[q] for q in sorted(before)[1:])


def test_one_lead_source_dries_up(company: Company) -> None:
    story = _planted(company, "falling_lead_source")
    leads = [row for row in company.good(company.last, "crm/leads.csv") if row["Lead Source"] == story["source"]]
    found = Counter(_quarter(_created(row)) for row in leads)
    assert {quarter: count for quarter, count in story["leads_by_quarter"].items() if count} == found
    assert found["2026-07-01"] < 0.4 * found["2025-07-01"]


def test_one_rep_piles_up_deals_without_moving_them(company: Company) -> None:
    story = _planted(company, "deals_piled_up")
    held = Counter(
        row["负责人编号"] for row in company.good(company.last, "crm/opportunities.csv") if not row["关闭时间"]
    )
    rep, most = held.most_common(1)[0]
    assert (rep, most) == (story["user_id"], story["open"])
    assert most >= 2.5 * median(held.values())
    moved = dict(
        company.sql(
            """
            with steps as (
                select OwnerId, CreatedDate, Id, OpportunityId, StageName,
                    lag(StageName) over (partition by OpportunityId order by Id) as before from {history}
            )
            select OwnerId, count(*) filter (StageName <> before and StageName <> 'Closed Lost') / count(*)
            from steps where before is not null and CreatedDate >= timestamp '2026-05-20'
            group by OwnerId having count(*) >= 20
            """,
            company.last,
        )
    )
    assert moved[rep] == min(moved.values())


def test_proposals_are_stuck_of_late(company: Company) -> None:
    story = _planted(company, "stuck_stage")
    assert story["stage"] == "proposal"
    (recent, before) = company.sql(
        """
        with steps as (
            select *, lag(StageName) over deal is distinct from StageName as enters from {history}
            window deal as (partition by OpportunityId order by Id)
        ),
        spells as (
            select StageName, CreatedDate as entered,
                lead(CreatedDate, 1, timestamptz '2026-11-21') over (partition by OpportunityId order by Id) as left_at
            from steps where enters
        )
        select avg((left_at - entered > interval 28 days)::int) as share
        from spells where StageName = 'Proposal' and (
            entered between timestamp '2026-08-25' and timestamp '2026-10-22'
            or entered between timestamp '2025-08-25' and timestamp '2025-10-22'
        )
        group by year(entered) order by year(entered) desc
        """,
        company.last,
    )
    assert recent[0] > 1.3 * before[0]
    assert story["long_share"] > 1.3 * story["long_share_a_year_before"]


def test_in_one_month_a_quarter_fewer_heads_sell_a_fifth_more_each_and_miss_the_target(company: Company) -> None:
    story = _planted(company, "fewer_heads_more_each")
    month = story["month"][:7]
    east = {
        row["User ID"]: row for row in company.good(company.last, "crm/users.csv") if row["Region"] == story["region"]
    }
    reps = {key: row for key, row in east.items() if row["Role"] == "rep" and row["Hired"][:7] <= month}
    heads = [key for key, row in reps.items() if not row["Left"] or row["Left"][:7] >= month]
    planned = [
        row
        for row in _sheet(company, "编制", 1)
        if row["区域"] == story["region"]
        and row["入职日期"].isoformat()[:7] <= month
        and not (row["离职日期"] and row["离职日期"].isoformat()[:7] < month)
    ]
    sold = sum(
        value for owner, day, value in _bookings(company, company.last) if owner in east and f"{day:%Y-%m}" == month
    )
    (target,) = [
        row["基准目标"]
        for row in _sheet(company, "目标", 2)
        if (row["指标"], row["层级"], row["名称"]) == ("签约额", "区域", story["region"])
        and f"{row['起始日期']:%Y-%m}" == month
    ]
    assert (len(heads), len(planned)) == (story["heads"], story["planned_heads"])
    assert len(heads) / len(planned) == 0.75
    assert sold / 100 / len(heads) / (target / len(planned)) == pytest.approx(1.20, abs=0.005)
    assert sold / 100 / target == pytest.approx(0.90, abs=0.005)


def test_bookings_of_every_node_and_period_are_those_of_the_files(company: Company) -> None:
    users = {row["User ID"]: row for row in company.good(company.last, "crm/users.csv")}
    starts = {"month": date(2026, 11, 1), "quarter": date(2026, 10, 1), "year": date(2026, 1, 1)}
    for night in company.manifest.nights:
        wins = _bookings(company, night)
        for period, start in starts.items():
            sold: dict[str, int] = defaultdict(int)
            for owner, day, value in wins:
                if day >= start:
                    row = users[owner]
                    nodes = (
                        "company",
                        f"region:{row['Region']}",
                        f"team:{row['Region']}/{row['Team']}",
                        f"rep:{owner}",
                    )
                    for node in nodes:
                        sold[node] += value
            stated = company.night(night)["pace"][period]
            assert {node: figures["bookings"] for node, figures in stated.items() if figures["bookings"]} == sold


def test_one_team_is_well_below_pace_and_the_company_is_on_plan(company: Company) -> None:
    weak = _planted(company, "team_below_pace")["node_key"]
    for night in company.manifest.nights:
        pace = company.night(night)["pace"]
        assert pace["month"][weak]["pace_index"] < 0.75
        assert all(pace[period]["company"]["pace_index"] > 0.95 for period in ("month", "quarter", "year"))
    healthy = [key for key in pace["month"] if key.startswith("team:") and key != weak]
    on_plan = [key for key in healthy if 0.9 <= pace["month"][key]["pace_index"] <= 1.15]
    assert len(on_plan) >= 0.8 * len(healthy)


def test_one_rep_is_far_below_pace_and_recovers_on_the_last_night(company: Company) -> None:
    story = _planted(company, "rep_recovers")
    paces = {
        night.isoformat(): company.night(night)["pace"][story["period_kind"]][story["node_key"]]
        for night in company.manifest.nights
    }
    assert story["below_until"] < story["recovered_on"] == company.last.isoformat()
    for night, figures in paces.items():
        assert figures["elapsed"] > 0.3
        assert figures["pace_index"] > 0.95 if night >= story["recovered_on"] else figures["pace_index"] < 0.5


def test_targets_of_children_add_up_to_their_parents(company: Company) -> None:
    users = {row["User ID"]: row for row in company.good(company.last, "crm/users.csv")}
    given: dict[str, dict[tuple[Any, ...], float]] = defaultdict(lambda: defaultdict(float))
    for row in _sheet(company, "目标", 2):
        cell = (row["计划版本"], row["指标"], row["起始日期"])
        given[row["层级"]][*cell, row["名称"]] += row["基准目标"]
    from_reps: dict[str, dict[tuple[Any, ...], float]] = defaultdict(lambda: defaultdict(float))
    for (*part, rep), value in given["个人"].items():
        for level, name in (
            ("团队", users[rep]["Team"]),
            ("区域", users[rep]["Region"]),
            ("公司", company.truths["company"]),
        ):
            from_reps[level][*part, name] += value
    for level in ("公司", "区域", "团队"):
        assert given[level] == {key: value for key, value in from_reps[level].items() if key in given[level]}
        assert sum(given[level].values()) == sum(from_reps[level].values())


def test_past_years_were_closed_near_their_targets(company: Company) -> None:
    sold: dict[int, int] = defaultdict(int)
    for _, day, value in _bookings(company, company.last):
        sold[day.year] += value
    for year in (2024, 2025):
        target = sum(
            row["基准目标"]
            for row in _sheet(company, "目标", 2)
            if (row["指标"], row["层级"]) == ("签约额", "公司") and row["起始日期"].year == year
        )
        assert 0.9 <= sold[year] / 100 / target <= 1.05

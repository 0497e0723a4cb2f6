"""Workbooks: the planning book, the price list and the list of stores."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import xlsxwriter

from flows.demo import vocabulary as words
from flows.demo.calendar import WorkingTime, month_start, quarter_start
from flows.demo.organisation import Organisation
from flows.demo.plan import STRETCH_PERCENT, Plan, nodes

COMPANY = "示例科技有限公司"
CREATED = datetime(2026, 1, 5, 9, 0, 0)  # noqa: DTZ001 (a property of the file, without zone)
MANY_DEALS = 3
Row = Sequence[Any]


def write_workbook(path: Path, sheets: Iterable[tuple[str, Sequence[str], Sequence[str], Iterable[Row]]]) -> None:
    """Write sheets of (name, title rows, header, rows); the same content gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"title": path.stem, "author": "planloop demo", "created": CREATED})
        bold = book.add_format({"bold": True})
        for name, titles, header, rows in sheets:
            sheet = book.add_worksheet(name)
            for number, title in enumerate(titles):
                sheet.write_string(number, 0, title, bold)
            sheet.write_row(len(titles), 0, header, bold)
            for number, row in enumerate(rows, start=len(titles) + 1):
                sheet.write_row(number, 0, row)


def exchange_rates(time: WorkingTime) -> list[tuple[str, date, int]]:
    """Rates into CNY by quarter, in ten-thousandths, from the quarter before the data begin."""
    rates, day, number = [], month_start(quarter_start(time.first), -3), 0
    while day <= time.last:
        rates.append(("USD", day, 71_200 + (number * 37 % 11 - 5) * 120))
        rates.append(("HKD", day, 9_110 + (number * 37 % 11 - 5) * 15))
        day, number = month_start(day, 3), number + 1
    return rates


def planning(path: Path, time: WorkingTime, organisation: Organisation, plan: Plan) -> None:
    """The planning book: 目标, 编制, 重点举措, 汇率."""
    headcount = [
        (
            row["user_id"],
            row["name"],
            row["region"],
            row["team"],
            row["hired_on"],
            _planned_leave(row, organisation),
            6,
            1.0,
        )
        for row in organisation.people.filter(pl.col("role") == "rep").iter_rows(named=True)
    ]
    next_year = date(time.last.year + 1, 3, 1)
    headcount += [
        (f"HIRE-{number + 1}", None, region, None, next_year, None, 6, 1.0)
        for number, region in enumerate(words.REGIONS)
    ]
    sheets = [
        (
            "目标",
            (f"{COMPANY} 销售目标（单位：元 / 单）",),
            ("计划版本", "指标", "期间", "起始日期", "层级", "名称", "基准目标", "挑战目标", "币种"),
            _target_rows(organisation, plan),
        ),
        ("编制", (), ("工号", "姓名", "区域", "团队", "入职日期", "离职日期", "爬坡月数", "指标系数"), headcount),
        (
            "重点举措",
            (),
            ("举措编号", "目标", "行动", "责任人", "截止日期", "指标", "状态", "预算", "开始日期", "线索来源"),
            _initiatives(time, organisation),
        ),
        (
            "汇率",
            (),
            ("币种", "生效日期", "汇率"),
            [(code, day, rate / 10_000) for code, day, rate in exchange_rates(time)],
        ),
    ]
    write_workbook(path, sheets)


def _planned_leave(row: dict[str, Any], organisation: Organisation) -> date | None:
    """Departures that the plan knew of: not those of the planted month."""
    left = row["left_on"]
    return left if left and left < organisation.leavers_month - timedelta(days=20) else None


def _target_rows(organisation: Organisation, plan: Plan) -> Iterable[Row]:
    """A row for each month of each year in which the plan counts on a node; 0 where a rep is not there."""
    kinds = {"company": "公司", "region": "区域", "team": "团队", "rep": "个人"}
    for kind, name, values, counts in nodes(plan, organisation, COMPANY):
        of_year: dict[int, int] = {}
        for month, value in zip(plan.months, values.tolist(), strict=True):
            of_year[month.year] = of_year.get(month.year, 0) + value
        for month, value, count in zip(plan.months, values.tolist(), counts.tolist(), strict=True):
            if not of_year[month.year]:
                continue
            version, stretch = str(month.year), value * STRETCH_PERCENT // 100
            yield (version, "签约额", "月", month, kinds[kind], name, value / 100, stretch / 100, "CNY")
            yield (version, "赢单数", "月", month, kinds[kind], name, count, count + (count > MANY_DEALS), None)


def _initiatives(time: WorkingTime, organisation: Organisation) -> list[Row]:
    leaders = organisation.people.filter(pl.col("role") == "leader")["user_id"].to_list()
    manager = organisation.people.filter(pl.col("role") == "manager")["user_id"].to_list()
    end = quarter_start(time.last)
    south, east, head = leaders[words.SOUTH], leaders[words.EAST], leaders[-1]
    last, earlier = month_start(end, 3), month_start(end, 2)
    year = date(time.last.year, 1, 1)
    fairs, adverts = words.SOURCES[words.FALLING_SOURCE], words.SOURCES[words.ADVERTS]
    return [
        ("JC-01", "华南线索转化率恢复到35%", "线索两小时内首次联系", south, last, "lead_conversion", "进行中", 50_000),
        ("JC-02", "缩短方案定制周期", "售前模板化，48小时出方案", head, earlier, "dwell", "进行中", 120_000),
        ("JC-03", "华东补员", "两个月内补齐离职岗位", east, end, "headcount", "已完成", 80_000),
        ("JC-04", "Grow abroad", "Two partner events a quarter", manager[-1], last, "bookings", "进行中", 200_000),
        # What a source costs is written where its budget is: with a first day and the name that leads give it.
        ("JC-05", "获客", "全年行业展会", head, month_start(year, 12), "leads", "进行中", 360_000, year, fairs),
        ("JC-06", "获客", "全年线上投放", head, month_start(year, 12), "leads", "进行中", 240_000, year, adverts),
    ]


def products(path: Path) -> None:
    """The price list."""
    rows = [(code, name, family, price, "CNY") for code, name, family, price in words.PRODUCTS]
    write_workbook(path, [("产品", (), ("产品编号", "产品名称", "产品线", "标准价格", "币种"), rows)])


def stores(path: Path, time: WorkingTime, organisation: Organisation, count: int) -> None:
    """Points of sale served by the first regions' seats."""
    rows = []
    for number in range(count):
        region = number % 3
        city = words.CITIES[region][number // 3 % 8]
        seats = np.flatnonzero(organisation.seat_region == region)
        seat = int(seats[number % len(seats)])
        owner = organisation.people["user_id"][int(organisation.seat_first[organisation.seat_cover[seat]])]
        name = f"{city}{words.WORDS_ZH[number * 7 % 32]}{words.WORDS_ZH[number * 11 % 32]}店{number + 1:04d}"
        opened = time.first - timedelta(days=number * 37 % 1500)
        weight = round((1 + number * 13 % 7) / 400, 4)
        active = "否" if number % 23 == 7 else "是"
        rows.append(
            (
                f"MD-{number + 1:05d}",
                name,
                words.CHANNELS[number % 4],
                words.REGIONS[region],
                city,
                owner,
                weight,
                opened,
                active,
            )
        )
    header = ("门店编号", "门店名称", "渠道", "区域", "城市", "负责人编号", "品类份额", "开业日期", "是否营业")
    write_workbook(path, [("门店", (), header, rows)])

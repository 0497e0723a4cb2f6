"""Workbooks: the planning book, product and store lists, and the four process templates as a sales team keeps them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import xlsxwriter

from flows.demo import vocabulary as words
from flows.demo.calendar import WorkingTime, month_start, quarter_start
from flows.demo.columns import account_names
from flows.demo.deals import Accounts
from flows.demo.dirty import DirtyRow
from flows.demo.organisation import Organisation
from flows.demo.plan import STRETCH_PERCENT, Plan, nodes

COMPANY = "示例科技有限公司"
CREATED = datetime(2026, 1, 5, 9, 0, 0)  # noqa: DTZ001 (a property of the file, without zone)
TITLE_ROWS = 2
MANY_DEALS = 3
TEMPLATES = {
    "客户信息跟踪表": (
        *("客户名称", "行业", "企业规模", "联系人", "职务", "联系方式", "线索来源", "开发阶段"),
        *("负责人", "首次接触时间", "预计成交时间", "备注"),
    ),
    "销售阶段进度表": (
        *("客户名称", "当前阶段", "阶段开始时间", "预计完成时间"),
        *("已完成动作", "待办事项", "风险点", "负责人"),
    ),
    "客户需求记录表": (
        *("客户名称", "需求类型", "具体需求描述", "优先级"),
        *("客户痛点", "解决方案方向", "确认人", "确认时间"),
    ),
    "合同关键信息表": (
        *("合同编号", "客户名称", "合同金额(万元)", "签订日期", "付款方式"),
        *("交付周期", "主要条款(如服务范围)", "负责人", "归档状态"),
    ),
}
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
            ("举措编号", "目标", "行动", "责任人", "截止日期", "指标", "状态", "预算"),
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
    return [
        ("JC-01", "华南线索转化率恢复到35%", "线索两小时内首次联系", south, last, "lead_conversion", "进行中", 50_000),
        ("JC-02", "缩短方案定制周期", "售前模板化，48小时出方案", head, earlier, "dwell", "进行中", 120_000),
        ("JC-03", "华东补员", "两个月内补齐离职岗位", east, end, "headcount", "已完成", 80_000),
        ("JC-04", "Grow abroad", "Two partner events a quarter", manager[-1], last, "bookings", "进行中", 200_000),
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


def templates(
    folder: Path, accounts: Accounts, organisation: Organisation, first_night: date, night: date
) -> tuple[dict[str, int], list[DirtyRow], list[dict[str, object]]]:
    """The four process templates of one team, kept by hand beside the CRM. Only the date of filling in changes.

    Returns:
        Rows by file, the dirty rows, and the masked names with their cells.
    """
    chosen = np.flatnonzero(accounts.region == words.EAST)[:36]
    names = account_names(accounts.name[chosen], accounts.region[chosen]).to_list()
    shown = [_masked(name, number) for number, name in enumerate(names)]
    seats = np.flatnonzero(organisation.seat_team == 0)
    holders = organisation.people["name"].gather(organisation.seat_first[seats[np.arange(len(chosen)) % 2]]).to_list()
    note = f"填表日期：{night.isoformat()}    单位名称可脱敏"
    customers, stages, wants, signed = [], [], [], []
    for number, (name, who) in enumerate(zip(shown, holders, strict=True)):
        first = first_night - timedelta(days=20 + number * 17 % 300)
        customers.append(_customer(number, name, who, first, first_night))
        if number < 20:
            stages.append(_stage(number, name, who, first_night))
        if number < 16:
            wants.append(_want(number, name, first_night))
        if number < 14:
            signed.append(_signed(number, name, who, first_night))
    counts, masked = {}, []
    for (book, header), rows in zip(TEMPLATES.items(), (customers, stages, wants, signed), strict=True):
        file = f"sheets/{book}.xlsx"
        write_workbook(folder / file, [(book, (f"{book}（华东一部）", note), header, rows)])
        counts[file] = len(rows)
        column = header.index("客户名称")
        masked += [
            {"file": file, "sheet": book, "row": number, "column": "客户名称", "value": row[column]}
            for number, row in enumerate(rows, start=TITLE_ROWS + 2)
            if row[column].startswith("*")
        ]
    file = "sheets/合同关键信息表.xlsx"
    dirty = [
        DirtyRow(file, "合同关键信息表", TITLE_ROWS + 2 + number, "合同金额(万元)", row[2], "estimate")
        for number, row in enumerate(signed)
        if row[2] == "约十五万"
    ]
    return counts, dirty, masked


def _masked(name: str, number: int) -> str:
    """Every sixth customer is masked, down to what many have in common."""
    return "*" + name[4:] if number % 6 == 2 else name


def _customer(number: int, name: str, who: str, first: date, night: date) -> Row:
    status = ("新线索", "已联系", "已报价", "谈单中", "待决策", "已成交", "流失")[number % 7]
    contact = words.SURNAMES[number % 28][0] + words.GIVEN_NAMES[number * 3 % 25][0]
    closing = None if number % 9 == 4 else night + timedelta(days=5 + number * 11 % 90)
    return (
        name, words.INDUSTRIES[number % 8], words.SIZE_BANDS[number % 4], contact, words.TITLES[number % 5],
        f"138{number * 104_729 % 10**8:08d}", words.SOURCES[number % 7], status, who, first, closing,
        "重点跟进" if number % 5 == 0 else None,
    )  # fmt: skip


def _stage(number: int, name: str, who: str, night: date) -> Row:
    stage = ("客户开发", "需求挖掘", "方案定制", "商务谈判", "合同签订", "售后维护")[number % 6]
    started = night - timedelta(days=3 + number * 7 % 60)
    return (
        name, stage, started, started + timedelta(days=30), words.ACTIVITY_SUBJECTS[number % 5],
        words.NEXT_STEPS[number % 8],
        "竞争对手低价" if number % 4 == 1 else None, who,
    )  # fmt: skip


def _want(number: int, name: str, night: date) -> Row:
    return (
        name, words.REQUIREMENT_TYPES[number % 4], words.REQUIREMENT_TEXTS[number % 6], words.PRIORITIES[number % 3],
        words.PAIN_POINTS[number % 5], words.SOLUTIONS[number % 5], words.SURNAMES[number % 28][0] + "总",
        night - timedelta(days=number * 5 % 80),
    )  # fmt: skip


def _signed(number: int, name: str, who: str, night: date) -> Row:
    amount: object = "约十五万" if number == 9 else round(8.5 + number * 3.75, 2)
    signed_on: object = "待签订" if number % 4 == 1 else night - timedelta(days=10 + number * 13)
    terms = "分期付款" if number % 5 == 3 else words.PAYMENT_TERMS[number % 4][0]
    archived = "未归档" if signed_on == "待签订" else "已归档"
    return (
        f"QD-{night.year}-{number + 1:03d}", name, amount, signed_on, terms, words.DELIVERY_TERMS[number % 4],
        words.MAIN_TERMS[number % 4], who, archived,
    )  # fmt: skip

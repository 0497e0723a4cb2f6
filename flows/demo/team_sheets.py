"""The four process templates as one sales team keeps them beside the CRM, and the mapping sheet for their names.

They are ugly as such sheets are: a title across the table, a cell of the owner merged over all of that person's rows, a
total below. Some customers are masked. The mapping sheet says whom the masks mean, but for one that many share.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xlsxwriter

from flows.demo import vocabulary as words
from flows.demo.columns import account_names, numbered
from flows.demo.deals import Accounts
from flows.demo.dirty import DirtyRow
from flows.demo.organisation import Organisation
from flows.demo.sheets import CREATED, Row, write_workbook

TITLE_ROWS = 2
UNEXPLAINED = 32
"""Number of the masked customer that the mapping sheet does not name."""
LINKS = "名称对照表.xlsx"
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


def write_templates(
    folder: Path, accounts: Accounts, organisation: Organisation, first_night: date, night: date
) -> tuple[dict[str, int], list[DirtyRow], list[dict[str, object]]]:
    """Write the four sheets and the mapping sheet. Between nights only the date of filling in changes.

    Returns:
        Rows by file, the dirty rows, and the masked names with their cells.
    """
    chosen = np.flatnonzero(accounts.region == words.EAST)[:36]
    names = account_names(accounts.name[chosen], accounts.region[chosen]).to_list()
    shown = [_masked(name, number) for number, name in enumerate(names)]
    seats = np.flatnonzero(organisation.seat_team == 0)
    holders = organisation.people["name"].gather(organisation.seat_first[seats[np.arange(len(chosen)) % 2]]).to_list()
    customers, stages, wants, signed = [], [], [], []
    # One owner's customers stand together, so that the owner's cell can be merged.
    for number in sorted(range(len(chosen)), key=lambda one: (one % 2, one)):
        name, who = shown[number], holders[number]
        first = first_night - timedelta(days=20 + number * 17 % 300)
        customers.append(_customer(number, name, who, first, first_night))
        if number < 20:
            stages.append(_stage(number, name, who, first_night))
        if number < 16:
            wants.append(_want(number, name, first_night))
        if number < 14:
            signed.append(_signed(number, name, who, first_night))
    note = f"填表日期：{night.isoformat()}    单位名称可脱敏"
    counts: dict[str, int] = {}
    masked: list[dict[str, object]] = []
    for (book, header), rows in zip(TEMPLATES.items(), (customers, stages, wants, signed), strict=True):
        file = f"sheets/{book}.xlsx"
        _write_as_kept(folder / file, book, note, header, rows)
        counts[file] = len(rows)
        column = header.index("客户名称")
        masked += [
            {"file": file, "sheet": book, "row": number, "column": "客户名称", "value": row[column]}
            for number, row in enumerate(rows, start=TITLE_ROWS + 2)
            if row[column].startswith("*")
        ]
    links = _links(shown, numbered("KH-", accounts.name[chosen]).to_list())
    write_workbook(folder / LINKS, [("名称对照", (), ("类型", "名称写法", "编号", "说明"), links)])
    counts[LINKS] = len(links)
    explained = {name for _, name, _, _ in links}
    dirty = [
        DirtyRow(str(cell["file"]), str(cell["sheet"]), int(str(cell["row"])), "客户名称", name, "ambiguous_name")
        for cell in masked
        if (name := str(cell["value"])) not in explained
    ]
    file = "sheets/合同关键信息表.xlsx"
    dirty += [
        DirtyRow(file, "合同关键信息表", TITLE_ROWS + 2 + number, "合同金额(万元)", row[2], "estimate")
        for number, row in enumerate(signed)
        if row[2] == "约十五万"
    ]
    return counts, dirty, masked


def _masked(name: str, number: int) -> str:
    """Every sixth customer is masked; one down to what many have in common."""
    if number % 6 != 2:
        return name
    return "*" + name[4 if number == UNEXPLAINED else 3 :]


def _links(shown: Sequence[str], ids: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """The mapping sheet: masked names that stand for one customer of the team."""
    return [
        ("客户", name, account_id, "内勤核对")
        for number, (name, account_id) in enumerate(zip(shown, ids, strict=True))
        if name.startswith("*") and number != UNEXPLAINED and shown.count(name) == 1
    ]


def _write_as_kept(path: Path, book: str, note: str, header: Sequence[str], rows: Sequence[Row]) -> None:
    """One sheet: title and note across, header, rows with the owner merged, and a total where there are amounts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as workbook:
        workbook.set_properties({"title": path.stem, "author": "planloop demo", "created": CREATED})
        bold = workbook.add_format({"bold": True})
        sheet = workbook.add_worksheet(book)
        for line, title in enumerate((f"{book}（华东一部）", note)):
            sheet.merge_range(line, 0, line, len(header) - 1, title, bold)
        sheet.write_row(TITLE_ROWS, 0, header, bold)
        start = TITLE_ROWS + 1
        for line, row in enumerate(rows, start=start):
            sheet.write_row(line, 0, row)
        if "负责人" in header:
            column = header.index("负责人")
            for first, last, who in _runs([row[column] for row in rows]):
                if last > first:
                    sheet.merge_range(start + first, column, start + last, column, who, workbook.add_format())
        if "合同金额(万元)" in header:
            column = header.index("合同金额(万元)")
            sheet.write_string(start + len(rows), 0, "合计", bold)
            sheet.write_number(
                start + len(rows), column, round(sum(row[column] for row in rows if isinstance(row[column], float)), 2)
            )


def _runs(values: Sequence[Any]) -> list[tuple[int, int, Any]]:
    """First and last place of each run of equal values."""
    runs: list[tuple[int, int, Any]] = []
    for place, value in enumerate(values):
        if runs and runs[-1][2] == value:
            runs[-1] = (runs[-1][0], place, value)
        else:
            runs.append((place, place, value))
    return runs


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

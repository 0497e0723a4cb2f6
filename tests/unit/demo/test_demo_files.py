"""The files of the demo company: same bytes again, rows as stated, dirty where stated, mapped by the configuration."""

import hashlib
import json
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from flows.config import load
from flows.demo import generate, vanish
from flows.errors import PermanentError
from flows.ingest.templates import Recognised, recognise
from tests.unit.demo.conftest import Company

PROJECT = Path(__file__).parents[3]


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_arguments_give_the_same_bytes_and_another_seed_another_company(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        generate(tmp_path / name, scale=0.1, seed=seed, nights=2, last_night=date(2026, 11, 20))
    first, again, other = (_hashes(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    assert first["2026-11-20/crm/opportunities.csv"] != other["2026-11-20/crm/opportunities.csv"]


def test_scale_one_is_about_two_thousand_deals_with_six_history_rows_each(company: Company) -> None:
    totals = company.night(company.last)["totals"]
    assert 1950 <= totals["opportunities"] <= 2000
    assert 5.4 <= totals["history_rows"] / totals["opportunities"] <= 6.6


def test_every_file_holds_as_many_records_as_stated(company: Company) -> None:
    for night in company.manifest.nights:
        rows = company.night(night)["rows"]
        for file, stated in rows.items():
            path = company.folder(night) / file
            if path.suffix == ".csv":
                found = len(company.records(night, file)) - 1
            elif path.suffix == ".parquet":
                found = pl.scan_parquet(path).select(pl.len()).collect().item()
            elif path.suffix == ".jsonl":
                found = len(path.read_bytes().splitlines())
            else:
                titles = 3 if file.startswith("sheets/") else 1
                lines = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()[titles:]
                found = sum(line[0] != "合计" for line in lines)
            assert found == stated, f"{night} {file}"


def test_dirty_cells_stand_where_the_truths_say(company: Company) -> None:
    for night in company.manifest.nights:
        dirty = [row for row in company.night(night)["dirty"] if row["column"] and row["file"].endswith(".csv")]
        assert {"not_a_date", "not_a_number", "negative", "unknown_value", "required", "duplicate_key"} <= {
            row["reason_code"] for row in dirty
        }
        for row in dirty:
            records = company.records(night, row["file"])
            cell = records[row["row"] - 1][records[0].index(row["column"])]
            assert cell == (row["value"] or ""), row


def test_ragged_records_have_too_many_or_too_few_fields_and_no_others_do(company: Company) -> None:
    file = "crm/opportunities.csv"
    records = company.records(company.last, file)
    ragged = {row["row"] for row in company.night(company.last)["dirty"] if row["reason_code"] == "ragged_row"}
    assert ragged == {number for number, record in enumerate(records, start=1) if len(record) != len(records[0])}
    assert len(ragged) == 2


def test_the_broken_json_line_is_the_stated_one(company: Company) -> None:
    lines = (company.folder(company.last) / "crm/activities.jsonl").read_text(encoding="utf-8").splitlines()
    broken = []
    for number, line in enumerate(lines, start=1):
        try:
            json.loads(line)
        except json.JSONDecodeError:
            broken.append(number)
    assert broken == [row["row"] for row in company.night(company.last)["dirty"] if row["reason_code"] == "not_json"]


def test_sheets_have_titles_above_the_header_masked_names_and_unsigned_contracts(company: Company) -> None:
    book = CalamineWorkbook.from_path(company.folder(company.last) / "sheets/合同关键信息表.xlsx")
    rows = book.get_sheet_by_index(0).to_python()
    header = rows[2]
    assert "合同金额(万元)" in header
    assert "待签订" in [row[header.index("签订日期")] for row in rows[3:]]
    masked = [cell for cell in company.night(company.last)["masked_names"] if "合同" in cell["file"]]
    assert masked
    for cell in masked:
        assert rows[cell["row"] - 1][header.index(cell["column"])] == cell["value"]
        assert cell["value"].startswith("*")


def test_contacts_are_in_gb18030_and_the_crm_export_starts_with_a_byte_order_mark(company: Company) -> None:
    crm = company.folder(company.last) / "crm"
    with pytest.raises(UnicodeDecodeError):
        (crm / "contacts.csv").read_text(encoding="utf-8")
    assert "是否决策人" in (crm / "contacts.csv").read_text(encoding="gb18030")
    assert (crm / "opportunities.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_configuration_maps_every_file_and_names_only_columns_that_exist(company: Company, tmp_path: Path) -> None:
    space = tmp_path / "space"
    space.mkdir()
    (space / "inputs").symlink_to(company.manifest.folder)
    config = load(PROJECT / "config", {"PLANLOOP_WORKSPACE": str(space)})
    matched, recognised = set(), []
    for source in config.sources.sources.values():
        (pattern,) = source.paths(company.last)
        files = sorted(space.glob(str(Path(pattern).relative_to(space))))
        if source.template:
            found = [(path.name, recognise(_header(path, None, 3), among=[source.entity])) for path in files]
            recognised += [(name, one.entity) for name, one in found if isinstance(one, Recognised)]
            matched |= {path.name for path in files}
            continue
        assert len(files) == 1, source.name
        matched.add(files[0].name)
        named = {name for column in source.columns.values() for name in column.source_columns}
        assert named <= set(_header(files[0], source.sheet, source.header_row or 1)), source.name
    assert sorted(recognised, key=lambda found: found[1]) == [
        ("合同关键信息表.xlsx", "contract"),
        ("客户信息跟踪表.xlsx", "customer_record"),
        ("客户需求记录表.xlsx", "requirement"),
        ("销售阶段进度表.xlsx", "stage_progress"),
    ]
    written = {path.name for path in company.folder(company.last).rglob("*.*") if path.is_file()}
    assert matched == written


def _header(path: Path, sheet: str | None, header_row: int) -> list[str]:
    if path.suffix == ".parquet":
        return list(pl.read_parquet_schema(path))
    if path.suffix == ".jsonl":
        return list(json.loads(path.read_text(encoding="utf-8").partition("\n")[0]))
    if path.suffix == ".csv":
        encoding = "gb18030" if path.name == "contacts.csv" else "utf-8-sig"
        return path.read_text(encoding=encoding).partition("\n")[0].split(",")
    book = CalamineWorkbook.from_path(path)
    rows = (book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)).to_python()
    return [str(cell) for cell in rows[header_row - 1]]


def test_the_sheets_are_as_people_keep_them(company: Company) -> None:
    sheets = company.folder(company.last) / "sheets"
    contracts = openpyxl.load_workbook(sheets / "合同关键信息表.xlsx").worksheets[0]
    last = [cell.value for cell in contracts[contracts.max_row]]
    amounts = [cell.value for cell in contracts["C"][3:-1] if isinstance(cell.value, int | float)]
    assert (last[0], last[2]) == ("合计", pytest.approx(sum(amounts)))
    assert "A1:I1" in {str(area) for area in contracts.merged_cells.ranges}
    customers = openpyxl.load_workbook(sheets / "客户信息跟踪表.xlsx").worksheets[0]
    owners = [area for area in customers.merged_cells.ranges if area.min_col == 9 and area.min_row > 3]
    assert sum(area.size["rows"] for area in owners) == 36


def test_the_mapping_sheet_names_all_masked_customers_but_one(company: Company) -> None:
    night = company.folder(company.last)
    rows = CalamineWorkbook.from_path(night / "名称对照表.xlsx").get_sheet_by_index(0).to_python()[1:]
    accounts = {row["客户编号"]: row["客户名称"] for row in company.good(company.last, "crm/accounts.csv")}
    links = {name: accounts[account_id] for kind, name, account_id, _ in rows if kind == "客户"}
    assert links
    for masked, name in links.items():
        assert name.endswith(masked.removeprefix("*"))
    named = {cell["value"] for cell in company.night(company.last)["masked_names"]}
    dirty = {row["value"] for row in company.night(company.last)["dirty"] if row["reason_code"] == "ambiguous_name"}
    assert named - links.keys() == dirty
    assert len(dirty) == 1


def test_vanish_takes_the_stated_share_out_of_one_night(tmp_path: Path) -> None:
    night = date(2026, 11, 20)
    generate(tmp_path, scale=0.1, seed=1, nights=1, last_night=night)
    file = tmp_path / "2026-11-20/crm/opportunities.csv"
    before = file.read_bytes().splitlines()
    gone = vanish(tmp_path, night, 0.5)
    after = file.read_bytes().splitlines()
    assert gone == (len(before) - 1) // 2
    assert len(after) == len(before) - gone
    assert set(after) < set(before)
    assert after[0] == before[0]


def test_vanish_says_what_to_do_when_the_night_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="run generate first"):
        vanish(tmp_path, date(2026, 11, 20), 0.5)


@pytest.mark.parametrize(("scale", "nights"), [(0.01, 1), (1, 0)])
def test_a_company_too_small_to_plant_anything_in_is_refused(tmp_path: Path, scale: float, nights: int) -> None:
    with pytest.raises(PermanentError, match="Expected scale"):
        generate(tmp_path, scale=scale, nights=nights)


def test_a_large_company_comes_in_parts_that_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.demo.company.CHUNK", 120)
    manifest = generate(tmp_path, scale=0.2, seed=3, nights=2, last_night=date(2026, 11, 20))
    truths = json.loads(manifest.truths.read_text(encoding="utf-8"))["nights"]["2026-11-20"]
    parts = sorted((tmp_path / "2026-11-20/crm").glob("opportunity_history_*.parquet"))
    history = pl.read_parquet(parts)
    assert len(parts) == 4
    assert history.height == truths["totals"]["history_rows"] == history["Id"].n_unique()
    assert history["OpportunityId"].n_unique() == truths["totals"]["opportunities"]


@pytest.mark.parametrize("scale", [0.05, 0.2, 0.5])
def test_a_small_company_knows_its_first_whole_year_in_full(tmp_path: Path, scale: float) -> None:
    generate(tmp_path, scale=scale, nights=1, last_night=date(2026, 11, 20))
    history = pl.read_parquet(tmp_path / "2026-11-20/crm/opportunity_history.parquet")
    won = history.filter(pl.col("StageName") == "Closed Won")["CreatedDate"].min()
    assert won.date() <= date(2024, 1, 31)


@pytest.mark.parametrize(
    ("scale", "nights", "last"),
    [
        (0.05, 3, date(2026, 1, 5)),  # nights in two years, the first two without work
        (0.1, 2, date(2027, 1, 15)),  # a year whose adjusted days are not published
        (0.1, 3, date(2026, 10, 4)),  # nights of a holiday week in which nothing happens
    ],
)
def test_any_night_of_any_small_company_can_be_the_last(tmp_path: Path, scale: float, nights: int, last: date) -> None:
    manifest = generate(tmp_path, scale=scale, seed=1, nights=nights, last_night=last)
    truths = json.loads(manifest.truths.read_text(encoding="utf-8"))
    assert list(truths["nights"]) == [night.isoformat() for night in manifest.nights]
    assert manifest.nights[-1] == last
    created = pl.read_parquet(tmp_path / last.isoformat() / "crm/opportunity_history.parquet")["CreatedDate"]
    assert created.dt.convert_time_zone("Asia/Shanghai").dt.strftime("%Y-%m-%d").sort()[-1] <= last.isoformat()

"""Headers are compared by what they mean, not by how they are written."""

import pytest

from flows.ingest.headers import (
    columns_by_key,
    header_currency,
    header_key,
    header_name,
    header_unit,
    synonyms,
    template_keys,
)
from schemas import TEMPLATES
from schemas.registry import ENTITIES


@pytest.mark.parametrize(
    "written",
    [
        "客户名称",
        " 客 户 名 称 ",
        "*客户名称",
        "客户名称*",
        "＊客户名称（必填）",
        "*必填 客户名称",
        "【必填】客户名称",
        "客户名称（全称，\n与合同一致）",
        "客户名称(全称",
        "客户\n名称",
        "客户名称：",
        "客戶名稱",
        "客户名称kehumingcheng",
        "客户名称 KHMC",
        "客户名称_KHMC",
        "客户名称kèhù míngchēng",
        "客户名称/Customer Name",
        "客户名称 Customer Name",
        "Customer Name\n客户名称",
        "\ufeff客户名称\u200b",
        "（客户名称）",
        "★客户名称",
    ],
)
def test_one_header_in_many_writings(written):
    assert header_key(written) == "客户名称"


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Contract No.", "contractno"),
        ("CONTRACT_NO", "contractno"),
        ("客户ID", "客户id"),
        ("客户 id", "客户id"),
        ("CRM编号", "crm编号"),
        ("方案A", "方案a"),
        ("联系人2", "联系人2"),
        ("合同金额(万元)", "合同金额"),
        ("合同金额：万元", "合同金额"),
        ("合同金额万元", "合同金额"),
        ("合约金额/元", "合约金额"),
        ("合同金额（含税）（万元）", "合同金额"),
        ("纪元", "纪元"),
        ("主要条款(如服务范围)", "主要条款"),
        ("聯絡人", "联络人"),
        ("完成率%", "完成率%"),
        ("", ""),
        ("***", ""),
        ("(列 3)", "列3"),
    ],
)
def test_a_key_keeps_what_tells_columns_apart(written, key):
    assert header_key(written) == key


@pytest.mark.parametrize(
    ("written", "unit", "currency"),
    [
        ("合同金额(万元)", "万元", "CNY"),
        ("合同金额（元）", "元", "CNY"),
        ("合同金额（单位：万元）", "万元", "CNY"),
        ("合同金额:万元", "万元", "CNY"),
        ("合同金额万元", "万元", "CNY"),
        ("合約金額(萬元)", "万元", "CNY"),
        ("合同金额(含税,万元)", "万元", "CNY"),
        ("合同金额(含税)(亿元)", "亿", "CNY"),
        ("合同金额(万美元)", "万元", "USD"),
        ("合同金额(美元)", "元", "USD"),
        ("合同金额(人民币万元)", "万元", "CNY"),
        ("Contract Value (RMB million)", "百万", "CNY"),
        ("Contract Value (USD)", "元", "USD"),
        ("Amount (k)", "k", None),
        ("Amount ($'000)", "千", "USD"),
        ("Amount (in thousands)", "千", None),
        ("毛利率(%)", "%", None),
        ("交付周期（天）", "天", None),
        ("交付周期(个月)", "月", None),
        ("主要条款(如服务范围)", None, None),
        ("合同金额", None, None),
        ("Amount", None, None),
    ],
)
def test_a_header_names_its_unit_and_currency(written, unit, currency):
    assert (header_unit(written), header_currency(written)) == (unit, currency)


def test_a_name_is_shown_as_written_but_for_width_and_space():
    assert header_name(" 客户\n名称（万元） ") == "客户 名称(万元)"


@pytest.mark.parametrize("entity", sorted(synonyms()))
def test_every_known_wording_names_one_column_of_its_entity(entity):
    wordings = [(header_key(word), column) for column, words in synonyms()[entity].items() for word in words]
    assert len(wordings) == len(dict(wordings)), "a wording stands twice"
    assert set(columns_by_key(entity).values()) <= set(ENTITIES[entity].columns())
    assert all(key for key, _ in wordings)


def test_the_headers_of_the_four_templates_are_known():
    headers = {
        "customer_record": "客户名称 行业 企业规模 联系人 职务 联系方式 线索来源 开发阶段 负责人 "
        "首次接触时间 预计成交时间 备注",
        "stage_progress": "客户名称 当前阶段 阶段开始时间 预计完成时间 已完成动作 待办事项 风险点 负责人",
        "requirement": "客户名称 需求类型 具体需求描述 优先级 客户痛点 解决方案方向 确认人 确认时间",
        "contract": "合同编号 客户名称 合同金额(万元) 签订日期 付款方式 交付周期 主要条款(如服务范围) 负责人 归档状态",
    }
    assert tuple(headers) == TEMPLATES
    for entity, row in headers.items():
        columns = [columns_by_key(entity)[header_key(header)] for header in row.split()]
        assert len(columns) == len(set(columns))
        assert {header_key(header) for header in row.split()} <= template_keys()

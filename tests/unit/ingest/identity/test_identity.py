"""Whom a name means: ids first, then the mapping sheet, then the rule of names; what is ambiguous is set aside."""

import json
from datetime import date

import pytest

ACCOUNTS = [
    {"account_id": "K1", "name": "腾飞科技有限公司"},
    {"account_id": "K2", "name": "远大科技有限公司"},
    {"account_id": "K3", "name": "远大科技股份有限公司"},
    {"account_id": "K4", "name": "宏图集团"},
    {"account_id": "K5", "name": "Acme Co., Ltd."},
    {"account_id": "K6", "name": "同名贸易"},
    {"account_id": "K7", "name": "同名贸易"},
]
USERS = [
    {"user_id": "U1", "name": "王伟", "email": "Wang.Wei@example.com"},
    {"user_id": "U2", "name": "李娜", "email": "li@example.com"},
    {"user_id": "U3", "name": "张强", "email": "zhang1@example.com"},
    {"user_id": "U4", "name": "张强", "email": "zhang2@example.com"},
]


def sheet(*names, column="account_name"):
    return [{"requirement_id": f"R{number}", column: name} for number, name in enumerate(names, start=1)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("腾飞科技有限公司", "K1"),
        ("騰飛科技（有限公司）", "K1"),
        ("腾飞科技", "K1"),
        ("腾飞科技有限责任公司", "K1"),
        ("腾飞科技股份有限公司", None),
        ("远大科技股份有限公司", "K3"),
        ("宏图集团有限公司", "K4"),
        ("宏图", None),
        ("ACME", "K5"),
        ("acme inc", None),
        ("K5", "K5"),
        ("全新客户有限公司", None),
    ],
)
def test_a_customer_is_found_by_id_or_by_the_rule_of_names(company, written, expected):
    company.night(account=ACCOUNTS, requirement=sheet(written))
    assert company.ids("requirement", "account_id", "account_name") == [(expected, written)]
    assert company.ambiguous() == []


def test_a_name_that_several_bear_is_set_aside_with_them_and_the_row_as_it_was(company):
    company.night(account=ACCOUNTS, requirement=sheet("远大科技", "同名贸易", "腾飞科技"))
    assert company.ids("requirement", "requirement_id", "account_id") == [("R3", "K1")]
    assert company.ambiguous() == [
        (2, "account_name", "远大科技", ["K2", "K3"], 0),
        (3, "account_name", "同名贸易", ["K6", "K7"], 0),
    ]
    first = company.rejected.row(0, named=True)
    assert json.loads(first["raw"]) == {"requirement_id": "R1", "account_name": "远大科技"}
    assert json.loads(first["key"]) == {"requirement_id": "R1"}
    assert "哪" not in first["reason_zh"]
    assert "对照表" in first["reason_zh"]


def test_a_masked_name_merges_with_nothing_and_five_that_fit_are_listed(company):
    many = [{"account_id": f"A{number}", "name": f"客户{number}科技有限公司"} for number in range(8)]
    company.night(account=many, requirement=sheet("*科技", "*科技有限公司", "某贸易"))
    assert company.ids("requirement", "account_id") == []
    assert company.ambiguous() == [
        (2, "account_name", "*科技", ["A0", "A1", "A2", "A3", "A4"], 3),
        (3, "account_name", "*科技有限公司", ["A0", "A1", "A2", "A3", "A4"], 3),
        (4, "account_name", "某贸易", [], 0),
    ]


def test_the_mapping_sheet_says_whom_masked_and_shared_names_mean(company):
    links = [
        {"kind": "account", "source_name": "", "name": "＊科技", "target_id": "K1"},
        {"kind": "account", "source_name": "requirements", "name": "同名贸易", "target_id": "K7"},
        {"kind": "account", "source_name": "elsewhere", "name": "远大科技", "target_id": "K2"},
        {"kind": "owner", "source_name": "", "name": "**科技", "target_id": "U1"},
    ]
    rows = sheet("*科技", "同名贸易", "远大科技", "**科技")
    company.night(account=ACCOUNTS, requirement=rows, identity_link=links)
    assert company.ids("requirement", "account_id") == [("K1",), ("K7",)]
    assert [found[2] for found in company.ambiguous()] == ["远大科技", "**科技"]


def test_what_the_mapping_sheet_says_for_a_source_counts_before_what_it_says_for_all(company):
    links = [
        {"kind": "account", "source_name": "", "name": "同名贸易", "target_id": "K6"},
        {"kind": "account", "source_name": "requirements", "name": "同名贸易", "target_id": "K7"},
    ]
    company.night(account=ACCOUNTS, requirement=sheet("同名贸易"), identity_link=links)
    assert company.ids("requirement", "account_id") == [("K7",)]


def test_the_mapping_sheet_counts_before_names_and_after_ids(company):
    links = [
        {"kind": "account", "source_name": "", "name": "腾飞科技有限公司", "target_id": "K4"},
        {"kind": "account", "source_name": "", "name": "K5", "target_id": "K4"},
    ]
    company.night(account=ACCOUNTS, requirement=sheet("腾飞科技有限公司", "K5"), identity_link=links)
    assert company.ids("requirement", "account_id") == [("K4",), ("K5",)]


@pytest.mark.parametrize(("names", "expected"), [("without_legal_form", "K1"), ("as_written", None), ("never", None)])
def test_the_settings_say_how_far_names_are_compared(company, names, expected):
    company.names = names
    company.night(account=ACCOUNTS, requirement=sheet("腾飞科技", "腾飞科技(有限公司)"))
    assert company.ids("requirement", "account_id") == [
        (expected,), (None if names == "never" else "K1",)
    ]  # fmt: skip


def test_without_names_nothing_is_ambiguous(company):
    company.names = "never"
    company.night(account=ACCOUNTS, requirement=sheet("*科技", "同名贸易"))
    assert company.ids("requirement", "account_id") == [(None,), (None,)]


def test_a_company_without_a_list_of_customers_still_sets_masked_names_aside(company):
    company.night(requirement=sheet("*科技", "腾飞科技"))
    assert company.ids("requirement", "account_name", "account_id") == [("腾飞科技", None)]
    assert company.ambiguous() == [(2, "account_name", "*科技", [], 0)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("U2", "U2"),
        ("LI@example.com", "U2"),
        ("李娜 <li@example.com>", "U2"),
        ("李娜", "U2"),
        ("zhang2@example.com", "U4"),
        ("nobody@example.com", "nobody@example.com"),
        ("U99", "U99"),
    ],
)
def test_an_owner_is_found_by_id_mail_or_name_and_kept_where_nobody_is_known(company, written, expected):
    deals = [{"opportunity_id": "O1", "stage": "Won", "owner_id": written}]
    company.night(user=USERS, opportunity=deals)
    assert company.ids("opportunity", "owner_id") == [(expected,)]
    told = company.notice("opportunitys")
    if expected == written != "U2":
        assert told == f"owner_id: no owner is known as {written!r} (1 row)"
    else:
        assert told is None


def test_two_people_of_one_name_are_ambiguous_as_owners(company):
    deals = [{"opportunity_id": "O1", "stage": "Won", "owner_id": "张强"}]
    company.night(user=USERS, opportunity=deals)
    assert company.ids("opportunity", "owner_id") == []
    assert company.ambiguous() == [(2, "owner_id", "张强", ["U3", "U4"], 0)]


def test_of_two_people_of_one_name_the_one_at_work_is_meant(company):
    users = [
        {"user_id": "U3", "name": "张强", "left_on": "2024-01-31"},
        {"user_id": "U4", "name": "张强", "hired_on": "2024-02-01"},
        {"user_id": "U5", "name": "李娜", "is_active": "false"},
        {"user_id": "U6", "name": "李娜", "is_active": "true"},
        {"user_id": "U7", "name": "赵敏", "left_on": "2024-01-31"},
    ]
    deals = [
        {"opportunity_id": f"O{number}", "stage": "Won", "owner_id": name}
        for number, name in enumerate(("张强", "李娜", "赵敏"))
    ]
    calls = [
        {"activity_id": str(number), "activity_type": "call", "occurred_at": f"{day} 10:00:00", "owner_id": "张强"}
        for number, day in enumerate(("2024-01-31", "2024-02-01", "2024-03-30"))
    ]
    company.night(user=users, opportunity=deals, activity=calls)
    assert company.ids("opportunity", "owner_id") == [("U4",), ("U6",), ("U7",)]
    assert company.ids("activity", "owner_id") == [("U3",), ("U4",), ("U4",)]


def test_a_row_with_two_ambiguous_names_is_set_aside_once_with_two_cells(company):
    rows = [{"account_name": "同名贸易", "owner_name": "张强", "contact_name": "x"}]
    company.night(user=USERS, account=ACCOUNTS, customer_record=rows)
    assert [(found[1], found[3]) for found in company.ambiguous()] == [
        ("account_name", ["K6", "K7"]), ("owner_name", ["U3", "U4"])
    ]  # fmt: skip
    (account,) = [account for account in company.accounts if account.source == "customer_records"]
    assert (account.rows_in, account.rows_accepted, account.rows_quarantined) == (1, 0, 1)


def test_a_deal_is_found_by_its_name_where_people_fill_the_sheet_in(company):
    deals = [
        {"opportunity_id": "O1", "stage": "Won", "name": "腾飞 ERP 二期"},
        {"opportunity_id": "O2", "stage": "Won", "name": "续费"},
        {"opportunity_id": "O3", "stage": "Won", "name": "续费"},
    ]
    rows = sheet("O3", "腾飞ERP二期", "续费", "没有的单", column="opportunity_id")
    company.night(opportunity=deals, requirement=rows)
    assert company.ids("requirement", "opportunity_id") == [("O3",), ("O1",), ("没有的单",)]
    assert company.ambiguous() == [(4, "opportunity_id", "续费", ["O2", "O3"], 0)]


def test_names_of_merged_records_mean_the_survivor(company):
    accounts = [
        {"account_id": "A1", "name": "腾飞", "merged_into_id": "A2"},
        {"account_id": "A2", "name": "腾飞", "merged_into_id": "A3"},
        {"account_id": "A3", "name": "腾飞信息", "merged_into_id": ""},
    ]
    company.night(account=accounts, requirement=sheet("腾飞"))
    assert company.ids("requirement", "account_id") == [("A3",)]


def test_merges_that_go_round_in_a_circle_are_ambiguous(company):
    accounts = [
        {"account_id": "A1", "name": "腾飞", "merged_into_id": "A2"},
        {"account_id": "A2", "name": "腾飞", "merged_into_id": "A1"},
    ]
    company.night(account=accounts, requirement=sheet("腾飞"))
    assert company.ambiguous() == [(2, "account_name", "腾飞", ["A1", "A2"], 0)]


def test_sources_that_delivered_nothing_tonight_are_known_from_the_log(company):
    company.remember("account", ACCOUNTS, source="accounts")
    company.remember("user", USERS, source="users")
    rows = [{"requirement_id": "R1", "account_name": "腾飞科技"}]
    deals = [{"opportunity_id": "O1", "stage": "Won", "owner_id": "李娜"}]
    company.night(requirement=rows, opportunity=deals)
    assert company.ids("requirement", "account_id") == [("K1",)]
    assert company.ids("opportunity", "owner_id") == [("U2",)]


def test_what_a_full_export_lacks_is_not_known_any_more_and_what_a_delta_lacks_is(company):
    company.remember("account", ACCOUNTS, source="accounts")
    new = [{"account_id": "K8", "name": "新客户"}]
    company.night(account=new, requirement=sheet("腾飞科技", "新客户"))
    assert company.ids("requirement", "account_id") == [(None,), ("K8",)]
    company.modes["account"] = "delta"
    company.night(account=new, requirement=sheet("腾飞科技", "新客户"))
    assert company.ids("requirement", "account_id") == [("K1",), ("K8",)]


def test_a_customer_whose_row_is_quarantined_tonight_is_still_known(company):
    company.remember("account", ACCOUNTS, source="accounts")
    rows = [
        {"account_id": "K1", "name": "腾飞科技有限公司", "created_at": "bald"},
        {"account_id": "K9", "name": "其他"},
    ]
    company.night(account=rows, requirement=sheet("腾飞科技"))
    assert company.ids("requirement", "account_id") == [("K1",)]


def test_people_without_any_list_of_users_are_left_as_they_are(company):
    deals = [{"opportunity_id": "O1", "stage": "Won", "owner_id": "张*"}]
    company.night(opportunity=deals)
    assert company.ids("opportunity", "owner_id") == [("张*",)]
    assert company.notice("opportunitys") is None


def test_a_manager_may_be_named_by_mail_or_name(company):
    users = [*USERS, {"user_id": "U5", "name": "孙丽", "manager_id": "li@example.com"}]
    company.night(user=users)
    assert company.ids("user", "user_id", "manager_id")[-1] == ("U5", "U2")


def test_dates_of_the_sheet_stay_what_they_were(company):
    rows = [
        {"account_name": "腾飞科技", "contact_name": "a", "owner_name": "李娜", "first_contact_on": "2024-03-01"},
        {"account_name": "宏图集团", "contact_name": "b", "owner_name": "某人", "first_contact_on": "2024-03-02"},
    ]
    company.night(user=USERS, account=ACCOUNTS, customer_record=rows)
    assert company.ids("customer_record", "account_id", "owner_id", "first_contact_on", "_row") == [
        ("K1", "U2", date(2024, 3, 1), 2)
    ]


def test_a_record_that_is_quarantined_tonight_is_no_unknown_one(company):
    deals = [{"opportunity_id": "O1", "stage": "Won", "amount": "much"}]
    company.night(opportunity=[*deals, {"opportunity_id": "O2", "stage": "Won"}], requirement=[
        {"requirement_id": "R1", "opportunity_id": "O1"}, {"requirement_id": "R2", "opportunity_id": "O3"},
    ])  # fmt: skip
    assert company.notice("requirements") == "opportunity_id: no opportunity is known as 'O3' (1 row)"

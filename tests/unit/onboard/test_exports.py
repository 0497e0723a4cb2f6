"""What is proposed for the exports of vendors, each expectation written by hand."""
# ruff: noqa: E501 (records stand on one line, as they are exported)

from tests.unit.onboard.conftest import Propose, asked, columns, said

SALESFORCE = """
"Id","Name","AccountId","OwnerId","StageName","Amount","CloseDate","IsClosed","IsWon","Probability","ForecastCategoryName","CreatedDate","Type"
"0065g00000A1","Acme - New","0015g00000B1","0055g00000C1","Prospecting","12000.0","2024-06-30","false","false","10","Pipeline","2024-01-05T10:00:00.000Z","New"
"0065g00000A2","Beta - Up","0015g00000B2","0055g00000C1","Signature","5000.0","2024-02-15","true","true","100","Closed","2024-01-06T10:00:00.000Z","Up"
"0065g00000A3","Cee","0015g00000B1","0055g00000C2","No budget","700.5","2024-02-20","true","false","0","Omitted","2024-01-07T10:00:00.000Z","New"
"0065g00000A4","Dee","0015g00000B3","0055g00000C2","Perception Analysis","800","2024-07-20","false","false","75","Best Case","2024-01-07T10:00:00.000Z","New"
"""


def test_salesforce_by_its_api_names(proposed: Propose) -> None:
    proposal, funnel = proposed("Opportunity.csv", SALESFORCE)
    assert (proposal.source, proposal.entity, asked(proposal)) == ("opportunities", "opportunity", [])
    zoned = ["%Y-%m-%dT%H:%M:%S.%f%z"]
    categories = {"Pipeline": "pipeline", "Closed": "closed", "Omitted": "omitted", "Best Case": "best_case"}
    assert columns(proposal) == {
        "opportunity_id": "Id",
        "name": "Name",
        "account_id": "AccountId",
        "owner_id": "OwnerId",
        "stage": {"from": "StageName", "map": "stages"},
        "amount": "Amount",
        "created_at": {"from": "CreatedDate", "formats": zoned},
        "expected_close_on": "CloseDate",
        "closed_at": "CloseDate",
        "forecast_category": {"from": "ForecastCategoryName", "map": categories},
    }
    assert list(proposal.ignored) == ["IsClosed", "IsWon", "Probability", "Type"]
    # The flags beside the stage say how a deal ended, whatever the stage is called; the probability says the order.
    assert [(stage["key"], stage["name_en"], stage.get("closed")) for stage in funnel.new] == [
        ("prospecting", "Prospecting", None),
        ("solution", "Perception Analysis", None),
        ("won", "Signature", "won"),
        ("lost", "No budget", "lost"),
    ]
    assert [stage.get("default_win_probability") for stage in funnel.new] == [0.1, 0.75, None, None]


def test_a_salesforce_report_with_days_first(proposed: Propose) -> None:
    proposal, _ = proposed(
        "report1709.csv",
        """
"Opportunity Owner","Account Name","Opportunity Name","Stage","Fiscal Period","Amount Currency","Amount","Close Date","Created Date","Opportunity ID"
"Ann Lee","Acme Ltd","Acme - New","Qualification","Q2-2024","EUR","12,000.00","30/06/2024","05/01/2024","006A1"
"Bob Ray","Beta GmbH","Beta - Up","Closed Won","Q1-2024","EUR","5,000.00","15/02/2024","06/01/2024","006A2"
""",
    )
    days_first = ["%d/%m/%Y"]
    assert columns(proposal) == {
        "opportunity_id": "Opportunity ID",
        "name": "Opportunity Name",
        "account_id": "Account Name",
        "owner_id": "Opportunity Owner",
        "stage": {"from": "Stage", "map": "stages"},
        "amount": "Amount",
        "currency": "Amount Currency",
        # No created date decides by itself; the export writes its dates in one way, and that is said aloud.
        "created_at": {"from": "Created Date", "formats": days_first},
        "expected_close_on": {"from": "Close Date", "formats": days_first},
        "closed_at": {"from": "Close Date", "formats": days_first},
    }
    assert {"same_order", "one_date", "by_name"} <= said(proposal)
    assert asked(proposal) == []


def test_hubspot_deals(proposed: Propose) -> None:
    proposal, funnel = proposed(
        "hubspot-crm-exports-all-deals.csv",
        """
Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount,Pipeline,Create Date,Associated Company IDs,Associated Company
9001,Acme rollout,Appointment Scheduled (Sales Pipeline),2024-06-30 12:00,Ann Lee,12000,Sales Pipeline,2024-01-05 09:30,501,Acme
9002,Beta,Closed Won (Sales Pipeline),2024-02-15 12:00,Bob Ray,5000,Sales Pipeline,2024-01-06 09:31,502,Beta
9003,Cee,Contract Sent (Sales Pipeline),2024-05-15 12:00,Bob Ray,5000.5,Sales Pipeline,2024-01-06 09:31,502,Beta
9004,Dee,Closed Lost (Sales Pipeline),2024-02-15 12:00,Ann Lee,1,Sales Pipeline,2024-01-06 09:31,503,Cee
""",
    )
    minutes = ["%Y-%m-%d %H:%M"]
    assert columns(proposal) == {
        "opportunity_id": "Record ID",
        "name": "Deal Name",
        "account_id": "Associated Company IDs",
        "owner_id": "Deal owner",
        "stage": {"from": "Deal Stage", "map": "stages"},
        "amount": "Amount",
        "created_at": {"from": "Create Date", "formats": minutes},
        "expected_close_on": {"from": "Close Date", "formats": minutes},
        "closed_at": {"from": "Close Date", "formats": minutes},
    }
    assert "time_zone" in said(proposal)
    assert list(funnel.keys.values()) == ["engaging", "contracting", "won", "lost"]
    assert funnel.new[0]["aliases"] == ["Appointment Scheduled (Sales Pipeline)"]


def test_hubspot_by_its_api_names_as_json_lines(proposed: Propose) -> None:
    proposal, funnel = proposed(
        "deals.jsonl",
        """
{"id":"1","dealname":"A","dealstage":"decisionmakerboughtin","amount":"100","closedate":"2024-06-30T00:00:00Z","hubspot_owner_id":"77"}
{"id":"2","dealname":"B","dealstage":"closedwon","amount":"200","closedate":"2024-02-28T00:00:00Z","hubspot_owner_id":"78"}
""",
    )
    assert columns(proposal) == {
        "opportunity_id": "id",
        "name": "dealname",
        "owner_id": "hubspot_owner_id",
        "stage": {"from": "dealstage", "map": "stages"},
        "amount": "amount",
        "expected_close_on": {"from": "closedate", "formats": ["%Y-%m-%dT%H:%M:%S%z"]},
        "closed_at": {"from": "closedate", "formats": ["%Y-%m-%dT%H:%M:%S%z"]},
    }
    assert funnel.keys == {"decisionmakerboughtin": "decision", "closedwon": "won"}


def test_zoho_with_months_first_and_dollars(proposed: Propose) -> None:
    proposal, funnel = proposed(
        "Deals_001.csv",
        """
Record Id,Potential Name,Account Name,Deal Owner,Amount,Stage,Closing Date,Created Time,Campaign Source
zcrm_10001,Acme rollout,Acme Ltd,Ann Lee,"$ 12,000.00",Needs Analysis,06/28/2024,2024-01-05 09:30:00,
zcrm_10002,Beta,Beta GmbH,Bob Ray,"$ 5,000.00",Closed Won,02/15/2024,2024-01-06 09:30:00,
zcrm_10003,Cee,Cee AG,Bob Ray,"$ 700.00",Closed-Lost to Competition,02/15/2024,2024-01-06 09:30:00,
""",
    )
    assert columns(proposal) == {
        "opportunity_id": "Record Id",
        "name": "Potential Name",
        "account_id": "Account Name",
        "owner_id": "Deal Owner",
        "stage": {"from": "Stage", "map": "stages"},
        "amount": "Amount",
        "currency": {"value": "USD"},
        "created_at": "Created Time",
        "expected_close_on": {"from": "Closing Date", "formats": ["%m/%d/%Y"]},
        "closed_at": {"from": "Closing Date", "formats": ["%m/%d/%Y"]},
    }
    assert funnel.keys["Closed-Lost to Competition"] == "lost"


def test_dynamics_tells_the_outcome_beside_the_stage(proposed: Propose) -> None:
    proposal, funnel = proposed(
        "All Opportunities.csv",
        """
"(Do Not Modify) Opportunity","(Do Not Modify) Row Checksum","(Do Not Modify) Modified On","Topic","Potential Customer","Est. close date","Est. revenue","Status","Pipeline Phase","Owner","Created On"
"{a1}","xx=","1/13/2024 10:00 AM","Acme","Acme Ltd","6/30/2024","$12,000.00","Open","1-Qualify","Ann Lee","1/5/2024 9:30 AM"
"{a2}","yy=","1/14/2024 10:00 AM","Beta","Beta GmbH","2/15/2024","$5,000.00","Won","3-Propose","Bob Ray","1/6/2024 9:30 PM"
"{a3}","zz=","1/14/2024 10:00 AM","Cee","Cee AG","2/15/2024","$50.00","Lost","2-Develop","Bob Ray","1/6/2024 9:30 AM"
""",
    )
    found = columns(proposal)
    assert (found["opportunity_id"], found["name"]) == ("(Do Not Modify) Opportunity", "Topic")
    assert found["created_at"] == {"from": "Created On", "formats": ["%m/%d/%Y %I:%M %p"]}
    assert found["modified_at"]["from"] == "(Do Not Modify) Modified On"
    assert found["stage"]["concat"] == ["Status", "Pipeline Phase"]
    # Every pair has its stage, also those that no deal of today shows.
    assert len(found["stage"]["map"]) == 9
    assert found["stage"]["map"]["Won / 1-Qualify"] == "won"
    assert found["stage"]["map"]["Lost / 2-Develop"] == "lost"
    assert found["stage"]["map"]["Open / 3-Propose"] == funnel.keys["3-Propose"]
    assert [stage["name_en"] for stage in funnel.new][:3] == ["1-Qualify", "2-Develop", "3-Propose"]


def test_pipedrive(proposed: Propose) -> None:
    proposal, _ = proposed(
        "deals-10.csv",
        """
Deal - ID,Deal - Title,Deal - Value,Deal - Currency,Deal - Organization,Deal - Owner,Deal - Stage,Deal - Status,Deal - Deal created,Deal - Expected close date,Deal - Deal closed on,Deal - Lost reason
1,Acme,12000,EUR,Acme Ltd,Ann Lee,Qualified,open,2024-01-05 09:30:00,2024-06-30,,
2,Beta,5000,EUR,Beta GmbH,Bob Ray,Negotiations Started,won,2024-01-06 09:30:00,2024-02-15,2024-02-14 08:00:00,
3,Cee,500,EUR,Cee AG,Bob Ray,Proposal Made,lost,2024-01-06 09:30:00,2024-02-15,2024-02-20 08:00:00,Price
""",
    )
    found = columns(proposal)
    stage = found.pop("stage")
    assert stage["concat"] == ["Deal - Status", "Deal - Stage"]
    assert found == {
        "opportunity_id": "Deal - ID",
        "name": "Deal - Title",
        "account_id": "Deal - Organization",
        "owner_id": "Deal - Owner",
        "amount": "Deal - Value",
        "currency": "Deal - Currency",
        "created_at": "Deal - Deal created",
        "expected_close_on": "Deal - Expected close date",
        "closed_at": "Deal - Deal closed on",
        "loss_reason": "Deal - Lost reason",
    }


def test_fxiaoke_saved_by_excel_on_a_chinese_windows(proposed: Propose) -> None:
    proposal, funnel = proposed(
        "商机导出.csv",
        """
商机名称,客户名称,商机编号,商机阶段,商机金额（元）,预计成交日期,负责人,创建时间,商机来源,负责人主属部门
甲项目,甲科技有限公司,SJ2024001,初步接触,"120,000.00",2024-06-30,张三,2024-01-05 09:30,展会,华东
乙项目,乙科技有限公司,SJ2024002,赢单,"50,000.00",2024-02-15,李四,2024-01-06 09:31,网络,华南
丙项目,丙科技有限公司,SJ2024003,方案/报价,"60,000.00",2024-05-15,李四,2024-01-06 09:31,网络,华南
""",
        encoding="gb18030",
        currency="CNY",
    )
    assert "encoding" not in proposal.entry()  # recognised without a word
    assert columns(proposal) == {
        "opportunity_id": "商机编号",
        "name": "商机名称",
        "account_id": "客户名称",
        "owner_id": "负责人",
        "stage": {"from": "商机阶段", "map": "stages"},
        "amount": "商机金额(元)",
        "currency": {"value": "CNY"},
        "created_at": {"from": "创建时间", "formats": ["%Y-%m-%d %H:%M"]},
        "expected_close_on": "预计成交日期",
        "closed_at": "预计成交日期",
        "source": "商机来源",
    }
    assert list(proposal.ignored) == ["负责人主属部门"]
    assert funnel.keys == {"初步接触": "engaging", "方案/报价": "proposal", "赢单": "won"}


def test_xiaoshouyi_in_utf16_with_semicolons_and_ten_thousands(proposed: Propose) -> None:
    proposal, funnel = proposed(
        "销售机会.csv",
        """
销售机会编号;销售机会名称;客户;销售阶段;预计销售金额(万元);结单日期;销售机会所有人;赢率
XS1;甲项目;甲公司;需求确认;12.5;2024年6月30日;张三;30%
XS2;乙项目;乙公司;输单;5;2024年2月15日;李四;0%
XS3;丙项目;丙公司;赢单;5;2024年2月15日;李四;100%
""",
        encoding="utf-16",
        currency="CNY",
    )
    assert proposal.options["csv"] == {"delimiter": ";"}
    found = columns(proposal)
    assert found["amount"] == {"from": "预计销售金额(万元)", "unit": "万元"}
    assert found["expected_close_on"] == {"from": "结单日期", "formats": ["%Y年%m月%d日"]}
    assert found["owner_id"] == "销售机会所有人"
    assert [(stage["key"], stage.get("default_win_probability")) for stage in funnel.new][0] == ("qualification", 0.3)


def test_accounts_with_ids_in_eighteen_places_and_a_byte_order_mark(proposed: Propose) -> None:
    proposal, _ = proposed(
        "accounts.csv",
        """
Account ID (18),Account Name,Industry,Employees,Billing Country,Account Owner,Parent Account ID,Created Date
0015g00000B1AAA ,Acme Ltd,Retail,100,DE,Ann Lee,,13/01/2024
 0015g00000B2AAA,Beta GmbH,Retail,50,DE,Ann Lee,0015g00000B1AAA,14/01/2024
""",
        encoding="utf-8-sig",
    )
    assert (proposal.entity, asked(proposal)) == ("account", [])
    assert columns(proposal) == {
        "account_id": "Account ID (18)",
        "name": "Account Name",
        "industry": "Industry",
        "size_band": "Employees",
        "region": "Billing Country",
        "owner_id": "Account Owner",
        "parent_id": "Parent Account ID",
        "created_at": {"from": "Created Date", "formats": ["%d/%m/%Y"]},
    }


def test_people_with_titles_and_states(proposed: Propose) -> None:
    proposal, _ = proposed(
        "users.csv",
        """
User ID,Full Name,Email,Role,Manager,Active,Department
u1,Ann Lee,ann@x.com,Sales Rep,Bob Ray,Active,East
u2,Bob Ray,bob@x.com,Sales Director,,Active,East
u3,Cee Dee,cee@x.com,Astronaut,Bob Ray,Inactive,West
""",
    )
    found = columns(proposal)
    assert found["is_active"] == {"from": "Active", "map": {"Active": True, "Inactive": False}}
    assert found["role"] == {"from": "Role", "map": {"Sales Rep": "rep", "Sales Director": "leader"}}
    assert found["manager_id"] == "Manager"
    assert asked(proposal) == ["users.Role.Astronaut"]


def test_a_plan_in_a_workbook_of_ones_own_making(proposed: Propose) -> None:
    proposal, _ = proposed(
        "目标.csv",
        """
月份,销售员,销售目标(万元)
2024-01-01,张三,20
2024-02-01,张三,30
""",
        currency="CNY",
    )
    assert columns(proposal) == {
        "plan_version": {"value": "targets"},
        "metric": {"value": "bookings"},
        "period_kind": {"value": "month"},
        "period_start_on": "月份",
        "node_kind": {"value": "rep"},
        "node_name": "销售员",
        "base": {"from": "销售目标(万元)", "unit": "万元"},
        "currency": {"value": "CNY"},
    }


def test_a_stage_history_only_grows(proposed: Propose) -> None:
    proposal, _ = proposed(
        "OpportunityHistory.csv",
        """
OpportunityId,StageName,Amount,CloseDate,CreatedDate,CreatedById
006A1,Prospecting,100,2024-05-01,2024-01-01T10:00:00.000+0000,005
006A1,Closed Won,100,2024-05-01,2024-02-01T10:00:00.000+0000,005
""",
    )
    assert (proposal.entity, proposal.options["mode"]) == ("opportunity_history", "append")
    assert columns(proposal)["changed_at"]["from"] == "CreatedDate"


def test_the_rows_of_a_data_dictionary_are_nothing_we_know(proposed: Propose) -> None:
    proposal, _ = proposed(
        "data_dictionary.csv",
        """
Table,Field,Description
accounts,account,Company name
accounts,sector,Industry
products,product,Product name
deals,opportunity_id,Unique identifier
""",
    )
    assert proposal.entity is None
    assert asked(proposal) == ["data_dictionary.entity"]


def test_people_whose_names_stand_apart_are_called_by_both(proposed: Propose) -> None:
    proposal, _ = proposed(
        "hubspot-crm-exports-contacts.csv",
        """
Record ID,First Name,Last Name,Email,Phone Number,Associated Company
101,Ann,Lee,a@x.com,+1 22,Acme
102,Cee,Dee,c@x.com,,Beta
""",
    )
    assert columns(proposal) == {
        "contact_id": "Record ID",
        "account_id": "Associated Company",
        "name": {"concat": ["First Name", "Last Name"], "separator": " "},
        "phone": "Phone Number",
        "email": "Email",
    }


def test_odoo_by_its_technical_names(proposed: Propose) -> None:
    proposal, _ = proposed(
        "crm.lead.csv",
        """
"id","name","partner_id","user_id","stage_id","expected_revenue","probability","date_deadline","create_date","date_closed"
"__export__.crm_lead_1","Acme","Acme Ltd","Mitchell Admin","New","1000.0","10.0","2024-06-30","2024-01-05 10:00:00",""
"__export__.crm_lead_2","Beta","Beta GmbH","Marc Demo","Won","2000.0","100.0","2024-02-15","2024-01-06 10:00:00","2024-02-14 10:00:00"
""",
        entity="opportunity",
    )
    assert columns(proposal) == {
        "opportunity_id": "id",
        "name": "name",
        "account_id": "partner_id",
        "owner_id": "user_id",
        "stage": {"from": "stage_id", "map": "stages"},
        "amount": "expected_revenue",
        "created_at": "create_date",
        "expected_close_on": "date_deadline",
        "closed_at": "date_closed",
    }


def test_a_chinese_crm_whose_history_repeats_the_columns_of_its_deals(proposed: Propose) -> None:
    proposal, _ = proposed(
        "商机.csv",
        """
商机编号,客户编号,负责人工号,销售阶段,预计金额(万元),创建时间,预计签约日期,结束时间,合并至商机编号
SJ1,K1,H101,需求调研,12.50,2026-01-05 10:00:00,2026-06-30,,
SJ2,K2,H102,赢单,8.00,2026-01-06 10:00:00,2026-04-15,2026-04-12 17:30:00,
SJ3,K1,H101,需求调研,1.00,2026-01-07 10:00:00,2026-05-30,,SJ1
""",
    )
    found = columns(proposal)
    assert (found["closed_at"], found["merged_into_id"]) == ("结束时间", "合并至商机编号")
    proposal, _ = proposed(
        "商机变更记录.csv",
        """
记录ID,商机编号,变更时间,销售阶段,预计金额(万元),币种,预计签约日期,负责人工号
R1,SJ1,2026-01-05 10:00:00,需求调研,10.00,CNY,2026-05-31,H101
R2,SJ1,2026-02-05 10:00:00,需求调研,12.50,CNY,2026-06-30,H101
R3,SJ2,2026-04-12 17:30:00,赢单,8.00,CNY,2026-04-15,H102
""",
    )
    assert (proposal.entity, asked(proposal), list(proposal.ignored)) == ("opportunity_history", [], [])
    assert {"history_id", "amount", "expected_close_on", "owner_id"} <= set(columns(proposal))

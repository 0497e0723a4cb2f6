"""How rows are told apart where an export has no ids, and what a person may say about a column."""

import pytest

from flows.errors import ConfigError
from flows.onboard.proposal import Answers
from tests.unit.onboard.conftest import Propose, asked, columns, said


def test_a_name_that_is_unique_serves_as_id(proposed: Propose) -> None:
    proposal, _ = proposed("accounts.csv", "Account Name,Industry\nAcme,Retail\nBeta,Retail\nCee,Retail")
    assert columns(proposal) == {"account_id": "Account Name", "name": "Account Name", "industry": "Industry"}
    assert "key_name" in said(proposal)


def test_columns_that_are_unique_together_serve_as_id(proposed: Propose) -> None:
    proposal, _ = proposed(
        "order_lines.csv",
        """
Order Number,Product Code,Quantity,Order Date,Amount
SO1,P1,1,2024-01-02,10
SO1,P2,1,2024-01-02,20
SO2,P1,1,2024-01-03,10
""",
    )
    assert columns(proposal)["line_item_id"] == {"concat": ["Order Number", "Product Code"]}
    assert "key_concat" in said(proposal)


def test_rows_that_nothing_tells_apart_are_asked_about(proposed: Propose) -> None:
    text = "Order Number,Product Code,Quantity,Order Date,Amount\n" + "SO1,P1,1,2024-01-02,10\n" * 2
    proposal, _ = proposed("order_lines.csv", text)
    assert asked(proposal) == ["line_items.line_item_id"]
    proposal, _ = proposed("order_lines.csv", text, "line_items.line_item_id=Order Number+Product Code")
    assert columns(proposal)["line_item_id"] == {"concat": ["Order Number", "Product Code"]}


def test_a_person_with_a_line_for_each_territory_is_one_person(proposed: Propose) -> None:
    proposal, _ = proposed("employees.csv", "EmployeeKey,SalesTerritoryKey\n272,1\n272,2\n281,3")
    assert proposal.options["repeats"] is True
    assert columns(proposal) == {"user_id": "EmployeeKey", "name": "EmployeeKey"}
    assert list(proposal.ignored) == ["SalesTerritoryKey"]


def test_ids_that_repeat_with_other_content_are_told(proposed: Propose) -> None:
    proposal, _ = proposed(
        "deals.csv", "Deal ID,Deal Name,Stage,Amount\n1,A,Proposal,1\n1,A,Proposal,2\n2,B,Closed Won,3"
    )
    (sentence,) = [sentence for sentence in proposal.said if sentence.code == "key_not_unique"]
    assert (sentence.particulars["count"], sentence.particulars["rows"]) == (2, 3)
    assert "repeats" not in proposal.options


def test_managers_who_are_not_in_the_file_lead_teams(proposed: Propose) -> None:
    proposal, _ = proposed(
        "sales_teams.csv", "sales_agent,manager,regional_office\nAnn,Dan,East\nBob,Dan,East\nCee,Eve,West"
    )
    assert columns(proposal) == {
        "user_id": "sales_agent",
        "name": "sales_agent",
        "role": {"value": "rep"},
        "region": "regional_office",
        "team": "manager",
    }


def test_answers_map_and_unmap_columns(proposed: Propose) -> None:
    text = "Deal ID,Deal Name,Stage,Amount,Fee\n1,A,Proposal,1,2\n2,B,Closed Won,3,4"
    proposal, _ = proposed("deals.csv", text, "opportunities.Fee=amount", "opportunities.Deal Name=ignore")
    found = columns(proposal)
    assert found["amount"] == "Fee"
    assert "name" not in found
    assert list(proposal.ignored) == ["Deal Name", "Amount"]


def test_what_is_required_and_absent_is_asked_for(proposed: Propose) -> None:
    text = "Order Number,Line ID,Quantity,Unit Price,Order Date\nSO1,1,2,5,2024-01-02\nSO1,2,1,4,2024-01-02"
    proposal, _ = proposed("order_lines.csv", text)
    assert asked(proposal) == ["line_items.amount"]
    proposal, _ = proposed("order_lines.csv", text, "line_items.amount=Unit Price")
    assert asked(proposal) == []


def test_an_entity_may_be_said(proposed: Propose) -> None:
    text = "Number,Text\n1,a\n2,b"
    proposal, _ = proposed("things.csv", text)
    assert asked(proposal) == ["things.entity"]
    proposal, _ = proposed("things.csv", text, entity="product")
    assert (proposal.entity, asked(proposal)) == ("product", ["products.product_id"])
    with pytest.raises(ConfigError, match="expected one of user"):
        proposed("things.csv", text, entity="thing")


def test_an_answer_that_nothing_asked_for_is_refused() -> None:
    answers = Answers(["deals.Close Date=%d/%m/%Y", "deals.Close=x"])
    assert answers.get("deals.Close Date") == "%d/%m/%Y"
    with pytest.raises(ConfigError, match=r"deals\.Close=x"):
        answers.check()

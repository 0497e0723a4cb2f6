"""What amounts and dates stand in, and in which unit: where a file does not tell, onboarding asks."""

import pytest

from tests.unit.onboard.conftest import Propose, asked, columns, said


def _deals(header: str, *values: str) -> str:
    lines = [f"D{number},Deal {number},Proposal,{value}" for number, value in enumerate(values, start=1)]
    return "\n".join([f"Deal ID,Deal Name,Stage,{header}", *lines])


def test_an_amount_in_which_words_stand_is_asked_for_and_taken_on_demand(proposed: Propose) -> None:
    text = _deals("Amount", *(f"{number}00" for number in range(1, 6)), "twelve", "see offer")
    proposal, _ = proposed("deals.csv", text)
    assert asked(proposal) == ["opportunities.Amount"]
    proposal, _ = proposed("deals.csv", text, "opportunities.Amount=amount")
    assert (asked(proposal), columns(proposal)["amount"]) == ([], "Amount")
    proposal, _ = proposed("deals.csv", text, "opportunities.Amount=ignore")
    assert (asked(proposal), list(proposal.ignored)) == ([], ["Amount"])


def test_dates_that_are_mere_numbers_are_asked_about(proposed: Propose) -> None:
    proposal, _ = proposed("deals.csv", _deals("Amount,Created Date", "100,46000", "200,46001"))
    assert asked(proposal) == ["opportunities.Created Date"]


def test_a_deal_without_an_amount_asks_for_the_column_that_may_hold_it(proposed: Propose) -> None:
    text = _deals("Weighted Value,Score", "100,7", "200,9")
    proposal, _ = proposed("deals.csv", text)
    assert asked(proposal) == ["opportunities.amount"]
    assert proposal.questions[0].choices == ("Weighted Value", "ignore")
    proposal, _ = proposed("deals.csv", text, "opportunities.amount=Weighted Value")
    assert (asked(proposal), columns(proposal)["amount"]) == ([], "Weighted Value")
    proposal, _ = proposed("deals.csv", text, "opportunities.amount=ignore")
    assert (asked(proposal), "amount" in columns(proposal)) == ([], False)


@pytest.mark.parametrize("header", ["Amount (in Lakhs)", "Amount (₹ Cr)", "Amount (Mio)", "Amount (bn)"])
def test_a_unit_that_is_not_known_is_asked_for(proposed: Propose, header: str) -> None:
    text = _deals(header, "1.5", "2.5")
    proposal, _ = proposed("deals.csv", text)
    assert asked(proposal) == ["opportunities.amount.unit"]
    proposal, _ = proposed("deals.csv", text, "opportunities.amount.unit=m")
    assert (asked(proposal), columns(proposal)["amount"]) == ([], {"from": header, "unit": "m"})


def test_a_column_of_units_counts_for_the_amounts_beside_it(proposed: Propose) -> None:
    proposal, _ = proposed("deals.csv", _deals("金额,单位", "1.5,万元", "2.5,万元"))
    assert columns(proposal)["amount"] == {"from": "金额", "unit": "万元"}
    proposal, _ = proposed("deals.csv", _deals("金额,单位", "1.5,万元", "25000,元"))
    assert asked(proposal) == ["opportunities.amount.unit"]
    proposal, _ = proposed("deals.csv", _deals("金额,单位", "15000,台", "25000,套"))
    assert columns(proposal)["amount"] == "金额"


def test_several_references_in_one_cell_are_told(proposed: Propose) -> None:
    proposal, _ = proposed("deals.csv", _deals("Amount,Associated Company IDs", "1,11;12", "2,11"))
    assert "several_in_one" in said(proposal)


def test_rupees_as_people_in_india_write_them(proposed: Propose) -> None:
    text = _deals("Amount,Expected Revenue", '"Rs. 1,23,456.00",Rs. 0.00', '"Rs. 900.50",Rs. 450.25')
    proposal, _ = proposed("Deals_001.csv", text, currency="INR")
    assert (columns(proposal)["amount"], columns(proposal)["currency"]) == ("Amount", {"value": "INR"})
    proposal, _ = proposed("Deals_001.csv", text, currency="USD")
    assert asked(proposal) == ["opportunities.currency"]

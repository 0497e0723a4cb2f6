"""How stages and the columns beside them tell whether a deal is won, lost or open; where they may not, they ask."""

import pytest

from flows.onboard.concepts import concept_of
from tests.unit.onboard.conftest import Propose, asked, columns, said

HEADER = "Deal ID,Deal Name,Stage,Amount,Expected Close Date,Created Date"


def _deals(header: str, *rows: str) -> str:
    """Deals with the columns of ``HEADER`` and more: a row names its stage and its further values."""
    lines = []
    for number, row in enumerate(rows, start=1):
        stage, *more = row.split("|")
        lines.append(",".join([f"D{number}", f"Deal {number}", stage, "100", "2024-06-30", "2024-01-05", *more]))
    return "\n".join([f"{HEADER}{header}", *lines])


@pytest.mark.parametrize(
    ("spelling", "concept"),
    [
        ("Closed Won - Renewal", "won"),
        ("Closed Lost (Partner Pipeline)", "lost"),
        ("Lost - no budget", "lost"),
        ("关闭-赢单", "won"),
        ("输单（价格）", "lost"),
        ("2. Proposal Sent", "proposal"),
        ("商务谈判中", "negotiation"),
        ("Demo Completed", None),
        ("NDA Signed", None),
        ("Qualified Out", None),
        ("Nearly won", None),
        ("Won't buy", None),
        ("Unsold", None),
        ("Closed", None),
        ("预计赢单", None),
        ("待成交", None),
        ("流失预警", None),
        ("Contract expired", None),
    ],
)
def test_a_word_in_a_longer_spelling_decides_only_where_nothing_turns_its_meaning(
    spelling: str, concept: str | None
) -> None:
    assert concept_of(spelling) == concept


def test_a_word_and_a_probability_that_differ_are_asked_about(proposed: Propose) -> None:
    text = _deals(",Probability (%)", "Prospecting|10", "Contract|100", "Signed|60", "Closed Won|100")
    _, funnel = proposed("deals.csv", text)
    assert [question.id for question in funnel.questions] == ["stages.Signed", "stages.Contract"]


def test_stages_that_mean_the_same_keep_their_own_names(proposed: Propose) -> None:
    text = _deals(
        ",Probability (%)", "Qualification|10", "Needs Analysis|20", "Qualified (Partners)|30", "Qualified (Direct)|40"
    )
    _, funnel = proposed("deals.csv", text)
    assert not funnel.questions
    names = [stage["name_en"] for stage in funnel.new]
    assert names == ["Qualification", "Needs Analysis", "Qualified", "Qualified (Direct)", "Closed Won", "Closed Lost"]
    assert len({stage["name_zh"] for stage in funnel.new}) == 6


def test_several_words_for_an_end_leave_it_its_own_name(proposed: Propose) -> None:
    _, funnel = proposed("商机.csv", _deals("", "商务谈判", "无效", "输单", "赢单"))
    lost = next(stage for stage in funnel.new if stage.get("closed") == "lost")
    assert (lost["name_zh"], lost["aliases"]) == ("输单", ["无效", "输单"])


def test_case_alone_makes_no_other_stage(proposed: Propose) -> None:
    _, funnel = proposed("deals.csv", _deals(",Probability (%)", "Proposal|50", "PROPOSAL|50", "Closed Won|100"))
    assert funnel.keys["Proposal"] == funnel.keys["PROPOSAL"]


def test_numbers_and_probabilities_are_never_ranked_together(proposed: Propose) -> None:
    text = _deals(",Probability (%)", "Prospecting|10", "Proposal|60", "Commit|", "Closed Won|100")
    _, funnel = proposed("deals.csv", text)
    assert [stage["name_en"] for stage in funnel.new] == [
        "Prospecting",
        "Proposal",
        "Commit",
        "Closed Won",
        "Closed Lost",
    ]


def test_a_status_outweighs_the_stage_also_where_a_stage_is_called_won(proposed: Propose) -> None:
    text = _deals(",Status", "Proposal|Open", "Proposal|Lost", "Negotiation|Abandoned", "Won|Won", "Negotiation|Won")
    proposal, _ = proposed("deals.csv", text)
    stage = columns(proposal)["stage"]
    assert stage["concat"] == ["Status", "Stage"]
    assert stage["map"]["Open / Proposal"] == "proposal"
    assert stage["map"]["Lost / Proposal"] == "lost"
    assert stage["map"]["Abandoned / Negotiation"] == "lost"
    assert stage["map"]["Won / Negotiation"] == "won"


def test_a_strange_status_is_asked_for_and_follows_the_answer(proposed: Propose) -> None:
    text = _deals(",Status", "Proposal|Open", "Proposal|Won", "Negotiation|Suspended", "Negotiation|Lost")
    proposal, _ = proposed("deals.csv", text)
    assert asked(proposal) == ["opportunities.Status.Suspended"]
    for answer, stage in (("lost", "lost"), ("open", "negotiation"), ("quarantine", None)):
        proposal, _ = proposed("deals.csv", text, f"opportunities.Status.Suspended={answer}")
        assert asked(proposal) == []
        assert columns(proposal)["stage"]["map"].get("Suspended / Negotiation") == stage


def test_flags_of_each_deal_outweigh_its_last_stage(proposed: Propose) -> None:
    text = _deals(",Is Closed,Is Won", "Proposal|false|false", "Proposal|true|true", "Negotiation|true|false")
    proposal, _ = proposed("deals.csv", text)
    mapping = columns(proposal)["stage"]["map"]
    assert mapping["true / true / Proposal"] == "won"
    assert mapping["false / true / Negotiation"] == "lost"
    assert mapping["false / false / Proposal"] == "proposal"


def test_odoo_puts_lost_deals_away_in_the_stage_where_they_were(proposed: Propose) -> None:
    text = _deals(",Active,Lost Reason", "New|True|", "Proposition|False|Too expensive", "Won|True|")
    proposal, _ = proposed("crm.lead.csv", text)
    assert asked(proposal) == ["opportunities.Active.False"]
    proposal, _ = proposed("crm.lead.csv", text, "opportunities.Active.False=lost")
    mapping = columns(proposal)["stage"]["map"]
    assert (mapping["False / Proposition"], mapping["True / Proposition"]) == ("lost", "proposal")
    assert mapping["True / Won"] == "won"


def test_a_status_that_says_what_the_stage_says_is_left_alone(proposed: Propose) -> None:
    proposal, _ = proposed("deals.csv", _deals(",Status", "Proposal|Open", "Closed Won|Won", "Closed Lost|Lost"))
    assert columns(proposal)["stage"] == {"from": "Stage", "map": "stages"}
    assert list(proposal.ignored) == ["Status"]


def test_loss_reasons_of_deals_that_count_as_open_are_told(proposed: Propose) -> None:
    proposal, _ = proposed("deals.csv", _deals(",Lost Reason", "Proposal|Price", "Proposal|", "Won|"))
    assert "open_with_reason" in said(proposal)


def test_rows_marked_as_deleted_are_gone(proposed: Propose) -> None:
    proposal, _ = proposed("deals.csv", _deals(",IsDeleted", "Proposal|false", "Won|true"))
    entry = proposal.entry()
    assert (entry["mode"], entry["deleted"]) == ("delta", "IsDeleted")
    assert "ignore" not in entry
    proposal, _ = proposed("deals.csv", _deals(",IsDeleted", "Proposal|false", "Won|false"))
    assert "mode" not in proposal.entry()


def test_moments_ask_for_the_zone_that_tells_their_day(proposed: Propose) -> None:
    text = _deals(",Modified Time", "Proposal|2024-01-06T23:30:00.000Z", "Won|2024-01-07T00:30:00.000Z")
    proposal, _ = proposed("deals.csv", text, zone=None)
    assert asked(proposal) == ["company.time_zone"]
    proposal, _ = proposed("deals.csv", _deals("", "Proposal", "Won"), zone=None)
    assert asked(proposal) == []

"""Writing a proposal: what stood there stays, comments included; what does not load is taken back."""

from pathlib import Path

import pytest
import yaml

from flows.config.sources import Sources
from flows.config.stages import Stages
from flows.errors import ConfigError
from flows.onboard.configuration import new_texts, with_stages, write
from flows.onboard.funnel import Funnel
from flows.onboard.proposal import Proposal
from tests.unit.onboard.conftest import Propose

COMPANY = {
    "name": "Acme",
    "language": "en",
    "time_zone": "UTC",
    "currency": "USD",
    "bookings_from": "opportunity",
    "country": "US",
}
STAGES = """\
# The funnel.
stages:
  - key: lead       # the first
    name_en: Lead
    name_zh: 线索
    aliases: [New]  # as the old system wrote it
  - {key: talk, name_en: Talk, name_zh: 沟通}

  # The ends.
  - key: won
    name_en: Won
    name_zh: 赢单
    closed: won
  - {key: lost, name_en: Lost, name_zh: 输单, closed: lost}
"""
DEALS = "Deal ID,Deal Name,Stage,Amount\n1,A,Proposal,1\n2,B,Won,2"


@pytest.fixture
def deals(proposed: Propose) -> Proposal:
    return proposed("deals.csv", DEALS)[0]


def sources(text: str) -> dict[str, object]:
    return dict(Sources.model_validate(yaml.safe_load(text)).sources)


def test_a_new_folder_loads_with_what_was_proposed(tmp_path: Path, proposed: Propose) -> None:
    proposal, funnel = proposed("deals.csv", DEALS)
    texts = new_texts(tmp_path / "new", [proposal], with_stages("", funnel), COMPANY)
    config = write(tmp_path / "new", texts, {})
    assert set(texts) == {"settings.yaml", "sources.yaml", "stages.yaml", "alerts.yaml"}
    assert config.settings.company.name == "Acme"
    assert config.sources.sources["opportunities"].columns["stage"].map == "stages"
    assert [stage.key for stage in config.stages.stages] == ["proposal", "won", "lost"]


@pytest.mark.parametrize(
    "before",
    [
        "sources:\n  a: {entity: product, path: x.csv, columns: {product_id: A, name: B}}   # mine\n",
        "defaults: {nulls: ['', 'NULL']}\nsources:\n    a:\n        entity: product\n        path: x.csv\n"
        "        columns:\n            product_id: A   # the id\n            name: B\n",
        "sources:\n  a:\n    entity: product\n    path: x.csv\n    columns: {product_id: A, name: B}\n    ignore:\n"
        "      - C\n\n# The end.\n",
        "sources:\n  a:\n    entity: product\n    path: x.csv\n    columns: {product_id: A,\n      name: B}\nx: none\n",
    ],
)
def test_a_source_is_appended_and_everything_else_stays(tmp_path: Path, deals: Proposal, before: str) -> None:
    (tmp_path / "sources.yaml").write_text(before, encoding="utf-8")
    (tmp_path / "stages.yaml").write_text(STAGES, encoding="utf-8")
    after = new_texts(tmp_path, [deals], None, COMPANY)["sources.yaml"]
    kept = after.splitlines()
    assert [line for line in before.splitlines() if line.strip() and line not in kept] == []
    data = yaml.safe_load(after)
    assert list(data["sources"]) == ["a", "opportunities"]
    assert data["sources"]["a"] == yaml.safe_load(before)["sources"]["a"]
    assert data["sources"]["opportunities"] == deals.entry()


def test_sources_on_one_line_are_left_to_a_person(tmp_path: Path, deals: Proposal) -> None:
    text = "sources: {a: {entity: product, path: x.csv, columns: {product_id: A, name: B}}}\n"
    (tmp_path / "sources.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="one source a line"):
        new_texts(tmp_path, [deals], None, COMPANY)


def test_what_does_not_load_is_taken_back(tmp_path: Path, deals: Proposal) -> None:
    before = "sources:\n  a: {entity: thing, path: x.csv, columns: {product_id: A}}\n"
    (tmp_path / "sources.yaml").write_text(before, encoding="utf-8")
    texts = new_texts(tmp_path, [deals], None, COMPANY)
    with pytest.raises(ConfigError, match="'thing' is not an entity"):
        write(tmp_path, texts, {})
    assert [path.name for path in tmp_path.glob("*.yaml")] == ["sources.yaml"]
    assert (tmp_path / "sources.yaml").read_text(encoding="utf-8") == before


def test_spellings_and_stages_are_added_and_comments_stay() -> None:
    funnel = Funnel(
        aliases={"lead": ["Fresh"], "talk": ["Chat"], "won": ["Yes: done"], "lost": ["No"]},
        new=[{"key": "offer", "name_en": "Offer", "name_zh": "报价"}],
    )
    text = with_stages(STAGES, funnel)
    stages = Stages.model_validate(yaml.safe_load(text))
    assert [stage.key for stage in stages.stages] == ["lead", "talk", "offer", "won", "lost"]
    assert {stage.key: stage.aliases for stage in stages.stages} == {
        "lead": ("New", "Fresh"),
        "talk": ("Chat",),
        "offer": (),
        "won": ("Yes: done",),
        "lost": ("No",),
    }
    assert [
        comment for comment in ("# The funnel.", "# the first", "# as the old", "# The ends.") if comment not in text
    ] == []


def test_a_new_stage_stands_where_sales_teams_place_it(proposed: Propose) -> None:
    existing = Stages.model_validate(
        yaml.safe_load(STAGES.replace("talk", "negotiation").replace("Talk", "Negotiation"))
    )
    _, funnel = proposed(
        "deals.csv", "Deal ID,Deal Name,Stage\n1,A,Discovery\n2,B,Closed Won\n3,C,New", stages=existing
    )
    text = with_stages(STAGES.replace("talk", "negotiation").replace("Talk", "Negotiation"), funnel)
    stages = Stages.model_validate(yaml.safe_load(text)).stages
    assert [stage.key for stage in stages] == ["lead", "qualification", "negotiation", "won", "lost"]
    assert stages[3].aliases == ("Closed Won",)


def test_a_strange_stage_is_asked_for_and_takes_every_kind_of_answer(proposed: Propose) -> None:
    text = "Deal ID,Deal Name,Stage\n1,A,Proposal\n2,B,Zorp\n3,C,Won"
    _, funnel = proposed("deals.csv", text)
    assert [question.id for question in funnel.questions] == ["stages.Zorp"]
    _, funnel = proposed("deals.csv", text, "stages.Zorp=lost")
    assert funnel.keys["Zorp"] == "lost"
    _, funnel = proposed("deals.csv", text, "stages.Zorp=quarantine")
    assert ("Zorp" in funnel.keys, funnel.questions) == (False, [])
    _, funnel = proposed("deals.csv", text, "stages.Zorp=open")
    assert [question.id for question in funnel.questions] == ["stages.order"]
    _, funnel = proposed("deals.csv", text, "stages.Zorp=open", "stages.order=Zorp > Proposal")
    assert [stage["name_en"] for stage in funnel.new] == ["Zorp", "Proposal", "Won", "Closed Lost"]
    _, funnel = proposed("deals.csv", text, "stages.Zorp=open", "stages.Proposal=offer")
    assert [question.id for question in funnel.questions] == ["stages.Proposal"]

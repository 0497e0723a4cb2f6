"""Two nights of a small company through the whole dbt project: what the candidate holds, hand-worked rows of its facts.

The company is that of ``conftest``: deals with a CRM history and without, one deleted, one in dollars, one of nobody's.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from tests.dbt_fixture import failures, query, run_dbt, write_build

FIRST, SECOND = date(2024, 3, 15), date(2024, 3, 31)


def test_the_candidate_holds_marts_and_what_they_show_and_opens_in_duckdb_1_2(night: Path) -> None:
    with duckdb.connect(str(night / "candidate.duckdb"), read_only=True) as connection:
        schemas = connection.execute(
            "select distinct schema_name from duckdb_tables() union select distinct schema_name from duckdb_views()"
            " where not internal order by 1"
        ).fetchall()
        version = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where database_name = 'candidate'"
        ).fetchone()
    assert schemas == [("basis",), ("marts",)]
    assert version is not None
    assert version[0].startswith("v1.2.0")
    assert not (night / "candidate.duckdb.wal").exists()


def test_another_process_may_open_the_candidate_after_a_run_in_this_one(night: Path) -> None:
    with duckdb.connect(str(night / "candidate.duckdb")) as connection:
        assert connection.execute("select count(*) from marts.fct_opportunity").fetchone() == (4,)


def test_deals_stand_as_of_the_night_with_owner_amount_and_weight(night: Path) -> None:
    # proposal: one closed deal was in it and won, prior 0.3: (1 + 20 × 0.3) ÷ 21 = 0.333333. negotiation: prior 0.6.
    rows = query(
        night,
        "select opportunity_id, node_key, stage, amount, win_probability, weighted_amount, first_seen_on, segment"
        " from marts.fct_opportunity order by opportunity_id",
    )
    hundred = Decimal("100.00")
    assert rows == [
        ("lost-before", "rep:bob", "lost", hundred, 0.0, None, FIRST, "(none)"),
        ("moved-by-night", "rep:bob", "proposal", hundred, 0.333333, Decimal("33.33"), FIRST, "(none)"),
        ("nobody's", "rep:(unassigned)", "negotiation", Decimal("720.00"), 0.6, Decimal("432.00"), FIRST, "A"),
        ("won-by-history", "rep:ann", "won", Decimal("250.00"), 1.0, None, FIRST, "(none)"),
    ]


def test_stays_come_from_crm_history_or_else_from_our_nights_and_never_from_both(night: Path) -> None:
    rows = query(
        night,
        "select opportunity_id, spell_no, stage, entered_on, left_on, dwell_days, next_stage, outcome, is_entry_assumed"
        " from marts.fct_stage_spell order by opportunity_id, spell_no",
    )
    assert rows == [
        ("gone", 1, "proposal", date(2024, 3, 5), SECOND, 26, None, "deleted", True),
        ("moved-by-night", 1, "qualification", date(2024, 3, 1), SECOND, 30, "proposal", "advanced", True),
        ("moved-by-night", 2, "proposal", SECOND, None, 0, None, "open", False),
        ("nobody's", 1, "negotiation", date(2024, 3, 10), None, 21, None, "open", True),
        ("won-by-history", 1, "qualification", date(2024, 2, 1), date(2024, 2, 20), 19, "proposal", "advanced", False),
        ("won-by-history", 2, "proposal", date(2024, 2, 20), date(2024, 3, 12), 21, "won", "won", False),
    ]


def test_conversion_counts_every_entrant_once_at_each_node_and_segment(night: Path) -> None:
    rows = query(
        night,
        "select node_key, segment, entrants, advanced, won, unresolved, conv_next, conv_win, dwell_median_days"
        " from marts.mart_pipeline_stage where period_kind = 'quarter' and stage = 'qualification'"
        " order by node_key, segment",
    )
    # Bob's deal was under way when our first night saw it: when it entered is not known, so it is no entrant, and its
    # 30 days say nothing. Ann's deal left after 19 days.
    company = (1, 1, 1, 0, 1.0, 1.0, 19)
    ann, bob = (1, 1, 1, 0, 1.0, 1.0), (0, 0, 0, 0, None, None)
    assert rows == [
        ("company", "(none)", *company),
        ("company", "all", *company),
        ("region:华东", "(none)", *ann, 19),
        ("region:华东", "all", *ann, 19),
        ("region:华北", "(none)", *bob, None),
        ("region:华北", "all", *bob, None),
        ("rep:ann", "(none)", *ann, None),
        ("rep:ann", "all", *ann, 19),
        ("rep:bob", "(none)", *bob, None),
        ("rep:bob", "all", *bob, None),
        ("team:华东/一队", "(none)", *ann, 19),
        ("team:华东/一队", "all", *ann, 19),
    ]


def test_the_daily_pipeline_holds_a_deal_until_the_day_it_leaves(night: Path) -> None:
    company = "from marts.mart_pipeline_daily where node_key = 'company'"
    on = dict(query(night, f"select day, cast(sum(open_count) as integer) {company} group by day"))
    # 9 February: won-by-history and lost-before, the latter in a stage nobody recorded. 30 March: the deleted deal too.
    assert [on.get(date(2024, *day)) for day in ((1, 9), (1, 10), (2, 9), (2, 10), (3, 30), (3, 31))] == [
        None,
        1,
        2,
        1,
        3,
        2,
    ]
    unknown = query(
        night, f"select min(day), max(day), max(open_amount), max(weighted_amount) {company} and stage_no = 0"
    )
    assert unknown == [(date(2024, 1, 10), date(2024, 2, 9), Decimal("100.00"), Decimal("0.00"))]


def test_a_node_knows_its_path_and_who_answers_for_it(night: Path) -> None:
    rows = query(
        night,
        "select node_key, path, level, owner_user_id, valid_from, is_current from marts.dim_node"
        " where node_key in ('company', 'rep:ann', 'rep:bob', 'team:华东/一队', 'rep:(unassigned)') order by node_key",
    )
    assert rows == [
        ("company", "示例科技有限公司", 0, "boss", None, True),
        ("rep:(unassigned)", "示例科技有限公司 / (unassigned)", 3, None, None, True),
        ("rep:ann", "示例科技有限公司 / 华东 / 一队 / Ann", 3, "ann", SECOND, True),
        ("rep:bob", "示例科技有限公司 / 华北 / Bob", 3, "bob", SECOND, True),
        ("team:华东/一队", "示例科技有限公司 / 华东 / 一队", 2, "mia", SECOND, True),
    ]


def test_a_missing_rate_of_exchange_fails_the_build_and_says_which(tmp_path: Path) -> None:
    deal = {"opportunity_id": "dollars", "stage": "won", "amount": Decimal("100.00"), "currency": "USD"}
    write_build(tmp_path, as_of=SECOND, log={"opportunity": [deal | {"closed_on": date(2024, 3, 9)}]})
    result = run_dbt(tmp_path, "run", "--select", "+int_opportunities")
    assert not result.success
    assert any("no rate of exchange for USD on 2024-03-09" in failure for failure in failures(result))

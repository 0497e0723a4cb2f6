"""The stories that are planted into the demo company, found again in the published marts by query alone.

    python -m tests.integration.planted_truths MARTS.duckdb TRUTHS.json

Each query knows nothing of the company: it ranks all stages, sources, regions or reps by one figure of a mart, and the
planted one has to stand first.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb


@dataclass(frozen=True)
class Story:
    """One planted story.

    Attributes:
        title: what a leader would ask.
        sql: ranks whatever it may be, the most striking first: a name, then the figures that say why.
        planted: the name that was planted, from ``truths.json``.
    """

    title: str
    sql: str
    planted: Callable[[dict[str, Any]], str]


STORIES = (
    Story(
        "Which rep piles deals up?",
        """
        select node_key, avg(piling_score) as score, min(piling_score) as least, max(piling_rank) as worst_rank
        from marts.mart_rep_rhythm
        where is_active and week_start_on > as_of_date - 8 * 7
        group by node_key
        order by score desc nulls last
        """,
        lambda truths: f"rep:{truths['deals_piled_up']['user_id']}",
    ),
    Story(
        # Of those who entered in the last quarter that is over; four quarters before it are what is usual.
        "In which stage do deals stick, other than before?",
        """
        with quarters as (
            select *, dense_rank() over (order by period_start_on desc) - 1 as quarters_ago
            from marts.mart_pipeline_stage
            where period_kind = 'quarter' and node_key = 'company' and segment = 'all'
        )
        select
            stage,
            max(dwell_p80_days) filter (where quarters_ago = 1)
            / avg(dwell_p80_days) filter (where quarters_ago between 2 and 5) as longer,
            max(dwell_p80_days) filter (where quarters_ago = 1) as p80_days,
            avg(dwell_p80_days) filter (where quarters_ago between 2 and 5) as usual_days,
            max(dwell_n_event) filter (where quarters_ago = 1) as n
        from quarters
        group by stage
        order by longer desc nulls last
        """,
        lambda truths: str(truths["stuck_stage"]["stage"]),
    ),
    Story(
        # Quarters that are over: no lead of theirs is still to come, so that fewer leads are not young leads.
        "Which source of leads dries up?",
        """
        with quarters as (
            select *, dense_rank() over (order by period_start_on desc) - 1 as quarters_ago
            from marts.mart_lead_funnel
            where period_kind = 'quarter' and node_key = 'company' and source != 'all'
                and quality = 'all' and industry = 'all' and segment = 'all'
        )
        select
            source,
            sum(leads) filter (where quarters_ago in (1, 2)) / sum(leads) filter (where quarters_ago in (5, 6)) as kept,
            sum(leads) filter (where quarters_ago in (1, 2)) as leads,
            sum(leads) filter (where quarters_ago in (5, 6)) as leads_a_year_before
        from quarters
        group by source
        having leads_a_year_before >= 20
        order by kept
        """,
        lambda truths: str(truths["falling_lead_source"]["source"]),
    ),
    Story(
        # Months of which every lead is 60 days old: later ones are null there, and prove nothing.
        "In which region do leads become deals less often than before?",
        """
        with months as (
            select
                funnel.*,
                nodes.name,
                dense_rank() over (order by funnel.period_start_on desc) as months_ago
            from marts.mart_lead_funnel as funnel
            inner join marts.dim_node as nodes on funnel.node_key = nodes.node_key and nodes.is_current
            where funnel.period_kind = 'month' and nodes.node_kind = 'region' and funnel.converted_60d is not null
                and funnel.source = 'all' and funnel.quality = 'all'
                and funnel.industry = 'all' and funnel.segment = 'all'
        )
        select
            name,
            (sum(converted_60d) filter (where months_ago <= 2) / sum(leads) filter (where months_ago <= 2))
            / (sum(converted_60d) filter (where months_ago between 3 and 14)
                / sum(leads) filter (where months_ago between 3 and 14)) as of_usual,
            sum(converted_60d) filter (where months_ago <= 2) as converted,
            sum(leads) filter (where months_ago <= 2) as leads
        from months
        group by name
        having leads >= 20
        order by of_usual
        """,
        lambda truths: str(truths["lead_conversion_drop"]["region"]),
    ),
    Story(
        # By the lower bound of the share, so that an answer that was lucky once does not stand first.
        "Which answer to an objection works?",
        """
        select response, resolved_share_low, resolved_share, n, objection_win_rate
        from marts.mart_objection
        where period_kind = 'all' and node_key = 'company' and objection_type = 'all' and stage = 'all'
            and response_rank is not null
        order by response_rank
        """,
        lambda truths: str(truths["answer_that_works"]["response"]),
    ),
    Story(
        "In which region do stores delist the products?",
        """
        select
            region,
            count(*) filter (where not is_delisted) / count(*) as still_listed,
            count(*) filter (where is_delisted) as delisted,
            count(*) as stores,
            min(delisted_on) as since
        from marts.mart_store
        where month_start_on = (select max(month_start_on) from marts.mart_store)
            and is_in_universe and is_delisted is not null
        group by region
        order by still_listed
        """,
        lambda truths: str(truths["delisted_stores"]["region"]),
    ),
)


PACES = """
    select
        month(day) as month,
        node_key,
        day,
        is_working_day,
        working_days_passed,
        pace_index,
        pace_index_calendar,
        bool_or(is_working_day <> (isodow(day) <= 5)) over (partition by node_key, yearweek(day)) as has_adjusted_days
    from marts.mart_pace_daily
    where period_kind = 'month' and metric = $metric and node_key in (select unnest($nodes)) and year(day) = $year
    order by node_key, day
"""
"""Each day of the year of reps who are planted on plan; adjusted weeks have a weekday off or a weekend worked."""

STEADY_BY_MONTH = f"""
    with paces as ({PACES})
    select
        month,
        count(*) as days,
        min(pace_index) as least,
        max(pace_index) as most,
        min(pace_index_calendar) filter (pace_index is not null) as least_by_calendar,
        max(pace_index_calendar) filter (pace_index is not null) as most_by_calendar,
        avg((pace_index_calendar not between 0.95 and 1.05)::int) filter (pace_index is not null and has_adjusted_days)
            as outside_in_adjusted_weeks
    from paces
    group by month
    order by month
"""


def steady(sql: str, marts: Path, planted: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Rows of a query about the reps who are on plan all the time, in their year."""
    story = planted["steady_reps"]
    asked = {"metric": story["metric"], "nodes": story["node_keys"], "year": story["year"]}
    with duckdb.connect(str(marts), read_only=True) as connection:
        return connection.execute(sql, asked).fetchall()


def ranking(story: Story, marts: Path) -> list[tuple[Any, ...]]:
    """What a story's query finds in a published file, the most striking first."""
    with duckdb.connect(str(marts), read_only=True) as connection:
        return connection.execute(story.sql).fetchall()


def main() -> int:
    """Print each ranking; ends with 1 where the planted one is not first."""
    truths = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))["planted"]
    missed = 0
    for story in STORIES:
        found = ranking(story, Path(sys.argv[1]))
        missed += found[0][0] != story.planted(truths)
        print(f"{story.title} planted: {story.planted(truths)}")  # noqa: T201
        for row in found[:4]:
            print("   ", *(f"{value:.2f}" if isinstance(value, float) else value for value in row))  # noqa: T201
    print("Who is on plan on every day of the year? By month: least and most pace, the same by calendar days, outside")  # noqa: T201
    for row in steady(STEADY_BY_MONTH, Path(sys.argv[1]), truths):
        print("   ", *(f"{value:.3f}" if isinstance(value, float) else value for value in row))  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

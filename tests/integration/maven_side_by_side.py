"""Maven's figures twice: counted on the CSV files alone, and read from the published marts.

    python -m tests.integration.maven_side_by_side [MARTS.duckdb]

prints both beside each other; without a file it runs the night first, in a folder that it throws away. The statements
on the files know nothing of planloop; those on the marts know nothing of the files.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).parents[2]
AS_OF = "2017-12-31"

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Comparison:
    """One question, asked of the files and of the marts.

    Attributes:
        title: the question.
        key: how many leading columns say what a row is about; the others are its figures.
        columns: names of the columns, in the order of both statements.
        files: the statement on the CSV files.
        marts: the statement on the marts.
    """

    title: str
    key: int
    columns: tuple[str, ...]
    files: str
    marts: str


@dataclass(frozen=True)
class Answers:
    """What the files and the marts answered, row by row in the same order."""

    comparison: Comparison
    files: list[Row]
    marts: list[Row]

    @property
    def agree(self) -> bool:
        """Whether both say the same, to the last digit, and anything at all."""
        return bool(self.files) and self.files == self.marts


# The pipeline writes one product in two ways, and the example's configuration says so; whoever counts has to know it.
_PRODUCT = "replace(deals.product, 'GTXPro', 'GTX Pro')"
_CLOSED = "deals.deal_stage in ('Won', 'Lost')"
_WON = "deals.deal_stage = 'Won'"
_RATE = "round(count(*) filter (where {won}) / count(*), 6)"
_CYCLE = "date_diff('day', deals.engage_date, deals.close_date)"
_FILES_BY_MANAGER = "from pipeline as deals join teams using (sales_agent)"
_MARTS_BY_MANAGER = """
    from marts.fct_opportunity as deals
    join marts.dim_node as reps on reps.node_key = deals.node_key and reps.is_current
    join marts.dim_node as teams on teams.node_key = reps.parent_node_key and teams.is_current
"""
_RETROSPECTIVE = """
    from marts.mart_retrospective as cells
    join marts.dim_node as nodes on nodes.node_key = cells.node_key and nodes.is_current
    where cells.period_kind = 'year' and cells.period_start_on = date '2017-01-01'
"""

COMPARISONS = (
    Comparison(
        "Deals by stage",
        1,
        ("stage", "deals", "value"),
        "select lower(deal_stage), count(*), sum(close_value)::decimal(18, 2) from pipeline group by all",
        "select stage, count(*), sum(amount) from marts.fct_opportunity group by all",
    ),
    Comparison(
        "Open deals by stage on the last day, from the daily pipeline",
        1,
        ("stage", "deals"),
        "select lower(deal_stage), count(*) from pipeline where deal_stage not in ('Won', 'Lost') group by all",
        f"""select stage, sum(open_count)::bigint from marts.mart_pipeline_daily
            where node_key = 'company' and day = date '{AS_OF}' group by all""",
    ),
    Comparison(
        "Win rate by manager, from the deals",
        1,
        ("manager", "won", "lost", "win rate", "won value"),
        f"""select teams.manager, count(*) filter (where {_WON}), count(*) filter (where deals.deal_stage = 'Lost'),
            {_RATE.format(won=_WON)}, sum(deals.close_value)::decimal(18, 2)
            {_FILES_BY_MANAGER} where {_CLOSED} group by all""",
        f"""select teams.name, count(*) filter (where deals.is_won), count(*) filter (where not deals.is_won),
            {_RATE.format(won="deals.is_won")}, sum(deals.amount)
            {_MARTS_BY_MANAGER} where deals.is_closed group by all""",
    ),
    Comparison(
        "Win rate by manager, from the retrospective of 2017",
        1,
        ("manager", "win rate", "closed"),
        f"select teams.manager, {_RATE.format(won=_WON)}, count(*) {_FILES_BY_MANAGER} where {_CLOSED} group by all",
        f"""select nodes.name, cells.actual::double, cells.n {_RETROSPECTIVE}
            and cells.metric = 'win_rate_close_n' and nodes.node_kind = 'team'""",
    ),
    Comparison(
        "Win rate by manager, by number and by value, from the win rates of the quarters",
        2,
        ("manager", "quarter", "won", "lost", "win rate", "win rate by value"),
        f"""select teams.manager, date_trunc('quarter', deals.close_date)::date, count(*) filter (where {_WON}),
            count(*) filter (where deals.deal_stage = 'Lost'), {_RATE.format(won=_WON)},
            round(sum(deals.close_value) filter (where {_WON}) / sum(deals.close_value), 6)
            {_FILES_BY_MANAGER} where {_CLOSED} group by all""",
        """select nodes.name, cells.period_start_on, cells.won_count, cells.lost_count, cells.win_rate_close_n,
            cells.win_rate_close_v
            from marts.mart_win_rate as cells
            join marts.dim_node as nodes on nodes.node_key = cells.node_key and nodes.is_current
            where cells.period_kind = 'quarter' and cells.segment = 'all' and nodes.node_kind = 'team'
            and cells.closed_n > 0""",
    ),
    Comparison(
        "Win rate by product, from the deals",
        1,
        ("product", "won", "lost", "win rate"),
        f"""select {_PRODUCT}, count(*) filter (where {_WON}), count(*) filter (where deals.deal_stage = 'Lost'),
            {_RATE.format(won=_WON)} from pipeline as deals where {_CLOSED} group by all""",
        f"""select deals.product_id, count(*) filter (where deals.is_won), count(*) filter (where not deals.is_won),
            {_RATE.format(won="deals.is_won")}
            from marts.fct_opportunity as deals where deals.is_closed group by all""",
    ),
    Comparison(
        "Days from engagement to winning, from the deals",
        1,
        ("manager", "won", "mean days", "median days"),
        f"""select teams.manager, count(*), round(avg({_CYCLE}), 6), median({_CYCLE})
            {_FILES_BY_MANAGER} where {_WON} group by all""",
        f"""select teams.name, count(*), round(avg(deals.age_days), 6), median(deals.age_days)
            {_MARTS_BY_MANAGER} where deals.is_won group by all""",
    ),
    Comparison(
        "Median days from engagement to winning, from the retrospective of 2017",
        1,
        ("node", "median days", "won"),
        f"""select 'Maven Hardware', median({_CYCLE}), count(*) from pipeline as deals where {_WON}
            union all select teams.manager, median({_CYCLE}), count(*) {_FILES_BY_MANAGER} where {_WON} group by all
            union all select teams.regional_office, median({_CYCLE}), count(*) {_FILES_BY_MANAGER} where {_WON}
            group by all""",
        f"""select nodes.name, cells.actual::double, cells.n {_RETROSPECTIVE}
            and cells.metric = 'median_cycle_days' and nodes.node_kind != 'rep'""",
    ),
)


def ask(comparison: Comparison, marts: Path, data: Path) -> Answers:
    """Ask one question of both.

    Args:
        comparison: the question.
        marts: the published DuckDB file.
        data: the folder with Maven's CSV files.
    """
    with duckdb.connect() as files, duckdb.connect(str(marts), read_only=True) as published:
        files.execute(f"create view pipeline as from read_csv('{data / 'sales_pipeline.csv'}')")
        files.execute(f"create view teams as from read_csv('{data / 'sales_teams.csv'}')")
        answers = (
            connection.execute(f"from ({sql}) order by all").fetchall()
            for connection, sql in ((files, comparison.files), (published, comparison.marts))
        )
        return Answers(comparison, *answers)


def show(answers: Answers, console: Console) -> None:
    """Print one question with both answers, a row a line, what differs in red."""
    comparison = answers.comparison
    names, figures = comparison.columns[: comparison.key], comparison.columns[comparison.key :]
    table = Table(title=f"{comparison.title}: {'equal' if answers.agree else 'DIFFERENT'}", title_justify="left")
    for column in names:
        table.add_column(column)
    for column in figures:
        table.add_column(f"{column}\nfiles", justify="right")
        table.add_column("\nmarts", justify="right")
    files = {row[: comparison.key]: row[comparison.key :] for row in answers.files}
    marts = {row[: comparison.key]: row[comparison.key :] for row in answers.marts}
    for key in sorted(files.keys() | marts.keys(), key=lambda key: [str(part) for part in key]):
        pairs = zip(files.get(key, ("–",) * len(figures)), marts.get(key, ("–",) * len(figures)), strict=True)
        cells = [str(value) for pair in pairs for value in pair]
        table.add_row(*(str(part) for part in key), *cells, style=None if files.get(key) == marts.get(key) else "red")
    console.print(table)


def main() -> int:
    """Print both sides; ends with 1 where they differ."""
    data = Path(os.environ["PLANLOOP_DATA"])
    with tempfile.TemporaryDirectory() as folder:
        marts = Path(sys.argv[1]) if sys.argv[1:] else _night(Path(folder))
        both = [ask(comparison, marts, data / "maven") for comparison in COMPARISONS]
    console = Console(width=140)
    for answers in both:
        show(answers, console)
    return 0 if all(answers.agree for answers in both) else 1


def _night(workspace: Path) -> Path:
    options = ["--config", str(PROJECT / "config/examples/maven"), "--workspace", str(workspace)]
    command = [sys.executable, "-m", "flows.cli", *options, "refresh", "--as-of", AS_OF]
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return workspace / "published" / "marts.duckdb"


if __name__ == "__main__":
    sys.exit(main())

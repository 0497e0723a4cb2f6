"""AdventureWorks' attainment twice: by SQL on the CSV files alone, and read from the published marts.

    python -m tests.integration.adventureworks_side_by_side MARTS.duckdb

prints both beside each other. The statements on the files know nothing of planloop; those on the marts know nothing of
the files.
"""

import os
import sys
from pathlib import Path

import duckdb
from rich.console import Console

from tests.integration.maven_side_by_side import Answers, Comparison, show

AS_OF = "2020-05-31"

_QUARTERS = """
    select EmployeeKey as person, QuarterStart as quarter, sum(sold) as sold, sum(quota) as quota
    from (
        select EmployeeKey, date_trunc('quarter', OrderDate)::date as QuarterStart, SalesAmount as sold, null as quota
        from sales
        union all
        select EmployeeKey, QuarterStart, null, SalesAmountQuota from quotas
    )
    group by all
"""
_ATTAINMENT = "round(sold::double / nullif(quota, 0)::double, 6)"
_MARTS = "from marts.mart_target_attainment where metric = 'bookings' and period_kind ="

COMPARISONS = (
    Comparison(
        "Attainment by salesperson and quarter",
        2,
        ("salesperson", "quarter", "sold", "quota", "attainment"),
        f"select person, quarter, coalesce(sold, 0), quota, {_ATTAINMENT} from ({_QUARTERS})",
        f"""select substr(node_key, 5), period_start_on, actual, target_base, round(attainment, 6)
            {_MARTS} 'quarter' and starts_with(node_key, 'rep:') and (actual <> 0 or target_base is not null)""",
    ),
    Comparison(
        "Attainment of the company by year",
        1,
        ("year", "sold", "quota", "attainment"),
        f"""select year, sold, quota, {_ATTAINMENT} from (
                select date_trunc('year', quarter)::date as year, sum(sold) as sold, sum(quota) as quota
                from ({_QUARTERS}) group by all
            )""",
        f"""select period_start_on, actual, target_base, round(attainment, 6) {_MARTS} 'year'
            and node_key = 'company'""",
    ),
    Comparison(
        "What each salesperson sees of the running quarter",
        1,
        ("salesperson", "sold", "quota", "gap"),
        f"""select person, coalesce(sold, 0), quota, quota - coalesce(sold, 0) from ({_QUARTERS})
            where quarter = date '2020-04-01'""",
        """select user_id, actual, target_base, gap from marts.mart_attainment_rep
           where metric = 'bookings' and period_kind = 'quarter' and is_current""",
    ),
    Comparison(
        "Who is short of how much of what is missing, in the running quarter",
        1,
        ("salesperson", "share of the gap"),
        f"""select person, round((short / nullif(sum(short) over (), 0))::double, 6) from (
                select person, greatest(quota - coalesce(sold, 0), 0)::double as short from ({_QUARTERS})
                where quarter = date '2020-04-01' and quota is not null
            )""",
        """select substr(node_key, 5), round(share_of_gap, 6) from marts.mart_attainment_manager
           where metric = 'bookings' and period_kind = 'quarter' and is_current and led_node_key = 'company'
               and not is_led_node and target_base is not null""",
    ),
)


def ask(comparison: Comparison, marts: Path, data: Path) -> Answers:
    """Ask one question of both.

    Args:
        comparison: the question.
        marts: the published DuckDB file.
        data: the folder with AdventureWorks' CSV files.
    """
    money = "{'SalesAmount': 'decimal(18, 2)', 'EmployeeKey': 'varchar'}"
    quota = "{'SalesAmountQuota': 'decimal(18, 2)', 'EmployeeKey': 'varchar'}"
    with duckdb.connect() as files, duckdb.connect(str(marts), read_only=True) as published:
        files.execute(f"create view sales as from read_csv('{data / 'reseller_sales.csv'}', types = {money})")
        files.execute(f"create view quotas as from read_csv('{data / 'sales_quota.csv'}', types = {quota})")
        answers = (
            connection.execute(f"from ({sql}) order by all").fetchall()
            for connection, sql in ((files, comparison.files), (published, comparison.marts))
        )
        return Answers(comparison, *answers)


def main() -> int:
    """Print both sides; ends with 1 where they differ."""
    data = Path(os.environ["PLANLOOP_DATA"]) / "adventureworks"
    both = [ask(comparison, Path(sys.argv[1]), data) for comparison in COMPARISONS]
    console = Console(width=140)
    for answers in both:
        show(answers, console)
    return 0 if all(answers.agree for answers in both) else 1


if __name__ == "__main__":
    sys.exit(main())

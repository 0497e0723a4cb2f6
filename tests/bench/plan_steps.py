"""Parts of a planned night, each in a process of its own.

    python -m tests.bench.plan_steps stage CONFIG WORKSPACE
    python -m tests.bench.plan_steps bare DATA TARGETS ATTAINED

``stage`` does what the night's stage ``plan`` does on a build folder whose facts are built: history and people in, both
tables of the plan out. ``bare`` is the least that any attainment takes: one statement over the generated files that
adds results up by node and period and sets them against the plan's cells, all of them in memory, nothing tested.
"""

import sys
from pathlib import Path

import duckdb
import polars as pl

from flows.config import load
from flows.planning.allocation.setting import setting_of
from flows.planning.basis import read_basis, staged_basis, write_basis
from flows.planning.night import plan_inputs, plan_versions
from flows.warehouse.inputs import write_input
from flows.workspace import Workspace
from tests.bench.bench_marts import AS_OF
from tests.bench.plan_company import FISCAL

BARE = """
create table attained as
with rates as (select * from '{data}/fx_rates.parquet'),
deals as (
    select *, date_trunc('month', created_at) as created, date_trunc('month', closed_at) as closed
    from '{data}/opportunities.parquet'
),
facts as (
    select 'bookings' as metric, owner_id, closed as month_on, sum(round(amount * usd_rate, 2)) as value
    from deals join rates on deals.currency = rates.currency and closed = rates.month where is_won group by all
    union all
    select 'won_count', owner_id, closed, count(*) from deals where is_won group by all
    union all
    select 'created_count', owner_id, created, count(*) from deals group by all
    union all
    select 'cash_collected', owner_id, date_trunc('month', paid_on), sum(round(payments.amount * usd_rate, 2))
    from '{data}/payments.parquet' as payments
    join '{data}/contracts.parquet' as contracts on payments.contract_id = contracts.contract_id
    join deals on contracts.opportunity_id = deals.opportunity_id
    join rates on payments.currency = rates.currency and date_trunc('month', paid_on) = rates.month
    group by all
    union all
    select 'leads', owner_id, date_trunc('month', created_at), count(*) from '{data}/leads.parquet' group by all
    union all
    select 'activities', owner_id, date_trunc('month', occurred_at), count(*)
    from '{data}/activities.parquet' group by all
),
nodes as (
    select owner_id, unnest([
        'rep:' || owner_id, 'team:' || region || '/' || team, 'region:' || region, 'company'
    ]) as node_key
    from '{data}/users.parquet'
),
-- Months of the fiscal year counted from 0: a quarter is a third of them, and so on.
months as (
    select metric, node_key, month_on, date_diff('month', date '{first}', month_on) as number, sum(value) as value
    from facts join nodes using (owner_id) where month_on >= date '{first}' group by all
),
cells as (
    select metric, node_key, length, date '{first}' + to_months(number - number % length) as start_on,
        sum(value) as value
    from months, (select unnest([1, 3, 6, 12]) as length) group by all
)
select targets.plan_version, targets.metric, targets.period_kind, targets.period_start_on, targets.node_key,
    cells.value, targets.base_hundredths, cells.value * 100 / nullif(targets.base_hundredths, 0) as attainment
from '{targets}' as targets
left join cells
    on targets.metric = cells.metric and targets.node_key = cells.node_key
        and targets.period_start_on = cells.start_on
        and case targets.period_kind when 'month' then 1 when 'quarter' then 3 when 'half' then 6 else 12 end = length
"""


def stage(config_folder: Path, root: Path) -> None:
    """The plan of the night whose facts are built."""
    config, workspace = load(config_folder, {"PLANLOOP_BENCH": "", "PLANLOOP_WORKSPACE": str(root)}), Workspace(root)
    as_of = pl.read_parquet(workspace.build_input("run"))["as_of_date"][0]
    basis = read_basis(workspace, as_of, config.settings.fiscal)
    write_basis(basis, staged_basis(workspace))
    setting = setting_of(config, basis.history, workspace.candidate)
    planned = plan_versions(workspace, config.plans, config.folder / "plans", setting, basis.headcount, as_of)
    for name, frame in zip(("plan_version", "plan_target"), plan_inputs(planned, setting), strict=True):
        write_input(workspace, name, frame)


def bare(data: Path, targets: Path, attained: Path) -> None:
    """Attainment of every cell of every version, in plain SQL."""
    first = FISCAL.periods(FISCAL.year_of(pl.Series([AS_OF]).str.to_date()[0]), "year")[0].start_on
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = '4GB'; set threads = 2; set preserve_insertion_order = false")
        connection.execute(BARE.format(data=data, targets=targets, first=first))
        connection.execute(f"copy attained to '{attained}' (format parquet)")


if __name__ == "__main__":
    if sys.argv[1] == "stage":
        stage(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        bare(Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))

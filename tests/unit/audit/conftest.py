"""A small night that passes every rule, and a way to spoil one thing of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.audit.measurements import Measurements, Night, measure
from flows.publish.manifest import ColumnType, DatabaseFile, Manifest, TableFile

AS_OF = date(2025, 3, 31)
RUN_ID = "20250331-01"

# Two reps in one team of one region; 60 won deals of 100.00 on 2 March and 60 open ones, 30 each; one deal in USD.
CANDIDATE = """
create schema marts;
create table marts.dim_date as
select day, date_trunc('month', day)::date as month_start_on, date_trunc('quarter', day)::date as quarter_start_on,
    make_date(year(day), case when month(day) < 7 then 1 else 7 end, 1) as half_start_on,
    date_trunc('year', day)::date as year_start_on
from (select unnest(generate_series(date '2025-01-01', date '2025-12-31', interval 1 day))::date as day);
create table marts.dim_node as
select * from (values
    ('company', null, true), ('region:east', 'company', true), ('team:east/a', 'region:east', true),
    ('rep:1', 'team:east/a', true), ('rep:2', 'team:east/a', true), ('rep:2', 'region:east', false),
    ('rep:(unassigned)', 'company', true)) as nodes (node_key, parent_node_key, is_current);
create table marts.fct_opportunity as
select 'O-' || number as opportunity_id, 100.00::decimal(18, 2) as amount, 100.00::decimal(18, 2) as amount_original,
    case when number = 0 then 'USD' else 'CNY' end as currency, number < 60 as is_won,
    case when number < 60 then 'won' else 'proposal' end as stage, case when number < 60 then 2 else 1 end as stage_no,
    number < 60 as is_closed,
    case when number < 60 then date '2025-03-02' end as closed_on
from (select unnest(range(120)) as number);
create table marts.fct_booking as
select opportunity_id as booking_id, closed_on as booked_on, amount, amount_original, currency
from marts.fct_opportunity where is_won;
create table marts.mart_target_attainment as
select metric, period_kind, period_start_on, node_key,
    (share * case metric when 'bookings' then 6000 else 60 end)::decimal(18, 2) as actual,
    (share * case metric when 'bookings' then 6000 else 60 end)::decimal(18, 2) as open_amount,
    (share * 60)::bigint as open_deals
from (values ('bookings'), ('won_count')) as metrics (metric)
cross join (values ('month', date '2025-03-01'), ('quarter', date '2025-01-01'), ('half', date '2025-01-01'),
    ('year', date '2025-01-01')) as periods (period_kind, period_start_on)
cross join (values ('company', 1.0), ('region:east', 1.0), ('team:east/a', 1.0), ('rep:1', 0.5), ('rep:2', 0.5))
    as nodes (node_key, share);
create table marts.mart_forecast as
select 'stage_win_rate' as method, metric, period_kind, period_start_on, node_key, actual as closed_amount,
    open_amount, (open_amount / 2)::decimal(18, 2) as open_weighted_amount,
    (actual + open_amount / 2)::decimal(18, 2) as forecast_expected
from marts.mart_target_attainment;
create table marts.mart_pipeline_waterfall as
select scope, node_key, period_kind, period_start_on, last_day(period_start_on) as period_end_on,
    last_day(period_start_on) as seen_until_on, (share * 12000 * before)::decimal(18, 2) as start_amount,
    (share * 12000 * (1 - before))::decimal(18, 2) as created_amount,
    (share * 6000 * before)::decimal(18, 2) as won_amount,
    (share * (12000 - 6000 * before))::decimal(18, 2) as end_amount, (share * 120 * before)::bigint as start_deals,
    (share * 120 * (1 - before))::bigint as created_deals, (share * 60 * before)::bigint as won_deals,
    (share * (120 - 60 * before))::bigint as end_deals,
    {nothing}
from (values ('month', date '2025-02-01', 0), ('month', date '2025-03-01', 1), ('quarter', date '2025-03-01', 1),
    ('year', date '2025-03-01', 1)) as periods (period_kind, period_start_on, before)
cross join (values ('all'), ('closing')) as scopes (scope)
cross join (values ('company', 1.0), ('region:east', 1.0), ('team:east/a', 1.0), ('rep:1', 0.5), ('rep:2', 0.5))
    as nodes (node_key, share);
create table marts.mart_deviation as
select 'pace' as rule_id, 'rep:' || number as node_key, number % 2 = 0 as is_evaluated,
    case when number % 2 = 0 then 0.8::double end as measured, 1.0::double as expected,
    case when number % 4 = 0 then 'critical' else 'none' end as severity
from (select unnest(range(60)) as number);
create table marts.mart_data_quality as
select as_of_date as night_on, * exclude (as_of_date), as_of_date = date '2025-03-31' as is_tonight,
    case when source = 'crm' then 24 end as hours_old, case when source = 'crm' then 24.0 end as fresh_within_hours,
    case when source = 'crm' then false end as is_stale
from read_parquet('{inputs}/source_file.parquet');
"""

NEVER_TAKEN = "pulled_in reopened transferred_in increase decrease pushed_out transferred_out lost deleted".split()
NOTHING = ", ".join(
    f"{zero} as {name}_{unit}"
    for unit, zero in (("amount", "0.00::decimal(18, 2)"), ("deals", "0::bigint"))
    for name in NEVER_TAKEN
)
"""Ways through the pipeline that no deal took."""

SOURCE_FILES = """
select * from (values
    (date '2025-03-30', 'crm', 'opportunities.csv', 'opportunity', 'accepted', null, 90, 90, 0, 90, 0, 0,
        date '2025-03-30'),
    (date '2025-03-31', 'crm', 'opportunities.csv', 'opportunity', 'accepted', null, 125, 122, 3, 32, 5, 2,
        date '2025-03-31'),
    (date '2025-03-31', 'people', 'users.xlsx', 'user', 'accepted', null, 2, 2, 0, 2, 0, 0, null))
    as files (as_of_date, source, file, entity, status, message, rows_in, rows_accepted, rows_quarantined, rows_new,
        rows_changed, rows_deleted, freshest_on)
"""

# 90 deals on the first night; tonight 32 new, 5 changed, 2 deleted: 120 known.
LOG_BEFORE = """
select 'O-' || number as opportunity_id, (case when number < 5 then 80 else 100 end)::decimal(18, 2) as amount,
    case when number = 0 then 'USD' end as currency, 'new' as _change, date '2025-03-30' as _valid_from
from (select unnest(range(88)) as number)
union all
select 'gone-' || number, null::decimal(18, 2), 'CNY', 'new', date '2025-03-30' from (select unnest(range(2)) as number)
"""
LOG_TONIGHT = """
select 'O-' || number as opportunity_id, 100::decimal(18, 2) as amount, case when number = 0 then 'USD' end as currency,
    case when number < 5 then 'changed' else 'new' end as _change, date '2025-03-31' as _valid_from
from (select unnest(range(120)) as number) where number < 5 or number >= 88
union all
select 'gone-' || number, null::decimal(18, 2), 'CNY', 'deleted', date '2025-03-31'
from (select unnest(range(2)) as number)
"""


@dataclass
class SmallNight:
    """A night on disk."""

    folder: Path
    previous: Manifest | None = None
    tolerated: tuple[tuple[str, str], ...] = ()
    accept_shrink: tuple[str, ...] = ()

    @property
    def candidate(self) -> Path:
        """The candidate file."""
        return self.folder / "candidate.duckdb"

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The candidate, writable."""
        with duckdb.connect(str(self.candidate)) as connection:
            yield connection

    def change(self, statement: str) -> None:
        """Spoil the candidate."""
        with self.open() as connection:
            connection.execute(statement)

    def change_input(self, name: str, query: str) -> None:
        """Rewrite an input table; ``query`` reads the old one as ``{old}``."""
        path = self.folder / name
        with duckdb.connect() as connection:
            connection.execute("create table rewritten as " + query.format(old=f"read_parquet('{path}')"))
            connection.execute(f"copy rewritten to '{path}' (format parquet)")

    def leave_out(self, source: str, status: str, message: str) -> None:
        """Let a source have been refused or missing tonight, as its configuration allows."""
        self.tolerated = ((source, status),)
        replaced = f"case when source = '{source}' then '{status}' else status end as status, '{message}' as message"
        self.change_input("inputs/source_file.parquet", f"select * replace ({replaced}) from {{old}}")

    def published_before(self, measures: dict[str, float] | None = None, **rows: int) -> None:
        """Let a night have been published before, with so many rows."""
        self.previous = Manifest(
            code_version="0",
            config_hash="0",
            measures=measures or {},
            run_id="20250330-01",
            as_of_date=date(2025, 3, 30),
            sequence=1,
            database=DatabaseFile(file="planloop.duckdb", bytes=1, sha256="0", storage_version="v1.2.0+"),
            tables=tuple(
                TableFile(
                    name=name, rows=n, columns=(ColumnType(name="x", type="DATE"),), file="x", bytes=1, sha256="0"
                )
                for name, n in rows.items()
            ),
        )

    def measure(self) -> Measurements:
        """Measure it."""
        return measure(
            Night(self.candidate, self.folder, self.previous, self.tolerated, self.accept_shrink, {"threads": 1})
        )


@pytest.fixture
def night(tmp_path: Path) -> SmallNight:
    """A night that passes."""
    return make_night(tmp_path)


def make_night(root: Path) -> SmallNight:
    """Write a night that passes."""
    folder = root / "build"
    (folder / "inputs").mkdir(parents=True)
    with duckdb.connect() as connection:
        write(connection, SOURCE_FILES, folder / "inputs" / "source_file.parquet")
        run = f"select date '{AS_OF}' as as_of_date, '{RUN_ID}' as run_id, 'opportunity' as bookings_from,"
        write(connection, f"{run} 'CNY' as reporting_currency", folder / "inputs" / "run.parquet")
        write_log(connection, LOG_BEFORE, folder / "log" / "opportunity" / "2025-03-30.parquet")
        write_log(connection, LOG_TONIGHT, folder / "log" / "opportunity" / "2025-03-31.parquet")
        users = "select 'U-' || range as user_id, 'new' as _change, date '2025-03-31' as _valid_from from range(2)"
        write_log(connection, users, folder / "log" / "user" / "2025-03-31.parquet")
    small = SmallNight(folder)
    with small.open() as connection:
        connection.execute(CANDIDATE.replace("{inputs}", str(folder / "inputs")).replace("{nothing}", NOTHING))
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts'"
        ).fetchall()
        for (name,) in names:
            connection.execute(f"alter table marts.{name} add column as_of_date date default date '{AS_OF}'")
            connection.execute(f"alter table marts.{name} add column run_id varchar default '{RUN_ID}'")
    return small


def write_log(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write rows of the change log that show the day of their night."""
    write(connection, f"select *, null::varchar as merged_into_id, _valid_from as _observed_on from ({query})", path)  # noqa: S608


def write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write the rows of a query as Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(f"copy ({query}) to '{path}' (format parquet)")

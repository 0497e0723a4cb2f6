"""What the wordings of the contracts say: instalments of payment terms and lengths of delivery periods, for the build.

The change log keeps the wordings; what they mean is read anew each night, so that a better reading mends the past too.
"""

import polars as pl

from flows.ingest.payment_terms import delivery_periods, instalments_of
from flows.warehouse.inputs import write_input
from flows.workspace import Workspace


def write_contract_terms(workspace: Workspace) -> None:
    """Write ``payment_terms`` and ``delivery_terms``, one row a wording of the assembled contracts."""
    contracts = pl.scan_parquet(workspace.build_log("contract") / "*.parquet", missing_columns="insert")
    for column, name, read in (
        ("payment_terms", "payment_terms", instalments_of),
        ("delivery_terms", "delivery_terms", delivery_periods),
    ):
        wordings = contracts.select(pl.col(column).unique()).collect().to_series()
        write_input(workspace, name, read(wordings))

"""The wordings of the assembled contracts, as the build reads them."""

from pathlib import Path

import polars as pl

from flows.warehouse.contract_terms import write_contract_terms
from flows.workspace import Workspace


def test_each_wording_is_read_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = workspace.build_log("contract")
    folder.mkdir(parents=True)
    terms = ["30%预付款,70%验收款", None, "30%预付款,70%验收款", "分期付款"]
    pl.DataFrame({"payment_terms": terms, "delivery_terms": ["3个月", None, "随缘", "3个月"]}).write_parquet(
        folder / "2026-11-19.parquet"
    )
    pl.DataFrame({"payment_terms": ["货到付款"], "delivery_terms": ["45个工作日"]}).write_parquet(
        folder / "2026-11-20.parquet"
    )
    write_contract_terms(workspace)
    assert pl.read_parquet(workspace.build_input("payment_terms")).rows() == [
        ("30%预付款,70%验收款", 1, "advance", 3000, None),
        ("30%预付款,70%验收款", 2, "acceptance", 7000, None),
        ("货到付款", 1, "delivery", 10000, None),
    ]
    assert pl.read_parquet(workspace.build_input("delivery_terms")).rows() == [
        ("3个月", 3, "month"),
        ("45个工作日", 45, "working"),
    ]

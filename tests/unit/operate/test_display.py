"""What a person or a log sees of results."""

import io

from rich.console import Console

from flows.operate.display import print_rows, print_summary

FILE = {
    "source": "deals",
    "status": "accepted",
    "message": None,
    "unknown_columns": [],
    "rows_set_aside": 0,
    **{f"{what}_{language}": None for what in ("drift", "notice") for language in ("en", "zh")},
    **{f"rows_{name}": 0 for name in ("in", "accepted", "quarantined", "new", "changed", "deleted")},
}


def test_in_a_log_every_record_stands_on_one_line() -> None:
    page = io.StringIO()
    print_rows(Console(file=page), "Runs", [{"run": "20261120-01", "message": "word " * 60 + "end"}], as_json=False)
    assert any("20261120-01" in line and "end" in line for line in page.getvalue().splitlines())


def test_the_summary_tells_the_files_of_one_source_apart() -> None:
    page = io.StringIO()
    summary = {
        "run_id": "20261120-01",
        "as_of_date": "2026-11-20",
        "files": [
            {**FILE, "file": "deals_east.csv"},
            {**FILE, "file": "deals_west.csv", "unknown_columns": ["Region__c"]},
            {
                **FILE,
                "file": "deals.xlsx",
                "rows_set_aside": 3,
                "drift_zh": "新增的列：“备注”",
                "drift_en": "new column",
            },
        ],
        "language": "zh",
        "warnings": ["leads: 缺失"],
        "unplaced_targets": ["bookings, month 2026-11-01, region/Nroth: unknown node (plan 2026)"],
        "targets_beside_plan": ["bookings of 2026 (plan sheet)"],
        "plan_fails": ["bookings · company · A achievable: +90.0% over 10.00"],
        "alerts": {"opened": 0, "worsened": 0, "resolved": 0},
        "mails": {"sent": 0, "pending": 0},
        "is_current": True,
        "published": "p",
        "report": "r",
    }
    print_summary(Console(file=page), summary, as_json=False)
    assert "deals_east.csv" in page.getvalue()
    assert "region/Nroth: unknown node" in page.getvalue()
    assert "the night goes on:\n  bookings · company · A achievable: +90.0%" in page.getvalue()
    assert "the plan file holds:\n  bookings of 2026 (plan sheet)" in page.getvalue()
    assert "deals, deals_west.csv: columns not mapped: Region__c" in page.getvalue()
    assert "deals, deals.xlsx: changed since the last night: 新增的列：“备注”" in (page.getvalue())
    assert "Warnings of the audit; the night was published all the same:\n  leads: 缺失" in page.getvalue()

"""The log of a run: every event once, readable by machine and person, nothing secret or personal in it."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flows.operate.logs import Redactor, console_log, log_event, run_log


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_event_is_one_json_line_with_time_level_stage_event_and_fields(tmp_path):
    with run_log(tmp_path / "logs" / "20250102-01.jsonl") as path:
        log_event("land", "file landed", file="opportunities.csv", rows=12)
    (line,) = lines(path)
    assert line["ts"].endswith("+00:00")
    assert (line["level"], line["stage"], line["event"]) == ("INFO", "land", "file landed")
    assert line["fields"] == {"file": "opportunities.csv", "rows": 12}


def test_a_resumed_run_continues_its_file(tmp_path):
    path = tmp_path / "run.jsonl"
    for event in ("first", "second"):
        with run_log(path):
            log_event("build", event)
    assert [line["event"] for line in lines(path)] == ["first", "second"]


def test_after_the_run_nothing_is_written_any_more(tmp_path):
    with run_log(tmp_path / "run.jsonl") as path:
        log_event("build", "inside")
    log_event("build", "outside")
    logging.getLogger("some.library").error("outside too")
    assert [line["event"] for line in lines(path)] == ["inside"]


def test_warnings_of_libraries_are_kept_and_their_chatter_is_not(tmp_path):
    with run_log(tmp_path / "run.jsonl") as path:
        logging.getLogger("some.library").warning("disk slow")
        logging.getLogger("some.library").info("chatter")
    assert [(line["stage"], line["event"]) for line in lines(path)] == [("library", "disk slow")]


def test_the_console_shows_one_plain_line_an_event_when_it_is_no_terminal(tmp_path):
    seen = io.StringIO()
    with run_log(tmp_path / "run.jsonl"), console_log(Console(file=seen, width=20)):
        log_event("validate", "文件已校验", rows_in=10, rows_quarantined=2)
        log_event("validate", "detail", level=logging.DEBUG)
    (line,) = seen.getvalue().splitlines()
    assert line.endswith("INFO    validate: 文件已校验  rows_in=10  rows_quarantined=2")
    assert "\x1b" not in line


def test_without_a_console_nothing_is_shown(capfd):
    with console_log(None):
        log_event("land", "started")
    assert capfd.readouterr() == ("", "")


def test_an_exception_is_in_the_file_and_not_on_the_console(tmp_path):
    seen = io.StringIO()
    with run_log(tmp_path / "run.jsonl") as path, console_log(Console(file=seen)):
        try:
            raise ValueError("cannot reach ops@example.com")
        except ValueError:
            logging.getLogger("planloop").exception("failed", extra={"stage": "notify"})
    assert "ValueError: cannot reach <mail>" in lines(path)[0]["fields"]["exception"]
    assert seen.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("mail to li.wei+x@example.com.cn failed", "mail to <mail> failed"),
        ("电话13800138000。", "电话<phone>。"),
        ("call 138-0013-8000 or +86 138 0013 8000", "call <phone> or <phone>"),
        ("call +1 (415) 555-0132 now", "call <phone> now"),
        ("010-62345678", "<phone>"),
        ("postgresql://bob:hunter2@db/x", "postgresql://***@db/x"),
        ("password=hunter2, host=h", "password=***, host=h"),
        ("PLANLOOP_SMTP_PASSWORD=hunter2", "PLANLOOP_SMTP_PASSWORD=***"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer ***"),
        ("the value s3cr3t-value was used", "the value *** was used"),
    ],
)
def test_secrets_and_personal_data_are_taken_out(written, kept):
    assert Redactor(["s3cr3t-value"]).text(written) == kept


@pytest.mark.parametrize(
    "text",
    [
        "run 20171231-01 published",
        "landing/2025-01-02/crm/3f13800138000a-opportunities.csv",
        "amount 10005534.00 of 8800 rows",
        "2025-01-02T03:04:05 +08:00",
        "SO43659-349",
        "as_of 2025-01-02",
    ],
)
def test_figures_dates_and_ids_stay(text):
    assert Redactor().text(text) == text


def test_fields_with_a_secret_name_are_taken_out_at_any_depth():
    redacted = Redactor().value({"smtp": [{"user": "bob", "password": "x", "port": 587}], "api_key": "k", "n": 3})
    assert redacted == {"smtp": [{"user": "bob", "password": "***", "port": 587}], "api_key": "***", "n": 3}


@given(st.text(max_size=40), st.text(alphabet="abcXYZ019", min_size=8, max_size=20), st.text(max_size=40))
def test_a_known_secret_never_passes(before, secret, after):
    assert secret not in Redactor([secret]).text(f"{before}{secret}{after}")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.tuples(x)))
def test_whatever_is_logged_becomes_json(value):
    assert json.dumps(Redactor().value({"x": value})) is not None

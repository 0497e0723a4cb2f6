"""Doctor says what is wrong with a set-up and how to mend it, whatever is broken."""

import http.server
import shutil
import socket
import sqlite3
import ssl
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from flows.operate import doctor
from flows.operate.doctor import Finding, diagnose
from flows.operate.environment import NO_TELEMETRY
from flows.operate.lock import night_lock
from flows.workspace import Workspace

TODAY = date(2026, 3, 2)
SETTINGS = {
    "company": {"name": "示例"},
    "operator": {"email": "ops@example.com"},
    "mail": {"sender": "planloop@example.com", "fallback_recipient": "leader@example.com"},
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with one source whose file is there."""
    folder = tmp_path / "config"
    folder.mkdir()
    (tmp_path / "users.csv").write_text("id,name\nu1,李伟\n", encoding="utf-8")
    columns = {"user_id": "id", "name": "name"}
    write(folder, "settings", SETTINGS)
    write(
        folder,
        "sources",
        {"sources": {"users": {"entity": "user", "path": str(tmp_path / "users*.csv"), "columns": columns}}},
    )
    stage = {"name_en": "Won", "name_zh": "赢单", "forecast_category": "closed", "default_win_probability": 1.0}
    write(folder, "stages", {"stages": [{"key": "won", "closed": "won", **stage}]})
    write(folder, "alerts", {"rules": []})
    return folder


def write(folder: Path, name: str, content: dict) -> None:
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def look(config: Path, env: dict | None = None, today: date = TODAY) -> dict[str, Finding]:
    space = Workspace(config.parent / "var")
    return {finding.what: finding for finding in diagnose(config, space, {**NO_TELEMETRY, **(env or {})}, today=today)}


def test_a_sound_set_up_has_no_failure_and_is_not_changed(config):
    before = sorted(config.parent.rglob("*"))
    found = look(config)
    assert [finding for finding in found.values() if finding.level == "fail"] == []
    assert sorted(config.parent.rglob("*")) == before
    assert found["source users"].found.startswith("1 file(s)")
    assert found["packages"].level == "ok"


def test_every_finding_that_is_not_ok_says_what_to_do(config, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    findings = look(config, {"DO_NOT_TRACK": "0", "PREFECT_API_URL": "http://127.0.0.1:9/api"}).values()
    bad = [finding for finding in findings if finding.level != "ok"]
    assert {"telemetry", "chromium", "font for Chinese", "prefect server", "mail server"} <= {f.what for f in bad}
    assert all(finding.remedy for finding in bad)


def test_every_fault_of_the_configuration_is_a_finding(config):
    write(config, "settings", {**SETTINGS, "time_zone": "Mars", "langage": "zh"})
    findings = diagnose(config, Workspace(config.parent / "var"), {}, today=TODAY)
    faults = [finding.found for finding in findings if finding.what == "configuration"]
    assert any("time_zone" in fault for fault in faults)
    assert any("langage" in fault for fault in faults)


def test_a_missing_file_fails_unless_the_source_may_miss_it(config):
    (config.parent / "users.csv").unlink()
    assert look(config)["source users"].level == "fail"
    sources = yaml.safe_load((config / "sources.yaml").read_text(encoding="utf-8"))
    sources["sources"]["users"]["missing"] = "ignore"
    write(config, "sources", sources)
    assert look(config)["source users"].level == "ok"


def test_a_package_outside_its_bounds_is_named(config, monkeypatch):
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda _: ["polars<1", "no-such-package>=2"])
    found = look(config)
    assert found["package polars"].level == "fail"
    assert "expected <1" in found["package polars"].found
    assert "not installed" in found["package no-such-package"].found


def test_a_night_at_work_is_seen(config):
    with night_lock(config.parent / "var" / "night.lock"):
        assert "a night is at work: process" in look(config)["lock"].found


def test_a_full_disk_fails(config, monkeypatch):
    usage = shutil.disk_usage(config)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10_000_000))
    assert look(config)["disk space"].level == "fail"


def test_calendars_of_nodes_are_looked_at_one_by_one(config):
    nodes = {"region:海外": {"country": "DE"}, "region:港澳": {"country": "XX"}, "rep:u1": {"country": "CN"}}
    write(config, "settings", {**SETTINGS, "calendar": {"country": "CN", "nodes": nodes}})
    found = look(config)
    assert "working days" in found["calendar 2026 of region:海外"].found
    unknown = found["calendar of region:港澳"]
    assert (unknown.level, bool(unknown.remedy)) == ("fail", True)
    assert "calendar.nodes.region:港澳: no holidays are known for 'XX'" in unknown.found
    assert found["calendar 2026"].found.startswith("CN: ")


def test_a_calendar_of_a_node_where_nobody_stands_is_warned_of(config):
    published = config.parent / "var" / "published"
    published.mkdir(parents=True)
    (published / "marts.duckdb").symlink_to("planloop.duckdb")
    with duckdb.connect(str(published / "planloop.duckdb")) as connection:
        connection.execute("create schema marts; create table marts.dim_node as select 'region:海外' as node_key")
    nodes = {"region:海外": {"country": "DE"}, "region:海外部": {"country": "DE"}}
    write(config, "settings", {**SETTINGS, "calendar": {"nodes": nodes}})
    finding = look(config)["calendar"]
    assert (finding.level, "nobody stands at region:海外部" in finding.found) == ("warn", True)
    assert "perhaps region:海外" in finding.remedy


def test_days_that_are_not_announced_are_warned_of_when_they_should_be(config):
    assert look(config, today=date(2090, 3, 1))["calendar 2090"].level == "warn"
    assert look(config, today=date(2090, 3, 1))["calendar 2091"].level == "ok"
    assert look(config, today=date(2090, 12, 1))["calendar 2091"].level == "warn"


def test_a_state_database_that_is_none_is_reported_without_its_password(config):
    write(config, "settings", {**SETTINGS, "state_url": "sqlite:////nowhere/at/all.sqlite"})
    assert look(config)["state database"].level == "fail"
    state = config.parent / "state.db"
    sqlite3.connect(state).close()
    write(config, "settings", {**SETTINGS, "state_url": f"sqlite:///{state}"})
    assert look(config)["state database"].level == "ok"


def test_one_broken_check_does_not_hide_the_others(config, monkeypatch):
    monkeypatch.setattr(doctor, "lock_holder", lambda _: 1 / 0)
    found = look(config)
    assert "ZeroDivisionError" in found["workspace"].found or found["workspace"].level == "fail"
    assert "configuration" in found


def test_a_published_folder_that_is_damaged_fails(config):
    published = config.parent / "var" / "published"
    (published / "v" / "20260301-01").mkdir(parents=True)
    (published / "current").symlink_to("v/20260301-01")
    assert look(config)["published version"].level == "fail"


def test_a_prefect_server_that_answers_is_ok(config):
    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/api"
            assert look(config, {"PREFECT_API_URL": url})["prefect server"].level == "ok"
            assert look(config, {"PREFECT_API_URL": url + "/x"})["prefect server"].level == "fail"
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate for ``localhost`` with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        built.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def mail_server(certificate):
    """A server with STARTTLS and AUTH that knows one user."""

    def authenticate(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == b"right", handled=False)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    controller = Controller(
        object(), hostname="localhost", port=port, tls_context=context, authenticator=authenticate, auth_required=True
    )
    controller.start()
    yield port
    controller.stop()


@pytest.mark.parametrize(
    ("password", "level", "said"),
    [
        ("right", "ok", "answers (starttls) as bob"),
        ("wrong", "fail", "PLANLOOP_SMTP_PASSWORD"),
        (None, "fail", "password"),
    ],
)
def test_the_mail_server_is_tried_with_encryption_and_password(config, certificate, mail_server, password, level, said):
    smtp = {"host": "localhost", "port": mail_server, "user": "bob", "cafile": str(certificate), "timeout_seconds": 5}
    write(config, "settings", {**SETTINGS, "mail": {**SETTINGS["mail"], "smtp": smtp}})
    finding = look(config, {"PLANLOOP_SMTP_PASSWORD": password} if password else {})["mail server"]
    assert finding.level == level
    assert said in finding.found


def test_a_mail_server_that_is_not_there_fails(config):
    smtp = {"host": "127.0.0.1", "port": 9, "security": "none", "timeout_seconds": 2}
    write(config, "settings", {**SETTINGS, "mail": {**SETTINGS["mail"], "smtp": smtp}})
    assert look(config)["mail server"].level == "fail"

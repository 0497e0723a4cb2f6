"""Mail read back from a real server: Postfix with STARTTLS and SASL, delivering to Maildirs.

Needs Debian's ``postfix``, ``libsasl2-modules`` and ``sasl2-bin``, and root, because Postfix changes users.
"""

import email
import email.policy
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Engine, select

from flows.alerts.deliver import deliver
from flows.alerts.deviations import read_deviations
from flows.alerts.mail import Letterhead
from flows.alerts.notices import notify, notify_operator
from flows.alerts.outbox import outbox
from flows.config.settings import MailSettings, Smtp
from flows.errors import PermanentError
from flows.state.database import open_state
from tests.mart_contracts import create_marts

AS_OF = date(2026, 11, 20)
PASSWORD = "correct horse/battery"
PEOPLE = ("wang.min", "li.lei", "leader", "ops")

MAIN = """
compatibility_level = 3.6
myhostname = localhost
mydestination =
mynetworks =
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/mail.log
maillog_file_prefixes = {root}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_tls_cert_file = {root}/cert.pem
smtpd_tls_key_file = {root}/key.pem
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = localhost
cyrus_sasl_config_path = {root}/etc/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
virtual_mailbox_domains = example.com
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = texthash:{root}/mailboxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
alias_maps =
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running server."""

    root: Path
    port: int

    def settings(self, **smtp: object) -> MailSettings:
        """Mail settings that lead here."""
        server = {"host": "localhost", "port": self.port, "user": "planloop", "cafile": str(self.root / "cert.pem")}
        return MailSettings(
            sender="planloop <planloop@example.com>",
            fallback_recipient="leader@example.com",
            smtp=Smtp.model_validate({**server, **smtp}),
        )

    def mailbox(self, person: str, count: int) -> list[EmailMessage]:
        """Mails in a person's Maildir in the order of arrival, as soon as there are ``count``."""
        folder = self.root / "mail" / person / "new"
        patience = time.monotonic() + 60
        while len(files := sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime_ns)) < count:
            assert time.monotonic() < patience, (self.root / "mail.log").read_text()
            time.sleep(0.1)
        assert len(files) == count
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.SMTP) for path in files]


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    """Postfix on a free port of loopback, with its own configuration, queue and mailboxes."""
    missing = [name for name in ("postfix", "saslpasswd2", "openssl") if not shutil.which(name, path=_path())]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: apt-get install postfix libsasl2-modules sasl2-bin openssl")
    if os.geteuid() != 0:
        pytest.skip("Postfix has to be started by root")
    root = Path(tempfile.mkdtemp(prefix="planloop-postfix-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        _configure(root, port)
        _run("postfix", "-c", str(root / "etc"), "start")
        _wait_for(port, root)
        yield Postfix(root, port)
    finally:
        if (root / "queue" / "pid" / "master.pid").exists():
            _run("postfix", "-c", str(root / "etc"), "stop")
        shutil.rmtree(root)


def _configure(root: Path, port: int) -> None:
    root.chmod(0o755)
    for name in ("etc", "etc/sasl", "queue", "data", "mail"):
        (root / name).mkdir()
    shutil.chown(root / "data", "postfix")
    shutil.chown(root / "mail", 65534, 65534)
    (root / "etc" / "main.cf").write_text(MAIN.format(root=root))
    (root / "etc" / "master.cf").write_text(MASTER.format(port=port))
    (root / "mailboxes").write_text("".join(f"{person}@example.com {person}/\n" for person in PEOPLE))
    (root / "etc" / "sasl" / "smtpd.conf").write_text(
        f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {root}/users.db\n"
    )
    user = ("saslpasswd2", "-p", "-c", "-f", str(root / "users.db"), "-u", "localhost", "planloop")
    _run(*user, stdin=PASSWORD)
    shutil.chown(root / "users.db", "postfix")
    certificate = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    _run("openssl", *certificate, *names, "-keyout", str(root / "key.pem"), "-out", str(root / "cert.pem"))


def _path() -> str:
    """Where Debian keeps a server's commands."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _run(*command: str, stdin: str | None = None) -> None:
    environment = {**os.environ, "PATH": _path()}
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"


def _wait_for(port: int, root: Path) -> None:
    patience = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(3) == b"220":
                    return
        except OSError:
            log = root / "mail.log"
            assert time.monotonic() < patience, log.read_text() if log.exists() else "Postfix wrote no log"
        time.sleep(0.1)


@pytest.fixture
def marts(tmp_path: Path) -> Path:
    """A published file with the marts as their contracts state them: three nodes behind pace, three owners."""
    path = tmp_path / "planloop.duckdb"
    row = {
        "as_of_date": AS_OF,
        "run_id": "20261120-01",
        "rule_id": "pace_below_plan",
        "metric": "bookings",
        "node_key": "region:华东",
        "node_name": "华东",
        "node_kind": "region",
        "period_kind": "month",
        "period_start_on": date(2026, 11, 1),
        "period_end_on": date(2026, 11, 30),
        "measured": 0.78,
        "expected": 1.0,
        "severity": "warn",
        "is_clear": False,
        "target_base": Decimal("7854545.45"),
        "actual": Decimal("4375272.73"),
        "expected_to_date": Decimal("5609272.73"),
        "gap_to_expected": Decimal("1234000.00"),
        "gap": Decimal("3479272.72"),
        "required_run_rate": Decimal("579878.79"),
        "working_days_remaining": 6,
        "is_calendar_published": True,
        "elapsed_share": 0.714286,
        "owner_name": "王敏",
        "owner_email": "wang.min@example.com",
        "owner_language": "zh",
    }
    english = {"node_key": "rep:u2", "node_name": "Li Lei", "owner_name": "Li Lei", "owner_language": "en"}
    rows = [
        row,
        {**row, **english, "node_kind": "rep", "owner_email": "li.lei@example.com"},
        {**row, "node_key": "rep:u3", "node_name": "赵磊", "owner_name": "赵磊", "owner_email": "no.such@example.com"},
    ]
    with duckdb.connect(str(path)) as connection:
        create_marts(connection)
        for values in rows:
            marks = ", ".join("?" for _ in values)
            connection.execute(
                f"insert into marts.mart_deviation ({', '.join(values)}) values ({marks})", list(values.values())
            )
    return path


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Engine]:
    """An empty operational state."""
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    yield engine
    engine.dispose()


LETTERHEAD = Letterhead(
    company="示例科技有限公司",
    company_en="Example Tech",
    sender="planloop <planloop@example.com>",
    currency="CNY",
    language="zh",
    fallback_recipient="leader@example.com",
)


def _now() -> datetime:
    return datetime(2026, 11, 21, 1, 30, tzinfo=UTC)


def test_alerts_and_their_end_arrive_once_at_the_right_people_with_the_figures_of_the_mart(
    postfix, marts, state, tmp_path
):
    deviations = read_deviations(marts)

    def night(rows, as_of):
        told = notify(state, rows, as_of=as_of, run_id="r", letterhead=LETTERHEAD, now=_now())
        return told, deliver(state, postfix.settings(), PASSWORD, folder=tmp_path, clock=_now)

    told, sent = night(deviations, AS_OF)
    assert (told.opened, told.messages, sent.sent) == (3, 3, 2)
    assert [words[:13] for words in sent.refused.values()] == ["550 5.1.1 <no"]

    (chinese,) = postfix.mailbox("wang.min", 1)
    (english,) = postfix.mailbox("li.lei", 1)
    assert chinese["Subject"] == "【进度预警】华东 11月 签约额 进度 78%（落后 ¥1,234,000）"
    assert english["Subject"] == "[Pace alert] Li Lei, Nov: bookings at 78% of pace (¥1,234,000 behind)"
    assert chinese["Delivered-To"] == "wang.min@example.com"
    assert "with ESMTPSA" in chinese["Received"], "encrypted and authenticated"
    with duckdb.connect(str(marts), read_only=True) as connection:
        figures = connection.execute(
            "select target_base, actual, expected_to_date, gap_to_expected, gap, required_run_rate "
            "from marts.mart_deviation where node_key = 'region:华东'"
        ).fetchone()
    for message in (chinese, english):
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        for kind in ("plain", "html"):
            body = message.get_body((kind,)).get_content()
            assert all(f"¥{figure:,}" in body for figure in figures)
            assert "78%" in body

    told, sent = night(deviations, AS_OF)
    assert (told.messages, sent.sent) == (0, 0)

    cleared = [
        replace(row, as_of_date=date(2026, 11, 23), severity="none", measured=0.97, is_clear=True) for row in deviations
    ]
    for _ in range(2):
        night(cleared[:1], date(2026, 11, 23))
    _, resolved = postfix.mailbox("wang.min", 2)
    assert resolved["Subject"] == "【预警解除】华东 11月 签约额 已恢复，进度 97%"
    assert resolved["Message-ID"] != chinese["Message-ID"]


def test_a_wrong_password_sends_nothing_and_loses_nothing(postfix, state, tmp_path):
    notify_operator(
        state,
        "audit_refused",
        ["fct_opportunity: expected about 8,800 rows, found 4,400"],
        recipient="ops@example.com",
        language="zh",
        as_of=AS_OF,
        run_id="20261120-01",
        letterhead=LETTERHEAD,
        now=_now(),
    )

    with pytest.raises(PermanentError, match="accept user planloop with the password of PLANLOOP_SMTP_PASSWORD.*535"):
        deliver(state, postfix.settings(), "wrong", folder=tmp_path, clock=_now)
    with state.connect() as connection:
        assert connection.execute(select(outbox.c.state)).scalars().all() == ["pending"]

    assert deliver(state, postfix.settings(), PASSWORD, folder=tmp_path, clock=_now).sent == 1
    (message,) = postfix.mailbox("ops", 1)
    assert message["Subject"] == "【未发布】示例科技有限公司 2026-11-20 夜间任务：审计未通过"
    assert "found 4,400" in message.get_body(("plain",)).get_content()

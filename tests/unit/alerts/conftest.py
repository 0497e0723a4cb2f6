"""A state database, a letterhead and deviations of one node, for tests of alerts and mail."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine

from flows.alerts.deviations import Deviation
from flows.alerts.mail import Letterhead
from flows.config.settings import MailSettings, Smtp

AS_OF = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
EAST = Deviation(
    as_of_date=AS_OF,
    rule_id="pace_below_plan",
    metric="bookings",
    node_key="region:华东",
    node_name="华东",
    node_kind="region",
    period_kind="month",
    period_start_on=date(2026, 11, 1),
    measured=0.78,
    expected=1.0,
    severity="warn",
    is_clear=False,
    target_amount=Decimal("7854545.45"),
    actual_amount=Decimal("4375272.73"),
    expected_to_date_amount=Decimal("5609272.73"),
    behind_amount=Decimal("1234000.00"),
    left_amount=Decimal("3479272.72"),
    needed_per_day=Decimal("579878.79"),
    working_days_remaining=6,
    is_calendar_published=True,
    owner_name="王敏",
    owner_email="wang.min@example.com",
    owner_language="zh",
)
CLEAR: dict[str, Any] = {
    "measured": 0.97,
    "severity": "none",
    "is_clear": True,
    "actual_amount": Decimal("5441000.00"),
    "behind_amount": Decimal("168272.73"),
}


@pytest.fixture
def state(tmp_path: Path) -> Engine:
    """An empty operational state."""
    from flows.alerts import outbox, store  # noqa: F401 (declares the tables)
    from flows.state.database import open_state

    return open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")


@pytest.fixture(scope="session")
def letterhead() -> Letterhead:
    """The letterhead of a Chinese company."""
    return Letterhead(
        company="示例科技有限公司",
        company_en="Example Tech",
        sender="planloop <planloop@example.com>",
        currency="CNY",
        language="zh",
        fallback_recipient="leader@example.com",
        report_url="https://reports.example.com/latest",
    )


@pytest.fixture(scope="session")
def deviation() -> Callable[..., Deviation]:
    """华东 behind the pace of November 2026; arguments change what a test is about."""
    return lambda **changes: replace(EAST, **changes)


@pytest.fixture(scope="session")
def clear() -> dict[str, Any]:
    """What changes once the node has caught up."""
    return CLEAR


@pytest.fixture(scope="session")
def now() -> datetime:
    """When the night runs."""
    return NOW


@dataclass
class Inbox:
    """A mail server on loopback with STARTTLS and AUTH, and what it took.

    Attributes:
        cut_next: how many of the next messages it takes without ever answering.
        answers: recipient → what it says to RCPT instead of taking it.
        connections: how many log-ins succeeded.
    """

    port: int
    cafile: Path
    user: str = "planloop"
    password: str = "pass word/0"
    received: list[Envelope] = field(default_factory=list)
    cut_next: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    connections: int = 0

    def settings(self, **changes: Any) -> MailSettings:
        """Mail settings that lead here."""
        smtp = {"host": "localhost", "port": self.port, "user": self.user, "cafile": str(self.cafile), **changes}
        return MailSettings(
            sender="planloop <planloop@example.com>", fallback_recipient="leader@example.com", smtp=Smtp(**smtp)
        )

    async def handle_RCPT(self, server, session, envelope, address, options):  # type: ignore[no-untyped-def]
        """Take or refuse a recipient."""
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # type: ignore[no-untyped-def]
        """Take a message; cut the connection before the answer where told to."""
        self.received.append(envelope)
        if self.cut_next:
            self.cut_next -= 1
            server.transport.abort()
        return "250 OK"

    def __call__(self, server, session, envelope, mechanism, login):  # type: ignore[no-untyped-def]
        """Check user and password."""
        is_right = (login.login.decode(), login.password.decode()) == (self.user, self.password)
        self.connections += is_right
        return AuthResult(success=is_right, handled=False)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Key and self-signed certificate of localhost."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return folder / "key.pem", folder / "cert.pem"


@pytest.fixture
def inbox(certificate: tuple[Path, Path]) -> Iterator[Inbox]:
    """A running mail server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    inbox = Inbox(port, cert)
    server = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=inbox,
    )
    server.start()
    yield inbox
    server.stop()

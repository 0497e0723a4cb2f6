"""Delivery: what is pending in the outbox goes to the mail server, or into files where none is configured.

At least once: a message is marked sent after the server has taken it. A crash between the two sends it again with the
same Message-ID, by which mail programs fold the two. The only module that speaks SMTP.
"""

import contextlib
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path

import sqlalchemy as sa

from flows.alerts.outbox import Message, mark_failed, mark_refused, mark_sent, pending
from flows.config.settings import MailSettings, Smtp
from flows.errors import PermanentError, PlanloopError, TransientError
from flows.history.durable import replace_file

CUTS_A_MESSAGE = 3
"""Connections that one message may lose in one delivery before it has to wait for the next."""


@dataclass
class Delivered:
    """What became of the pending messages.

    Attributes:
        refused: message id → the server's words, for messages that it will never take.
        waiting: message id → why, for messages that stay pending.
    """

    sent: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)


def deliver(
    engine: sa.Engine, mail: MailSettings, password: str | None, *, folder: Path, clock: Callable[[], datetime]
) -> Delivered:
    """Send all pending messages in order, over one connection as long as it holds.

    Args:
        password: of ``mail.smtp.user``; None where the server asks for none.
        folder: where messages are written without a mail server.
        clock: the time at which a message was accepted; aware.

    Raises:
        TransientError: the server was not there, cut the connection again and again, or asked to come back later
            (4xx). The messages concerned stay pending; calling again sends them.
        PermanentError: the server's certificate, its lack of STARTTLS, or the user and password; all stay pending.
    """
    messages = pending(engine)
    if mail.smtp is None:
        for message in messages:
            write_message(folder, message)
            mark_sent(engine, message.message_id, clock())
        return Delivered(sent=len(messages))
    result = Delivered()
    post = _Post(mail.smtp, password, parseaddr(mail.sender)[1])
    try:
        for message in messages:
            _send(post, engine, message, clock, result)
    finally:
        post.close()
    if result.waiting:
        reason = next(iter(result.waiting.values()))
        raise TransientError(
            f"Expected {mail.smtp.host}:{mail.smtp.port} to take {len(messages)} messages; it took {result.sent}, "
            f"{len(result.waiting)} wait in the outbox. First reason: {reason}. They are sent by the next delivery."
        )
    return result


def try_login(mail: MailSettings, password: str | None) -> None:
    """Connect, encrypt and log in as a delivery would, and send nothing.

    Raises:
        TransientError: the server is not there or asked to come back later.
        PermanentError: the server's certificate, its lack of STARTTLS, or the user and password.
    """
    if mail.smtp is not None:
        post = _Post(mail.smtp, password, parseaddr(mail.sender)[1])
        post.open()
        post.close()


def write_message(folder: Path, message: Message) -> Path:
    """Write one message as ``<as-of>-<kind>-<id>.eml``; readers see the whole file or none."""
    path = folder / f"{message.as_of.isoformat()}-{message.kind}-{message.message_id[1:17]}.eml"
    return replace_file(path, lambda draft: draft.write_bytes(message.payload))


def _send(post: "_Post", engine: sa.Engine, message: Message, clock: Callable[[], datetime], result: Delivered) -> None:
    """Send one message and record what the server said."""
    for attempt in range(1, CUTS_A_MESSAGE + 1):
        try:
            post.send(message)
        except PlanloopError as error:
            mark_failed(engine, message.message_id, str(error))
            raise
        except smtplib.SMTPResponseException as error:
            said = _said(error)
            if 400 <= error.smtp_code < 500:
                mark_failed(engine, message.message_id, said)
                result.waiting[message.message_id] = said
            else:
                mark_refused(engine, message.message_id, said)
                result.refused[message.message_id] = said
            return
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            post.drop()
            reason = f"connection lost: {error}"
            mark_failed(engine, message.message_id, reason)
            if attempt == CUTS_A_MESSAGE:
                result.waiting[message.message_id] = reason
        else:
            mark_sent(engine, message.message_id, clock())
            result.sent += 1
            return


class _Post:
    """A connection to the mail server that is opened when first needed and again after it was lost."""

    def __init__(self, settings: Smtp, password: str | None, sender: str) -> None:
        self._settings = settings
        self._password = password
        self._sender = sender
        self._where = f"{settings.host}:{settings.port}"
        self._server: smtplib.SMTP | None = None

    def open(self) -> smtplib.SMTP:
        """The connection; made now unless one is open."""
        if self._server is None:
            self._server = self._connect()
        return self._server

    def send(self, message: Message) -> None:
        """Hand one message over; returns when the server has taken it.

        Raises:
            smtplib.SMTPResponseException: the server's answer to this message.
            smtplib.SMTPServerDisconnected: the connection ended before the answer.
            PlanloopError: it concerns not this message but all of them.
        """
        server = self.open()
        try:
            server.sendmail(self._sender, [message.recipient], message.payload)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients[message.recipient]
            raise smtplib.SMTPResponseException(code, text) from error
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code < 500:
                raise
            raise PermanentError(
                f"Expected {self._where} to take mail from {self._sender}, found: {_said(error)}. "
                "Correct mail.sender, or let the server's user send in this name."
            ) from error

    def drop(self) -> None:
        """Forget a connection that does not answer any more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def close(self) -> None:
        """Say goodbye; a server that has already gone does not matter."""
        if self._server is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._server.quit()
            self._server = None

    def _connect(self) -> smtplib.SMTP:
        """An encrypted, authenticated connection; what goes wrong here concerns all messages."""
        try:
            return self._open()
        except ssl.SSLCertVerificationError as error:
            raise PermanentError(
                f"Expected {self._where} to show a certificate for that name by a known authority, found: "
                f"{error.verify_message} Name the authority's certificate in mail.smtp.cafile, "
                "or correct mail.smtp.host."
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise PermanentError(
                f"Expected {self._where} to offer STARTTLS and AUTH, found: {error} "
                "Correct mail.smtp.port or mail.smtp.security."
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            found = _said(error) if isinstance(error, smtplib.SMTPResponseException) else error or type(error).__name__
            raise TransientError(
                f"Expected a mail server at {self._where}, found: {found}. "
                "Messages stay in the outbox; check mail.smtp and the network."
            ) from error

    def _open(self) -> smtplib.SMTP:
        settings = self._settings
        context = self._tls()
        # Closes the socket if anything fails before the log-in is done.
        with contextlib.ExitStack() as undo:
            server: smtplib.SMTP
            if settings.security == "tls":
                server = smtplib.SMTP_SSL(
                    settings.host, settings.port, timeout=settings.timeout_seconds, context=context
                )
            else:
                server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)
            undo.callback(server.close)
            if settings.security == "starttls":
                server.starttls(context=context)
            self._log_in(server)
            undo.pop_all()
        return server

    def _tls(self) -> ssl.SSLContext:
        """A context that checks certificates and names."""
        try:
            return ssl.create_default_context(cafile=self._settings.cafile)
        except OSError as error:
            raise PermanentError(
                f"Expected certificates (PEM) in mail.smtp.cafile {self._settings.cafile}, found: {error}."
            ) from error

    def _log_in(self, server: smtplib.SMTP) -> None:
        settings = self._settings
        if settings.user is None:
            return
        if settings.security == "none":
            raise PermanentError(
                f"Expected encryption before logging in at {self._where}, found mail.smtp.security: none. "
                "Set it to starttls or tls, or remove mail.smtp.user."
            )
        if self._password is None:
            raise PermanentError(
                f"Expected the password of {settings.user} in the environment variable {settings.password_env}, "
                "found none. Set it for the process that runs the night."
            )
        if not (settings.user.isascii() and self._password.isascii()):
            raise PermanentError(
                f"Expected ASCII in mail.smtp.user and in {settings.password_env}, found other characters. "
                "Ask for a password (授权码) without them; mail servers do not agree on their encoding."
            )
        try:
            server.login(settings.user, self._password)
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code < 500:
                raise
            raise PermanentError(
                f"Expected {self._where} to accept user {settings.user} with the password of {settings.password_env}, "
                f"found: {_said(error)}. Correct mail.smtp.user or the variable; all messages stay in the outbox."
            ) from error


def _said(error: smtplib.SMTPResponseException) -> str:
    """A server's answer as one line."""
    text = error.smtp_error
    return f"{error.smtp_code} {' '.join((text.decode(errors='replace') if isinstance(text, bytes) else text).split())}"

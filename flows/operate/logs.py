"""The log of a run: JSON lines in a file, readable lines on the console, and no secret or personal datum in either.

One line is one event: ``{"ts", "level", "stage", "event", "fields"}``. Code writes events by `log_event`; what
libraries log at WARNING or above lands in the same file with stage ``library``. Redaction sits in the handlers, behind
every writer.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

LOGGER = "planloop"

_SECRET_NAME = re.compile(r"passw|secret|token|credential|authorization|api_?key|private_?key", re.IGNORECASE)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # user:password@ of a URL; the user's name is kept out as well
    (re.compile(r"(?<=://)[^\s/@]+@"), "***@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 ***"),
    (re.compile(r"(?i)\b([\w-]*(?:passw(?:or)?d|secret|token|api_?key))(\s*[=:]\s*)(?!\s)[^\s,;&\"']+"), r"\1\2***"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "<mail>"),
    # mainland mobile (with or without +86 and separators), then anything written as +country number, then area-number
    (re.compile(r"(?<![0-9A-Za-z.])(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?![0-9A-Za-z]|\.\d)"), "<phone>"),
    (re.compile(r"(?<![0-9A-Za-z])\+\d{1,3}[\s-]?(?:\(?\d{1,4}\)?[\s-]?){2,5}\d(?![0-9A-Za-z])"), "<phone>"),
    (re.compile(r"(?<![0-9A-Za-z.-])0\d{2,3}-\d{7,8}(?![0-9A-Za-z-])"), "<phone>"),
)
_STYLES = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red", "DEBUG": "dim"}


class Redactor:
    """Takes secrets, mail addresses and phone numbers out of text and nested values.

    Args:
        secrets: literal values that must never be written, such as the mail password of this run.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)

    def text(self, value: str) -> str:
        """``value`` without secrets and personal data."""
        for secret in self._secrets:
            value = value.replace(secret, "***")
        for pattern, replacement in _PATTERNS:
            value = pattern.sub(replacement, value)
        return value

    def value(self, value: Any, name: str = "") -> Any:
        """``value`` fit for JSON: text redacted, secrets by the name of their field, other objects as text."""
        if name and _SECRET_NAME.search(name) and value is not None:
            return "***"
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item, str(key)) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        return self.text(str(value))


def log_event(stage: str, event: str, level: int = logging.INFO, **fields: Any) -> None:
    """Write one event of a run.

    Args:
        stage: stage of the night, or the command outside of one.
        event: what happened, in words; figures go into ``fields``.
        level: level of `logging`.
        **fields: counts, names and durations that a reader may filter by.
    """
    logging.getLogger(LOGGER).log(level, event, extra={"stage": stage, "fields": fields})


class _RedactingFormatter(logging.Formatter):
    """Shared by both forms: the parts of a record, already redacted."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def parts(self, record: logging.LogRecord) -> dict[str, Any]:
        """Time, level, stage, event and fields of a record."""
        fields = self._redactor.value(getattr(record, "fields", {}))
        if record.exc_info:
            fields["exception"] = self._redactor.text("".join(traceback.format_exception(*record.exc_info)))
        return {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "stage": getattr(record, "stage", "library"),
            "event": self._redactor.text(record.getMessage()),
            "fields": fields,
        }


class JsonLines(_RedactingFormatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a JSON line."""
        return json.dumps(self.parts(record), ensure_ascii=False)


class ConsoleLines(_RedactingFormatter):
    """``time level stage: event name=value ...`` on one line, for a person or for a scheduler's journal."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line of text; a traceback stays in the file."""
        parts = self.parts(record)
        parts["fields"].pop("exception", None)
        fields = "".join(f"  {name}={value}" for name, value in parts["fields"].items())
        return f"{parts['ts'][11:19]} {parts['level']:<7} {parts['stage']}: {parts['event']}{fields}"


class _ConsoleHandler(logging.Handler):
    """Prints by rich: coloured on a terminal, plain elsewhere, below a progress display where one runs."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        try:
            style = _STYLES.get(record.levelname, "")
            self._console.print(Text(self.format(record), style=style), soft_wrap=True)
        except Exception:  # noqa: BLE001 (a log line that cannot be printed must not end the night; logging reports it)
            self.handleError(record)


@contextmanager
def run_log(path: Path, *, secrets: Iterable[str] = ()) -> Iterator[Path]:
    """Write the events of a run to ``path`` for the length of a ``with`` block, from DEBUG up.

    Args:
        path: the file, appended to, so that a resumed run continues its log; usually ``logs/<as_of>.jsonl``.
        secrets: values that must not be written anywhere.

    Yields:
        The path of the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(path, encoding="utf-8")
    to_file.setFormatter(JsonLines(Redactor(secrets)))
    to_file.addFilter(lambda record: record.name.partition(".")[0] == LOGGER or record.levelno >= logging.WARNING)
    with _attached(to_file, logging.getLogger(LOGGER), logging.getLogger()):
        yield path


@contextmanager
def console_log(
    console: Console | None,
    *,
    secrets: Iterable[str] = (),
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO",
) -> Iterator[None]:
    """Show the events of a run to a person, or to a scheduler's journal, for the length of a ``with`` block.

    Args:
        console: where; None shows nothing.
        secrets: values that must not be shown.
        level: least level shown.
    """
    if console is None:
        yield
        return
    to_console = _ConsoleHandler(console)
    to_console.setFormatter(ConsoleLines(Redactor(secrets)))
    to_console.setLevel(level)
    with _attached(to_console, logging.getLogger(LOGGER)):
        yield


@contextmanager
def _attached(handler: logging.Handler, *loggers: logging.Logger) -> Iterator[None]:
    """Give loggers a handler for a while. Our own logger then keeps its events from the root logger's handlers."""
    own = logging.getLogger(LOGGER)
    before = own.level, own.propagate
    own.setLevel(logging.DEBUG)
    own.propagate = False
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()
        own.setLevel(before[0])
        own.propagate = before[1]

"""Which encoding a text file is in, found by decoding all of it strictly, and its content as UTF-8 bytes."""

import codecs
import csv
import io
import re
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from flows.ingest.readers.limits import LINE_BYTES
from flows.ingest.readers.names import FileRefused
from flows.ingest.readers.pieces import PIECE, each_piece

CHUNK = 1 << 22
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PAIR = re.compile(rb"[\x81-\xfe](.)", re.DOTALL)
_WESTERN_SHARE = 0.8
"""A Han character in GB18030 ends in an ASCII letter about one time in three (in simplified text, hardly ever); an
accented letter of a Western encoding is nearly always followed by one."""
_BINARIES = (
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an xls workbook"),
)
_UTF8 = ("utf-8", "utf-8-sig")
_LEADING, _CONTINUES, _CONTINUED = 0xC0, 0x80, 3
"""The bits by which a byte continues a character of UTF-8, their value, and how many such bytes one has at most."""
_SENTINEL = "\x02end of file\x02"


def detect(path: Path, declared: str) -> str:
    """The codec that decodes the whole file: its byte order mark, else strict UTF-8, else strict GB18030.

    Nearly any Western text decodes as GB18030 too, into Han characters that nobody wrote (Müller: M黮ler). What reads
    like that is refused, since only the exporter knows which Western encoding it is.

    Args:
        path: the file.
        declared: encoding of the configuration; ``auto`` looks for itself.

    Raises:
        FileRefused: the file does not decode, or is no text at all.
    """
    with path.open("rb") as stream:
        start = stream.read(CHUNK)
    marked = next((codec for mark, codec in _MARKS if start.startswith(mark)), None)
    if marked is None and b"\x00" in start and not declared.startswith("utf-16"):
        raise FileRefused(f"Expected text, found a binary file ({_looks_like(start)}). Export it as CSV or JSON lines.")
    candidates = [marked] if marked else ["utf-8", "gb18030"] if declared == "auto" else [declared]
    for codec in candidates:
        if _decodes(path, codec):
            if declared == "auto" and codec == "gb18030" and _reads_like_western(path):
                raise FileRefused(
                    "Expected text in utf-8 or gb18030, found what reads like a Western encoding (letters with "
                    "accents). State `encoding: cp1252` for this source if it is one, `encoding: gb18030` if it is "
                    "Chinese, or export as UTF-8."
                )
            return codec
    found = " or ".join(candidates)
    raise FileRefused(
        f"Expected text in {found}, found bytes that are not. State `encoding` (cp1252 is Western Windows, big5 "
        "traditional Chinese), or export as UTF-8."
    )


def _looks_like(start: bytes) -> str:
    if start.startswith(b"PK"):
        return "it looks like an xlsx workbook or a zip archive"
    for mark, what in _BINARIES:
        if start.startswith(mark):
            return f"it looks like {what}"
    if 4 * start[1::2].count(0) > len(start):
        return "it looks like UTF-16 without a byte order mark; state `encoding: utf-16` to read it"
    return "it holds NUL bytes"


def _decodes(path: Path, codec: str) -> bool:
    if codec in _UTF8:
        return all(each_piece(path, _is_utf8, PIECE, beyond=_CONTINUED))
    decoder = codecs.getincrementaldecoder(codec)("strict")
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                if not codec.startswith("utf-16") and codec != "utf-32":
                    _refuse_nul(chunk)
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _refuse_nul(chunk: bytes) -> None:
    if b"\x00" in chunk:
        raise FileRefused(
            "Expected text, found NUL bytes in the middle of it, as a copy that was cut off leaves them. "
            "Export the file again."
        )


def _is_utf8(offset: int, text: bytes) -> bool:
    """Whether the characters that begin in a piece are such; it comes with as many bytes more as one can have."""
    _refuse_nul(text)
    begin, end = 0, min(PIECE, len(text))
    # The rest of a character that began before the piece was looked at with that.
    while offset and begin < min(_CONTINUED, end) and text[begin] & _LEADING == _CONTINUES:
        begin += 1
    while end < len(text) and text[end] & _LEADING == _CONTINUES:
        end += 1
    bounds = pa.array([begin, end], pa.int64()).buffers()[1]
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, bounds, pa.py_buffer(text)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _reads_like_western(path: Path) -> bool:
    """Whether the first bytes beyond ASCII look like single letters among ASCII ones rather than like pairs."""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            seconds = b"".join(_PAIR.findall(chunk))
            if seconds:
                letters = sum(0x40 <= second < 0x7F for second in seconds)
                return letters >= _WESTERN_SHARE * len(seconds)
    return False


class _Utf8(io.RawIOBase):
    """A text stream as UTF-8 bytes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        while not self._pending:
            chunk = self._text.read(CHUNK)
            if not chunk:
                return 0
            self._pending = chunk.encode()
        count = min(len(buffer), len(self._pending))
        buffer[:count], self._pending = self._pending[:count], self._pending[count:]
        return count

    def close(self) -> None:
        self._text.close()
        super().close()


def open_utf8(path: Path, codec: str) -> BinaryIO:
    """The file as UTF-8 bytes without a byte order mark; lines that end in a bare carriage return end in a newline."""
    with path.open("rb") as stream:
        start = stream.read(CHUNK)
    bare = b"\r" in start and b"\n" not in start
    if codec in {"utf-8", "utf-8-sig"} and not bare:
        binary = path.open("rb")
        if start.startswith(codecs.BOM_UTF8):
            binary.seek(len(codecs.BOM_UTF8))
        return binary
    text = path.open(encoding=codec, newline=None if bare else "")
    return io.BufferedReader(_Utf8(text), buffer_size=CHUNK)


def unclosed_quote(path: Path, codec: str, delimiter: str, quote: str) -> int | None:
    """The line on which a quotation is opened that the file never closes, or None.

    Such a quotation swallows every row after it. An even number of quotation marks cannot leave one open at the end of
    a regular file, so most files cost one count.
    """
    if _count(path, codec, quote.encode()) % 2 == 0:
        return None
    with open_utf8(path, codec) as stream:
        lines = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        return _last_open_quote(lines, delimiter, quote)


def _count(path: Path, codec: str, mark: bytes) -> int:
    """How many marks there are in a text."""
    if codec in _UTF8 and len(mark) == 1:
        return sum(each_piece(path, partial(_count_byte, mark[0]), PIECE))
    with open_utf8(path, codec) as stream:
        return sum(chunk.count(mark) for chunk in iter(partial(stream.read, CHUNK), b""))


def _count_byte(byte: int, _offset: int, text: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == byte))


def _last_open_quote(lines: io.TextIOWrapper, delimiter: str, quote: str) -> int | None:
    """Put a line of our own after the last one: it is a record of its own unless a quotation is still open."""

    def and_sentinel():  # type: ignore[no-untyped-def]
        while line := lines.readline(LINE_BYTES):
            if len(line) == LINE_BYTES:
                raise csv.Error
            yield line
        yield "\n"
        yield _SENTINEL

    reader = csv.reader(and_sentinel(), delimiter=delimiter, quotechar=quote)
    begins, record = 1, []
    try:
        for record in reader:
            if record and record[-1].endswith(_SENTINEL) and record != [_SENTINEL]:
                return begins
            begins = reader.line_num + 1
    except csv.Error:
        return begins
    return None

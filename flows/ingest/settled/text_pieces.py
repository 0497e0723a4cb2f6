"""The records of a text that lie in one piece of it, and those that reach over several; several pieces at a time.

A piece begins and ends anywhere. Whether a quotation is open where it begins is told by the number of quotation marks
before it: so it is looked at first, and taken apart once all pieces before it have been looked at.

Where marks, line ends and delimiters are is held in bits, one a byte of the text, of which a machine word holds 64:
a text that quotes every field has a mark every eight bytes.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from flows.ingest.readers.pieces import PIECE, in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bits = NDArray[np.uint64]
    Bytes = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]

LONGEST = 1 << 26
"""Bytes of a record beyond which a text is not taken apart."""
_NEWLINE, _RETURN = b"\n\r"
_ONE, _LAST = np.uint64(1), np.uint64(63)
_SEED = 20171231


class UncertainError(Exception):
    """The records of a text cannot be told without parsing it."""


@dataclass(frozen=True)
class Run:
    """Successive records: where each begins and ends in the file, and its hash; blank lines are none."""

    starts: "Places"
    ends: "Places"
    hashes: "Hashes"


@dataclass(frozen=True)
class _Piece:
    """A piece that was looked at.

    Attributes:
        offset: where in the file ``text`` begins.
        text: the piece between the byte before it and the one after it.
        quoted: the bytes of ``text`` before which, in the piece, there is an odd number of quotation marks, themselves
            counted; None where it has none.
        is_odd: whether the number of its quotation marks is.
        is_quoted: whether a quotation is open where the piece begins.
    """

    offset: int
    text: bytes
    quoted: "Bits | None" = None
    is_odd: bool = False
    is_quoted: bool = False


@dataclass(frozen=True)
class _Apart:
    """A piece that was taken apart.

    Attributes:
        head: what belongs to a record that began before the piece; all of it where no record ends in it.
        run: the records that lie in it; None where no record ends in it.
        tail: what begins a record that ends beyond it.
        end: where in the file its last record ends.
    """

    head: bytes
    run: Run | None = None
    tail: bytes = b""
    end: int = 0


def runs_of_records(path: Path, begin: int, quote: bytes, delimiter: bytes, threads: int) -> Iterator[Run]:
    """The records of a text, in order. The last one counts a line end, even if the file lacks it.

    Args:
        path: the file.
        begin: where its first record begins.
        quote: the quotation mark, one byte.
        delimiter: what stands between two fields, one byte.
        threads: how many pieces are looked at at a time.

    Raises:
        UncertainError: a mark does something else than quoting, a carriage return stands alone, or a record is long.
    """
    with path.open("rb", buffering=0) as stream, ThreadPoolExecutor(threads) as workers:
        size = os.fstat(stream.fileno()).st_size

        def look(at: int) -> _Piece:
            # What is before the first record and after the last one counts as line ends.
            before, end = int(at > begin), min(at + PIECE, size)
            text = os.pread(stream.fileno(), end - at + before + (end < size), at - before)
            text = b"\n" * (1 - before) + text + b"\n" * (end == size)
            if len(text) != end - at + 2:  # the file is not what it was
                raise UncertainError
            return _looked_at(at - 1, text, quote)

        def take_apart(piece: _Piece) -> _Apart:
            return _taken_apart(piece, quote[0], delimiter[0])

        looked_at = in_order(workers, look, range(begin, size, PIECE), threads)
        yield from _joined(in_order(workers, take_apart, _told_apart(looked_at), threads), begin)


def _looked_at(offset: int, text: bytes, quote: bytes) -> _Piece:
    if quote not in text:
        return _Piece(offset, text)
    marks = _inside(_bits(np.frombuffer(text, np.uint8) == quote[0]), text)
    quoted = _odd_up_to(marks)
    return _Piece(offset, text, quoted, is_odd=bool(quoted[-1] >> _LAST))


def _told_apart(pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """Pieces that say whether they begin within a quotation."""
    is_quoted = False
    for piece in pieces:
        yield replace(piece, is_quoted=is_quoted)
        is_quoted ^= piece.is_odd
    if is_quoted:
        raise UncertainError


def _taken_apart(piece: _Piece, quote: int, delimiter: int) -> _Apart:
    text, content = piece.text, np.frombuffer(piece.text, np.uint8)
    line_ends = content == _NEWLINE
    if b"\r" in text:
        _check_returns(text, content, line_ends)
    if piece.quoted is not None:
        quoted = ~piece.quoted if piece.is_quoted else piece.quoted
        lines = _bits(line_ends)
        _check_marks(text, content, lines, quoted, quote, delimiter)
        line_ends = _bytes(lines & ~quoted, text)
    elif piece.is_quoted:
        return _Apart(text[1:-1])
    ends = np.flatnonzero(line_ends[1:-1]) + 2
    if not len(ends):
        return _Apart(text[1:-1])
    first, last = int(ends[0]), int(ends[-1])
    return _Apart(text[1:first], _run(text, ends, piece.offset), text[last:-1], piece.offset + last)


def _check_returns(text: bytes, content: "Bytes", line_ends: "NDArray[np.bool_]") -> None:
    """No carriage return stands alone."""
    returns = _inside(_bits(content == _RETURN), text)
    if (returns & ~_from_next(_bits(line_ends))).any():
        raise UncertainError


def _check_marks(text: bytes, content: "Bytes", lines: "Bits", quoted: "Bits", quote: int, delimiter: int) -> None:
    """Every quotation opens at the beginning of a field and closes at the end of one, or is a doubled mark."""
    marks = _bits(content == quote)
    beside = marks | lines | _bits(content == delimiter)
    inside = _inside(marks, text)
    opens, closes = inside & quoted, inside & ~quoted
    after = beside | _bits(content == _RETURN) if b"\r" in text else beside
    if (opens & ~_from_last(beside)).any() or (closes & ~_from_next(after)).any():
        raise UncertainError


def _bits(found: "NDArray[np.bool_]") -> "Bits":
    """A bit a byte, in words that are filled up with zeros."""
    words = np.zeros(len(found) // 64 + 1, "<u8")
    packed = np.packbits(found, bitorder="little")
    words.view(np.uint8)[: len(packed)] = packed
    return words


def _bytes(bits: "Bits", text: bytes) -> "NDArray[np.bool_]":
    return np.unpackbits(bits.view(np.uint8), count=len(text), bitorder="little").view(np.bool_)


def _inside(bits: "Bits", text: bytes) -> "Bits":
    """Bits without those of the bytes before and after a piece."""
    inside = bits.copy()
    last = len(text) - 1
    inside[0] &= ~_ONE
    inside[last // 64] &= ~np.uint64(1 << last % 64)
    return inside


def _odd_up_to(bits: "Bits") -> "Bits":
    """For each bit whether an odd number is set up to it."""
    for distance in (1, 2, 4, 8, 16, 32):
        bits = bits ^ (bits << np.uint64(distance))
    odd = np.bitwise_xor.accumulate(bits >> _LAST)
    bits[1:] ^= np.negative(odd[:-1])
    return bits


def _from_last(bits: "Bits") -> "Bits":
    """For each bit the one before it."""
    moved = bits << _ONE
    moved[1:] |= bits[:-1] >> _LAST
    return moved


def _from_next(bits: "Bits") -> "Bits":
    """For each bit the one after it."""
    moved = bits >> _ONE
    moved[:-1] |= bits[1:] << _LAST
    return moved


def _joined(pieces: Iterator[_Apart], begin: int) -> Iterator[Run]:
    """The records of all pieces, with those that reach from one into the next."""
    parts: list[bytes] = []
    for piece in pieces:
        parts.append(piece.head)
        if sum(map(len, parts)) > LONGEST:
            raise UncertainError
        if piece.run:
            yield _alone(parts, begin)
            yield piece.run
            parts, begin = [piece.tail], piece.end
    if any(parts):
        yield _alone([*parts, b"\n"], begin)


def _alone(parts: list[bytes], begin: int) -> Run:
    text = b"".join(parts)
    return _run(text, np.array([0, len(text)]), begin)


def _run(text: bytes, bounds: "Places", offset: int) -> Run:
    """Records that lie next to each other in a text, which begins at ``offset``."""
    whole = pa.Array.from_buffers(pa.large_binary(), len(bounds) - 1, [None, pa.py_buffer(bounds), pa.py_buffer(text)])
    series = pl.Series(whole.cast(pa.binary_view()))  # as polars holds it: nothing is copied
    starts, ends, hashes = bounds[:-1], bounds[1:], series.hash(seed=_SEED).to_numpy()
    length = ends - starts
    begins_with = np.frombuffer(text, np.uint8)[starts]
    blank = (length == len(b"\n")) | ((length == len(b"\r\n")) & (begins_with == _RETURN))
    kept = ~blank if blank.any() else slice(None)
    return Run(starts[kept] + offset, ends[kept] + offset, hashes[kept])

"""Whether a Parquet file unpacks to what its footer promises, told from the headers of its pages alone.

A page says how large it is when unpacked, and readers reserve as much, so a page of a kilobyte can ask for gigabytes.
The headers are structures of Thrift's compact protocol (apache/parquet-format, ``parquet.thrift``): of ``PageHeader``
only field 2, ``uncompressed_page_size``, and field 3, ``compressed_page_size``, count here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet as pq

from flows.ingest.readers.limits import PARQUET_COLUMN_BYTES, PARQUET_PAGE_BYTES, MiB
from flows.ingest.readers.names import FileRefused

_HEADER_BYTES = (1 << 12, 1 << 24)
"""How much is read for one header: nearly always too much; a header with statistics of long texts needs more."""
_TOLERATED = 1 << 20
"""Writers differ in whether the sizes in the footer count the headers of the pages."""
_UNPACKED, _PACKED = 2, 3
_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(13)
_PASSED_OVER = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8} | dict.fromkeys(
    (_I16, _I32, _I64, _BINARY, _LIST, _SET, _STRUCT)
)
"""Bytes of the kinds that have a fixed length."""
_LONG_LIST = 15
_DEEPEST = 8


def refuse_bombs(path: Path, footer: pq.FileMetaData) -> None:
    """Walk the pages of every column.

    Raises:
        FileRefused: a page or column unpacks to far more than writers make or the footer says, or it is damaged.
    """
    rows = 0
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        for at in range(footer.num_row_groups):
            group = footer.row_group(at)
            try:
                for column in range(group.num_columns):
                    _refuse_column(stream, size, group.column(column))
            except FileRefused as refusal:
                refusal.rows = rows
                raise
            rows += group.num_rows


def _refuse_column(stream: BinaryIO, size: int, chunk: pq.ColumnChunkMetaData) -> None:
    name, stated = chunk.path_in_schema, chunk.total_uncompressed_size
    if stated > PARQUET_COLUMN_BYTES:
        raise FileRefused(
            f"Expected at most {PARQUET_COLUMN_BYTES // MiB} MB a column and row group, found {stated // MiB} MB in "
            f"column {name!r}. Write the file with smaller row groups."
        )
    first = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        first = min(first, chunk.dictionary_page_offset)
    end = first + chunk.total_compressed_size
    if first < 0 or end > size:
        raise _damaged(f"column {name!r} lies outside of the file")
    unpacked = 0
    for page in _pages(stream, first, end):
        unpacked += page
        if page > PARQUET_PAGE_BYTES:
            raise FileRefused(
                f"Expected pages of at most {PARQUET_PAGE_BYTES // MiB} MB, found one of {page // MiB} MB in column "
                f"{name!r}. Write the file with smaller pages, or export CSV."
            )
        if unpacked > stated + _TOLERATED:
            raise FileRefused(
                f"Expected column {name!r} to unpack to {stated:,} bytes, as the file says, found {unpacked:,} and "
                "more. Do not use this file; ask whoever wrote it."
            )


def _pages(stream: BinaryIO, at: int, end: int) -> Iterator[int]:
    """Unpacked sizes of the pages between two offsets."""
    while at < end:
        sizes, length = _header(stream, at)
        unpacked, packed = sizes.get(_UNPACKED, -1), sizes.get(_PACKED, -1)
        if unpacked < 0 or packed < 0:
            raise _damaged("a page without a size")
        yield unpacked
        at += length + packed


def _header(stream: BinaryIO, at: int) -> tuple[dict[int, int], int]:
    for size in _HEADER_BYTES:
        stream.seek(at)
        header = _Compact(stream.read(size))
        try:
            return header.integers(), header.position
        except IndexError:
            continue
    raise _damaged("a page without a header")


class _Compact:
    """Reads one structure of Thrift's compact protocol."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def integers(self) -> dict[int, int]:
        """Its whole numbers by field; everything else is passed over."""
        found: dict[int, int] = {}
        field = 0
        while (head := self._byte()) != _STOP:
            kind, step = head & 0x0F, head >> 4
            field = field + step if step else _unzigzag(self._varint())
            if kind in (_I16, _I32, _I64):
                found[field] = _unzigzag(self._varint())
            else:
                self._skip(kind, 0)
        return found

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _DEEPEST or kind not in _PASSED_OVER:
            raise IndexError
        fixed = _PASSED_OVER[kind]
        if fixed is not None:
            self.position += fixed
        elif kind == _BINARY:
            length = self._varint()
            self.position += length
        elif kind in (_LIST, _SET, _MAP):
            self._skip_elements(kind, depth)
        elif kind == _STRUCT:
            while (head := self._byte()) != _STOP:
                if not head >> 4:
                    self._varint()
                self._skip(head & 0x0F, depth + 1)
        else:
            self._varint()

    def _skip_elements(self, kind: int, depth: int) -> None:
        if kind == _MAP:
            count = self._varint()
            pair = self._byte() if count else 0
            kinds = [pair >> 4, pair & 0x0F]
        else:
            head = self._byte()
            count = self._varint() if head >> 4 == _LONG_LIST else head >> 4
            kinds = [head & 0x0F]
        for element in kinds * min(count, len(self._content)):
            self._skip(_BYTE if element in (_TRUE, _FALSE) else element, depth + 1)

    def _byte(self) -> int:
        self.position += 1
        return self._content[self.position - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 63:
                return value


def _unzigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _damaged(what: str) -> FileRefused:
    return FileRefused(f"Expected a whole Parquet file, found a damaged one ({what}). Write or copy it again.")

"""Text files that end amid a record, as a copy leaves them that was cut off: what else they lack, nobody can tell."""

import csv
import json
from pathlib import Path

from flows.ingest.readers.limits import MiB
from flows.ingest.readers.names import FileRefused

_TAIL_BYTES = MiB
_REMEDY = (
    "without a line end, as a copy leaves it that was cut off: what it lacks would count as deleted. Have it exported "
    "again; if it is whole, give its last line a line end."
)


def refuse_cut_off_record(path: Path, columns: int, codec: str, delimiter: str, quote: str) -> None:
    """Refuse a CSV file whose last line is the beginning of a record.

    A single field may be the last line of a report's footer. Of a line that ends a quotation, as an odd number of marks
    tells, the record began above: that is whole, since no quotation is left open.

    Raises:
        FileRefused: the last line has no end and too few fields.
    """
    line = _unended_line(path, codec)
    if line.count(quote) % 2:
        return
    fields = len(next(csv.reader([line], delimiter=delimiter, quotechar=quote), []))
    if 1 < fields < columns:
        raise FileRefused(
            f"Expected a file that ends with a whole record, found a last line of {fields} instead of {columns} fields "
            f"{_REMEDY}"
        )


def refuse_cut_off_object(path: Path) -> None:
    """Refuse a JSON-lines file whose last line is the beginning of an object.

    Raises:
        FileRefused: the last line has no end and is no JSON.
    """
    line = _unended_line(path, "utf-8").strip()
    if not line.startswith("{"):
        return
    try:
        json.loads(line)
    except ValueError:
        raise FileRefused(
            f"Expected a file that ends with a whole object, found the beginning of one {_REMEDY}"
        ) from None


def _unended_line(path: Path, codec: str) -> str:
    """What stands after the last line end; nothing where that cannot be told from the bytes."""
    if codec.startswith(("utf-16", "utf-32")):
        return ""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _TAIL_BYTES))
        tail = stream.read()
    at = max(tail.rfind(b"\n"), tail.rfind(b"\r"))
    return tail[at + 1 :].decode(codec, "replace") if at >= 0 else ""

"""How much of a file is read before it is refused: every limit of the readers, with its reason."""

from dataclasses import dataclass

MiB = 1 << 20

COLUMNS = 16_384
"""A sheet of Excel has no more; an export with more has lost its line ends or its delimiter."""

UNPACKED_BYTES = 1024 * MiB
"""What a workbook may unpack to: a full sheet of a million rows by 12 columns is about half of it."""
RATIO = 250
"""Sheets compress ten to thirty times, one that repeats a single row a hundred times; bombs a thousand times."""
RATIO_COUNTS_FROM = 64 * MiB
"""A small file that unpacks to less than this harms nobody, whatever its ratio."""
ARCHIVE_PARTS = 10_000
"""Parts (sheets, drawings, pictures) of a workbook; a directory of more is made to exhaust who reads it."""
DIRECTORY_BYTES = 4 * MiB
"""Size of a zip directory of so many parts."""
CELLS = 20_000_000
"""Cells within the outermost ones of a sheet: reading takes about 32 bytes for each, filled or not."""
MERGED_RANGES = 300_000
"""Merged ranges of a sheet: a full sheet merges three columns over some rows each; more are made to stall reading."""
SHEETS = 1_000
"""Sheets of one workbook that are looked through."""
OUTPUT_BYTES = 4096 * MiB
"""What may be written for one table: merged cells repeat their text, so a small file can ask for a lot."""

BATCH_ROWS = 20_000
BATCH_CELLS = 500_000
"""Rows and cells of a workbook that are held at a time."""
BATCH_BYTES = 64 * MiB
"""A batch of long texts is handed over in pieces of about this size."""

LINE_BYTES = 16 * MiB
"""One record of a text file. A longer one is most likely a quotation that is opened and never closed."""
JSON_DEPTH = 100
"""Levels of a JSON value. Records of CRMs nest three or four levels; parsers recurse, so depth is stack."""
PARQUET_BATCH_BYTES = 256 * MiB
"""What one batch of a Parquet file may take when unpacked."""
PARQUET_GROUP_BYTES = 512 * MiB
"""Unpacked bytes of one column in one row group, as the file states them; writers make groups of 64 to 128 MiB."""


@dataclass(frozen=True)
class Bounds:
    """What a job in the sandbox may take.

    Attributes:
        memory_bytes: address space of the child; it starts with about 120 MiB.
        cpu_seconds: CPU time.
        wall_seconds: time until it is killed.
        file_bytes: size of one file it may write.
    """

    memory_bytes: int = 900 * MiB
    cpu_seconds: int = 120
    wall_seconds: int = 120
    file_bytes: int = 1024 * MiB


BOUNDS = Bounds()
"""One job at a time, so the whole tree stays under a gigabyte; a full sheet of 12 columns takes some 20 CPU seconds."""

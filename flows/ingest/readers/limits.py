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
JSON_LINE_BYTES = 4 * MiB
"""The same for a line of JSON, whose brackets take fifty times their size in memory while it is parsed."""
DUCKDB_MEMORY = "512MB"
"""What DuckDB may take to pick the fields out of lines of JSON."""
WIDE = 256
"""Columns from which on less is read at a time, so that cells rather than bytes bound the memory."""
RAGGED_BYTES = 32 * MiB
"""Records of another length than the header that are held together; a file of nothing else is of another format."""
PARQUET_BATCH_BYTES = 256 * MiB
"""Texts of one batch of a Parquet file; a dictionary repeats a long text a million times for a few bytes."""
PARQUET_TEXT_BYTES = 4096 * MiB
PARQUET_TEXT_RATIO = 250
"""Texts of a whole Parquet file, and their size as a multiple of the file's, of which the larger counts."""
PARQUET_PAGE_BYTES = 256 * MiB
"""Unpacked bytes of one page; writers make pages of about 1 MiB, and a page is unpacked whole."""
PARQUET_COLUMN_BYTES = 1024 * MiB
"""Unpacked bytes of one column in one row group; writers make row groups of 64 to 128 MiB in all."""


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

"""Faults that are planted on purpose, to see planloop refuse them."""

from datetime import date
from pathlib import Path

from flows.errors import PermanentError


def vanish(folder: Path, night: date, share: float) -> int:
    """Take a share of the opportunities out of one night's export, as a broken filter in the CRM would.

    Args:
        folder: the folder given to ``generate``.
        night: the night whose export is damaged.
        share: part of the records that vanish, evenly over each file.

    Returns:
        Number of records taken out.

    Raises:
        PermanentError: the night has no opportunities, or the share is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise PermanentError(f"Expected a share between 0 and 1, found {share}.")
    files = sorted((folder / night.isoformat() / "crm").glob("opportunities*.csv"))
    if not files:
        raise PermanentError(
            f"Expected opportunities*.csv in {folder / night.isoformat() / 'crm'}, found none; run generate first."
        )
    gone = 0
    for file in files:
        header, *records = file.read_bytes().splitlines(keepends=True)
        kept = [line for number, line in enumerate(records) if int((number + 1) * share) == int(number * share)]
        gone += len(records) - len(kept)
        file.write_bytes(header + b"".join(kept))
    return gone

"""Which business date a run is for, and whether that is a new night or one to be built again.

The change log only grows forwards: once a night is recorded, every earlier date is a rebuild that reads no export. A
slip of the keyboard in ``--as-of`` must therefore not become the newest night, and a scheduled run that finds the
newest night ahead of the calendar must say so instead of rebuilding, night after night, without reading anything.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from flows.errors import ConfigError, PermanentError

FARTHEST_AHEAD = timedelta(days=180)
"""Further ahead than this of both the calendar and the newest night, a date is a slip: most often of the year."""


def settle_as_of(given: date | None, *, today: date, known: Sequence[date]) -> tuple[date, bool]:
    """The business date of a run, and whether it lies before the newest night.

    Args:
        given: the date that the user asked for; None for the night that has just ended.
        today: the business date that has just ended.
        known: the recorded nights, oldest first.

    Raises:
        ConfigError: the date lies so far ahead that it is a slip.
        PermanentError: no date was asked for, and the newest night lies after the one that has just ended.
    """
    as_of = given or today
    if not known:
        return as_of, False
    newest = known[-1]
    if given and given > max(newest, today) + FARTHEST_AHEAD:
        raise ConfigError(
            [
                f"--as-of {given}: expected a date up to {FARTHEST_AHEAD.days} days after {max(newest, today)}, the "
                "newest night or today. After such a night no earlier export could be read any more. Check the year."
            ]
        )
    if given is None and newest > today:
        raise PermanentError(
            f"Expected the newest night to be {today} or earlier, found {newest}: an earlier run was given a date that "
            "has not come yet, and no export can be recorded before that day. Take that night out of the change log, "
            'as the runbook says under "A night with a date in the future"; or name the date to rebuild with --as-of.'
        )
    return as_of, as_of < newest

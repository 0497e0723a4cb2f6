"""How old the newest record of a source may be (the 24 hours rule).

An entity's freshness column is a business date, and a record of a day counts as written at that day's end. Its age is
counted in working days of 24 hours: what was last touched on Friday is not old on Sunday night, 24 hours old at the end
of Monday and 48 at the end of Tuesday. ``mart_data_quality`` counts; here stands what it is held to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from flows.config.settings import Settings
from flows.config.sources import Source
from flows.ingest.accounting import FileAccount
from schemas.registry import ENTITIES

KEPT_DAILY = frozenset({"opportunity", "opportunity_history", "activity"})
"""What a CRM that is kept changes every working day. A contract, a payment or a lead may well not come for a week: they
are held to hours only where their source says so."""


def fresh_within_hours(entity: str, source: Source, settings: Settings) -> float | None:
    """Hours that the newest record of a source may be old; None where it is held to none."""
    if ENTITIES[entity].freshness() is None:
        return None
    return source.fresh_within_hours or (settings.fresh_within_hours if entity in KEPT_DAILY else None)


def with_limits(files: Iterable[FileAccount], sources: Mapping[str, Source], settings: Settings) -> list[FileAccount]:
    """The accounts, each with the hours that its source is held to."""
    return [
        replace(file, fresh_within_hours=fresh_within_hours(file.entity, sources[file.source], settings))
        for file in files
    ]

"""What a connector to a CRM is: where it pulls from, how it pages, and how it tells of records that are gone."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flows.config.sources import Source
from flows.errors import ConfigError
from flows.ingest.crm.http import Authorization, Session
from flows.ingest.crm.responses import Verdict, judge_status

Record = dict[str, Any]
"""One record as the vendor gave it, flat: field name -> JSON value."""
Cursor = dict[str, Any]
"""Where to go on: a JSON object that only the connector which made it understands."""


@dataclass(frozen=True)
class Page:
    """One look at the vendor.

    Attributes:
        records: in the order in which they count; every requested field is a key, null where the vendor has no value.
        cursor: a pull that is given this cursor goes on after this page. That of the last page is where the next night
            begins.
        gone: ids of records that no longer exist and of which the vendor has nothing more to tell. They land as their
            last landed version, marked as deleted.
    """

    records: Sequence[Record]
    cursor: Cursor
    gone: Sequence[str] = ()


class Connector(ABC):
    """One object of one CRM.

    A connector holds no state between calls: what it must remember stands in the cursors it gives.

    Args:
        source: the configured source; ``source.connect`` is set.
        secrets: the values of ``connect.secrets``, by the part they play.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    """Parts of ``connect.secrets`` that must be there."""
    options: ClassVar[frozenset[str]] = frozenset()
    """Names of ``connect.options`` that it knows, besides those of all connectors (`COMMON_OPTIONS`)."""
    sweep_days: ClassVar[int] = 7
    """How often all ids are compared, where neither ``options.sweep_days`` nor the first read makes it needless."""
    key: str = "id"
    """Field of its records that identifies them."""
    deleted: str | None = None
    """Field of its records that is true for one that has been deleted; None where there is no such thing."""

    def __init__(self, source: Source, secrets: Mapping[str, str]) -> None:
        if source.connect is None:
            raise ConfigError([f"sources.{source.name}: expected connect"])
        self.source = source
        self.connect = source.connect
        self.secrets = secrets
        faults = list(self._faults())
        if faults:
            raise ConfigError([f"sources.{source.name}.connect: {fault}" for fault in faults])

    def _faults(self) -> Iterator[str]:
        for part in self.needs:
            if not self.secrets.get(part):
                name = self.connect.secrets.get(part)
                found = f"{name} is not set" if name else f"secrets has no {part!r}"
                yield f"expected the secret {part!r} for {self.connect.crm}; {found}"
        known = self.options | COMMON_OPTIONS
        for name in self.connect.options:
            if name not in known:
                yield f"{name!r} is no option of {self.connect.crm}; it has {', '.join(sorted(known))}"
        if self.source.deleted is not None and self.deleted not in self.source.deleted.source_columns:
            expected = f"deleted: {self.deleted}" if self.deleted else "no `deleted`"
            yield f"expected {expected}: that is how {self.connect.crm} {self.connect.object} tells of deleted records"

    @property
    def tells_deleted(self) -> bool:
        """Whether deleted records are to be landed, marked: what lacks is deleted only from a full source."""
        return self.deleted is not None and self.source.mode == "delta" and self.source.deleted is not None

    @property
    @abstractmethod
    def base_url(self) -> str:
        """Where requests go, until an authorization names another place."""

    @property
    def limit(self) -> tuple[int, float] | None:
        """Calls allowed in so many seconds, where the vendor states such a limit and does not tell when it is hit."""
        return None

    @abstractmethod
    def authorize(self, session: Session) -> Authorization:
        """Get what authorizes a request; called before the first one and once whenever it is refused as expired."""

    def judge(self, response: Any) -> Verdict:
        """What a response means; by default by its HTTP status alone."""
        return judge_status(response)

    @abstractmethod
    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """What comes after ``since``, or everything.

        Args:
            session: sends requests; retries, waits and refreshes by itself.
            since: cursor of the last page that was landed, of this night or of an earlier one; None: from the start.
        """

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """The ids of all records that exist (``key`` is their one field), to find what vanished without a trace.

        Returns:
            None where the vendor tells of every deletion, so that no sweep is ever needed.
        """
        return None

    def fetch(self, session: Session, ids: Sequence[str]) -> Iterator[Sequence[Record]]:
        """Records that a sweep found and no pull has landed, such as restored ones; none where pulls find them all."""
        return iter(())


COMMON_OPTIONS = frozenset({"sweep_days"})
"""Options of every connector. ``sweep_days``: compare all ids when the last time is so many days ago; 0 every night."""

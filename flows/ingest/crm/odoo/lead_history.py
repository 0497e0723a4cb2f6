"""The history of Odoo's leads, from what Odoo tracks in their messages."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.ingest.crm.by_id import resumed
from flows.ingest.crm.http import Session
from flows.ingest.crm.odoo.records import LEADS, LOST, Ask, Records, flat, search_read, stage_of
from flows.ingest.crm.protocol import Cursor, Page, Record

HISTORY = "crm.lead__history"
TRACKED = {"stage_id": "integer", "active": "integer", "user_id": "integer", "expected_revenue": "float"}
"""Fields of a lead whose history is read, and the kind of column in which ``mail.tracking.value`` keeps them."""


class LeadHistory(Records):
    """What each opportunity was from when on: a record for its beginning and one for each message that tracks a change.

    Fields: ``revision`` (its key, sorts by time within a lead), ``id`` (of the lead), ``revised_at``, ``revised_by``,
    ``stage`` (as of `Records`), ``stage_id``, ``user_id``, ``expected_revenue``: whole states, not differences. A lead
    begins as an opportunity when it is converted. Only administrators may read what Odoo tracks
    (``mail.tracking.value``): the user needs the right *Administration / Settings*.
    """

    key = "revision"
    deleted = None
    added = frozenset(
        {"revision", "id", "revised_at", "revised_by", "stage", "stage_id", "user_id", "expected_revenue"}
    )

    def _faults(self) -> Iterator[str]:
        if self.fields:
            yield f"expected fields of {HISTORY} ({', '.join(sorted(self.added))}), found {', '.join(self.fields)}"
        yield from super()._faults()

    @property
    def model(self) -> str:
        """Leads: what is looked for is which of them changed."""
        return LEADS

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """The whole history of each lead that changed."""
        ask = self._open(session)
        stages = {row["id"]: row["name"] for row in search_read(ask, "crm.stage", [], ["name"])}
        domain = [["model", "=", LEADS], ["name", "in", [*TRACKED]]]
        tracked = {row["id"]: row["name"] for row in search_read(ask, "ir.model.fields", domain, ["name"])}
        kinds = self._kinds(ask, {*TRACKED, "probability", "create_date", "date_conversion"})
        for rows, cursor in self._changed(ask, resumed(since, self.fields), sorted(kinds)):
            leads = [flat(row, kinds) for row in rows]
            changes = self._changes(ask, [lead["id"] for lead in leads], tracked)
            yield Page([record for lead in leads for record in history(lead, changes[lead["id"]], stages)], cursor)

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """What was does not vanish."""
        return None

    def _changes(self, ask: Ask, leads: list[int], tracked: Mapping[int, str]) -> dict[int, list[dict[str, Any]]]:
        """Tracked changes by lead, oldest first.

        Each has ``message``, ``at``, ``by``, ``field``, ``old``, ``new`` and, of related records, their names then.
        """
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        if not leads:
            return found
        kept = [f"{side}_value_{kind}" for side in ("old", "new") for kind in ("char", "float", "integer")]
        domain = [
            ["field_id", "in", [*tracked]],
            ["mail_message_id.model", "=", LEADS],
            ["mail_message_id.res_id", "in", leads],
        ]
        values = search_read(ask, "mail.tracking.value", domain, ["field_id", "mail_message_id", *kept])
        ids = sorted({row["mail_message_id"][0] for row in values})
        messages: dict[int, dict[str, Any]] = {}
        for at in range(0, len(ids), self._page):
            domain = [["id", "in", ids[at : at + self._page]]]
            rows = search_read(ask, "mail.message", domain, ["date", "res_id", "author_id", "subject"])
            messages.update({row["id"]: row for row in rows})
        for row in values:
            message = messages.get(row["mail_message_id"][0])
            # Messages of a lead that was merged into this one have moved here and say so in their subject.
            if message is None or message["subject"]:
                continue
            field = tracked[row["field_id"][0]]
            change = {"message": message["id"], "at": message["date"], "by": (message["author_id"] or (0, None))[1]}
            for side in ("old", "new"):
                change[side] = row[f"{side}_value_{TRACKED[field]}"]
                change[f"{side}_name"] = row[f"{side}_value_char"]
            found[message["res_id"]].append({**change, "field": field})
        for changes in found.values():
            changes.sort(key=lambda change: (change["at"], change["message"]))
        return found


def history(lead: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], stages: Mapping[int, str]) -> list[Record]:
    """The states of a lead, oldest first; the first one is found by undoing all changes.

    Args:
        lead: as it is now.
        changes: as `LeadHistory._changes` gives them.
        stages: names by id. A message has the name too, but in the language of whoever made the change; it serves for
            a stage that is no more.
    """
    moves = [change for change in changes if change["field"] == "stage_id"]
    names = {change[side]: change[f"{side}_name"] for change in moves for side in ("old", "new")} | dict(stages)
    state = {name: lead[name] for name in TRACKED}
    for change in reversed(changes):
        state[change["field"]] = change["old"]
    begin = lead["date_conversion"] or lead["create_date"]
    states: dict[int, dict[str, Any]] = {0: {**state, "at": begin, "by": None}}
    for change in changes:
        state[change["field"]] = change["new"]
        if change["at"] <= begin:
            states[0] |= state
        else:
            states[change["message"]] = {**state, "at": change["at"], "by": change["by"]}

    records: list[Record] = []
    closed = LOST if lead["active"] else stage_of(lead)
    for message, found in reversed(states.items()):
        closed = LOST if found["active"] else closed  # an earlier archiving was undone; it counts as a loss
        records.append(
            {
                "revision": f"{lead['id']}@{message:012d}",
                "id": lead["id"],
                "revised_at": found["at"],
                "revised_by": found["by"],
                "stage": names.get(found["stage_id"]) if found["active"] else closed,
                "stage_id": found["stage_id"] or None,
                "user_id": found["user_id"] or None,
                "expected_revenue": found["expected_revenue"],
            }
        )
    return records[::-1]

"""Odoo 17 and later: the records of a model, and the history of leads from what Odoo tracks in their messages.

Both ways in are known. ``api: json-rpc`` is the one that every release up to 21 has; it is deprecated since 19 and goes
with 22 (Odoo Online: 21.1). ``api: json-2`` is its successor, from 19 on.

What is new is found by ``write_date``, whose resolution is one second. An archived record, such as a lost lead, still
counts: ``active_test`` is off. One that was deleted leaves no trace and is found by comparing ids.
"""

from collections.abc import Mapping

from flows.config.sources import Source
from flows.ingest.crm.odoo.lead_history import HISTORY, LeadHistory
from flows.ingest.crm.odoo.records import Records
from flows.ingest.crm.protocol import Connector


def connect(source: Source, secrets: Mapping[str, str]) -> Connector:
    """The connector of a source: ``crm.lead__history``, or the records of the model it names."""
    is_history = source.connect is not None and source.connect.object == HISTORY
    return (LeadHistory if is_history else Records)(source, secrets)

"""HubSpot CRM v3: deals, companies, contacts, activities, owners, pipelines, and the history of properties.

The first pull walks the list of an object; later ones search for what was modified, paged by id: a search ends at
10,000 results, and many records may bear one and the same time. A search and a list give ids only; the records are read
in batches, since a search may not be longer than 3,000 characters and a list's URL has its limits too. What changes
while a pull runs is found by the next one: it looks from a while before this one began.

Archived records are listed apart. Merged ones disappear; the record they became a part of names them.

Landed fields: ``id``, ``createdAt``, ``updatedAt``, ``archived``, ``archivedAt``, each property under its own name
(under ``properties.<name>`` where that is one of the former), and for each of ``options.associations`` the fields
``associations.<object>`` (the primary one, or the only one) and ``associations.<object>.all``.

With ``options.history`` the changes of these properties are landed instead, one record a value: ``history_id``, ``id``,
``timestamp``, ``property``, ``value``, ``sourceType``, ``sourceId``, ``updatedByUserId``, and the value once more under
the property's own name.
"""

from collections.abc import Mapping

from flows.config.sources import Source
from flows.ingest.crm.hubspot.history import History
from flows.ingest.crm.hubspot.lists import Owners, Pipelines
from flows.ingest.crm.hubspot.objects import Objects
from flows.ingest.crm.protocol import Connector


def connect(source: Source, secrets: Mapping[str, str]) -> Connector:
    """The connector for the object that a source names."""
    assert source.connect is not None  # noqa: S101 (the registry has looked)
    if source.connect.object == "owners":
        return Owners(source, secrets)
    if source.connect.object == "pipelines":
        return Pipelines(source, secrets)
    return History(source, secrets) if source.connect.options.get("history") else Objects(source, secrets)

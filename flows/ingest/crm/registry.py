"""The connectors by name; a vendor's module is imported only where a source asks for it."""

from collections.abc import Mapping
from importlib import import_module

from flows.config.sources import Source
from flows.errors import ConfigError
from flows.ingest.crm.protocol import Connector

MODULES = {
    "hubspot": ("flows.ingest.crm.hubspot", "connect"),
    "salesforce": ("flows.ingest.crm.salesforce", "connect"),
    "fxiaoke": ("flows.ingest.crm.fxiaoke", "connect"),
    "odoo": ("flows.ingest.crm.odoo", "connect"),
    "tryton": ("flows.ingest.crm.tryton", "connect"),
}
"""Module and function (source, secrets) -> connector of each ``connect.crm``."""


def connector(source: Source, env: Mapping[str, str]) -> Connector:
    """The connector of a source, given the secrets that it names.

    Args:
        source: has ``connect``.
        env: values by the names that ``connect.secrets`` uses: environment variables, and ``block:`` names that were
            loaded before.

    Raises:
        ConfigError: an unknown option, or a secret that is not set.
    """
    if source.connect is None:
        raise ConfigError([f"sources.{source.name}: expected connect"])
    module, function = MODULES[source.connect.crm]
    secrets = {part: env[name] for part, name in source.connect.secrets.items() if env.get(name)}
    made: Connector = getattr(import_module(module), function)(source, secrets)
    return made

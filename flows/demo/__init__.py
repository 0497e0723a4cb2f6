"""The demo company: a made-up bilingual seller whose CRM exports and spreadsheets planloop can be tried on."""

from flows.demo.company import DEFAULT_LAST_NIGHT, DemoManifest, generate
from flows.demo.faults import vanish

__all__ = ["DEFAULT_LAST_NIGHT", "DemoManifest", "generate", "vanish"]

"""What revenue operations edits, as frozen models: settings, sources, stages, alerts."""

from flows.config.loader import Config, load

__all__ = ["Config", "load"]

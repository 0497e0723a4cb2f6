"""Ingest: landing the files of each source, and validating their rows at the border."""

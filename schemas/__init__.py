"""The canonical entities: what an export may fill, and what each row must fulfil."""

TEMPLATES = ("customer_record", "stage_progress", "requirement", "contract")
"""Entities of the four process templates, whose sheets are recognised by their header alone."""

"""Rows of a full export that stand as they stood last night are accepted without a second look (ADR 0015)."""

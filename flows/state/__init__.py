"""Operational state: runs, alerts and the outbox, in SQLite or a database that a team shares."""

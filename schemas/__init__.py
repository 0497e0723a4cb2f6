"""The canonical entities: what an export may fill, and what each row must fulfil."""

"""The change log: what is new, changed or gone since the last night, and with it the state at any past date."""

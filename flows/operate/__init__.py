"""Running the night day after day: its lock and its log, what is wrong with a set-up, and how it is scheduled."""

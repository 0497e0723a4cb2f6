"""Planning: a plan decomposed to every node and period, checked, explained, and kept once it is in force."""

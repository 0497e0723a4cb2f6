"""The check of a plan: specific, measurable, achievable, relevant, time-bound, each with its reason."""

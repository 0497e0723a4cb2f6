"""The commands: each reads its options, calls one function, prints the result and ends with an exit code."""

"""The night and what it is made of: the command, the flow, and one folder for each capability."""

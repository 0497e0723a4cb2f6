"""Alerts: the lifecycle of tonight's deviations, the outbox, and the delivery of mail."""

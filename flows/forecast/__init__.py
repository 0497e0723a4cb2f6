"""The forecast: features from tonight's candidate, methods that turn them into amounts, the ledger of all nights."""

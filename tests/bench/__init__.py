"""What planloop costs beside the tools it stands on, as ratios. Run by hand; pytest collects nothing here."""

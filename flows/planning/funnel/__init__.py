"""Activity targets: backwards from results through the funnel's own rates."""

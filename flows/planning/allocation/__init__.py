"""A plan decomposed: time, then organisation, exact at every level, around what is set by hand."""

"""The gate: whether tonight's candidate may become what everybody reads.

What belongs here: rules over a whole night (control totals of the inputs, roll-ups, change against the last published
night, freshness), judged by Great Expectations on small frames of measurements. What does not: rules about one row
(pandera, at the border) and about one model (dbt tests). No rule is written twice.
"""

"""Publication: a candidate becomes a version, and one atomic swap makes it what everybody reads.

What belongs here: the files under ``published/``, their manifest, the versions kept, going back to one, checking one.
What does not: whether a night may be published (``flows.audit``), and what is in it (``dbt_project``).
"""

"""Building the candidate: the dbt project, its inputs and its glossary."""

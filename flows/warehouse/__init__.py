"""The build: inputs of the night, and dbt on the embedded engine."""

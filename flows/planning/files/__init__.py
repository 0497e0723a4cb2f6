"""A plan as a file or a workbook: read, written, compared."""

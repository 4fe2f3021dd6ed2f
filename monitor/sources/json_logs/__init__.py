"""Request and response logs in JSON lines, converted to a parquet log."""

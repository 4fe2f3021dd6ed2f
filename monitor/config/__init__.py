"""YAML to domain values: strict, with every problem named at once by file, line and column."""

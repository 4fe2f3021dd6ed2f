"""The gate over HTTP: whether a version may act."""

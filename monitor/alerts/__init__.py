"""A reading judged by its limit: pure."""

"""Prometheus text: one catalogue of names, rendered once a run."""

"""Intervals, tests and multiplicity: vectorised closed forms."""

"""Distances between a field's distribution in a window and in its baseline."""

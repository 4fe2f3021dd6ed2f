"""Mergeable summaries of a window: the only form in which data reaches the statistics."""

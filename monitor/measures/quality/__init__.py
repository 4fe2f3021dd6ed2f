"""The condition of the log itself: missing, unseen, volume, freshness."""

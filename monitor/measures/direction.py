"""Which measures are judged in both directions."""

_EITHER_SIDE = frozenset({"decision_rate", "label_rate", "score_mean", "rows"})


def either_side(measure: str) -> bool:
    """Return whether a fall counts like a rise: rates and volumes drift both ways."""
    return measure in _EITHER_SIDE

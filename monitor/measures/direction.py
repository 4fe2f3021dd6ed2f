"""In which directions measures are judged, and which of them have to wait."""

from monitor.measures.names import MEASURE_NAMES

_EITHER_SIDE = frozenset(
    {
        "decision_rate",
        "label_rate",
        "score_mean",
        "reconstruction_error",
        "rows",
        "mean_error",
        "mean_error_change",
        "concept_drift",
        "label_rate_gap",
        "multiclass_concept_drift",
        "label_shares_gap",
    }
)


def lower_is_worse(measure: str) -> bool:
    """Return whether a limit of this measure is a floor: beyond it means below it."""
    return MEASURE_NAMES[measure].floor


def needs_labels(measure: str) -> bool:
    """Return whether a measure rests on labels, and so on how many of them have arrived."""
    return MEASURE_NAMES[measure].labels


def either_side(measure: str) -> bool:
    """Return whether a fall counts like a rise: rates and volumes drift both ways."""
    return measure in _EITHER_SIDE

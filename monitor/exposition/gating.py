"""What the gate answers here, and its metrics."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct, field

from monitor.exposition.family import PREFIX, Kind, MetricFamily, Part


class Gating(Struct, frozen=True):
    """What a replica's gate answers.

    Attributes:
        age: Seconds since its answers were last held against the store; None before that.
        answers: Model and version to the action that serving layers are told.
        asked: Model and action to how often that was answered since the start.
        longest: Model to the longest that a permit may be used after it was given.
        doubted: Model to whether its versions are denied because what is stored of them is not
            believed.
        unwatched: Model to whether its versions are to be answered for and no file names it.
    """

    age: float | None
    answers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    asked: Mapping[tuple[str, str], int] = field(default_factory=dict)
    longest: Mapping[str, timedelta] = field(default_factory=dict)
    doubted: Mapping[str, bool] = field(default_factory=dict)
    unwatched: Mapping[str, bool] = field(default_factory=dict)


def _family(name: str, meaning: str, unit: str, labels: tuple[str, ...]) -> MetricFamily:
    kind = Kind.COUNTER if name.endswith("_total") else Kind.GAUGE
    return MetricFamily(PREFIX + name, kind, meaning, unit, labels, Part.PROCESS, bool(labels))


GATING = (
    _family(
        "gate_answer",
        "1 for the action that serving layers are told about a version.",
        "bool",
        ("model", "version", "action"),
    ),
    _family(
        "gate_requests_total",
        "Requests that the gate of this replica answered, by what it answered.",
        "requests",
        ("model", "action"),
    ),
    _family(
        "gate_max_stop_seconds",
        "The longest that a version may act on a permit given before it was held, while the monitor"
        " cannot be asked.",
        "seconds",
        ("model",),
    ),
    _family(
        "gate_in_doubt",
        "1 while every version of a model is denied because what is stored of it, or the audit log"
        " itself, is not what was signed.",
        "bool",
        ("model",),
    ),
    _family(
        "model_unwatched",
        "1 while versions of a model are neither new nor retired and no file names the model any more.",
        "bool",
        ("model",),
    ),
    _family(
        "gate_answers_age_seconds",
        "How long ago the gate's answers were held against the store; it answers nothing when that"
        " is too long.",
        "seconds",
        (),
    ),
)

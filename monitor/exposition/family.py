"""What a metric is: name, type, meaning, unit and labels."""

from enum import StrEnum

from msgspec import Struct

PREFIX = "modelmon_"


class Kind(StrEnum):
    """The type of a metric, in the words of the text format."""

    GAUGE = "gauge"
    COUNTER = "counter"


class Part(StrEnum):
    """Which part of the page a metric is on, and so when it is rendered."""

    RESULTS = "results"
    """From the store, rendered once a run."""
    PROCESS = "process"
    """The daemon's own condition, rendered at every scrape."""


class MetricFamily(Struct, frozen=True):
    """A metric: name, type, meaning, unit and labels.

    Attributes:
        name: With prefix and suffix, as it is on the page.
        kind: Gauge or counter.
        help: One sentence for the HELP line and the reference.
        unit: Unit of the value.
        labels: Names of the labels it may have; a label without a value is left out.
        part: The part of the page it is on.
        empty_when_healthy: Whether a daemon with nothing to complain about has no series of it.
    """

    name: str
    kind: Kind
    help: str
    unit: str
    labels: tuple[str, ...]
    part: Part
    empty_when_healthy: bool = False

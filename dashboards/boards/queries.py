"""PromQL over the metrics of the catalogue, limited to what the variables of a dashboard choose."""

from dataclasses import dataclass, field

from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.family import PREFIX, Kind, MetricFamily

FAMILIES = {family.name: family for family in CATALOGUE}
RATE = "$__rate_interval"


def family_of(name: str) -> MetricFamily:
    """Return the metric of a name without prefix; KeyError for one that is not exposed."""
    return FAMILIES[PREFIX + name]


@dataclass(frozen=True)
class Scope:
    """What the variables of a dashboard choose.

    Attributes:
        chosen: Label to the matcher that a variable makes of it. A metric without the label is not
            limited by it.
        instance: Whether instances are chosen and told apart: for metrics of the process, not for
            results, which are the same on every replica.
    """

    chosen: dict[str, str] = field(default_factory=dict)
    instance: bool = False

    def select(self, name: str, *matchers: str) -> str:
        """Return the selector of a metric: job, variables, and further matchers."""
        labels = family_of(name).labels
        matched = [self.target, *(text for label, text in self.chosen.items() if label in labels)]
        return f"{PREFIX}{name}{{{', '.join([*matched, *matchers])}}}"

    @property
    def target(self) -> str:
        """The matchers of the scrape targets."""
        return 'job=~"$job"' + (', instance=~"$instance"' if self.instance else "")

    def latest(self, name: str, *matchers: str, by: tuple[str, ...] | None = None) -> str:
        """Return each series of a gauge once, whichever and however many replicas expose it."""
        if family_of(name).kind is not Kind.GAUGE:
            raise ValueError(f"{name} is a counter")
        return _max(self._labels(name) if by is None else by, self.select(name, *matchers))

    def total(self, name: str, *matchers: str) -> str:
        """Return a sum over every series of a gauge, each of them counted once."""
        return f"sum ({self.latest(name, *matchers)})"

    def increase(self, name: str, *matchers: str) -> str:
        """Return how much a counter grew, by its labels; of the replicas the one that grew most."""
        if family_of(name).kind is not Kind.COUNTER:
            raise ValueError(f"{name} is a gauge")
        return _max(self._labels(name), f"increase({self.select(name, *matchers)}[{RATE}])")

    def _labels(self, name: str) -> tuple[str, ...]:
        return (*family_of(name).labels, *(("instance",) if self.instance else ()))


def _max(by: tuple[str, ...], inner: str) -> str:
    return f"max by ({', '.join(by)}) ({inner})" if by else f"max ({inner})"


WHOLE = 'reference=""'
"""Held against the registered baseline."""
OVER_ALL_ROWS = 'stratum=""'
"""Groups compared over all rows, not within strata."""
CRITICAL, WARNING = 'severity="critical"', 'severity="warning"'
UNKNOWN = 'verdict="unknown"'

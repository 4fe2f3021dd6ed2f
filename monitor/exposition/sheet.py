"""Series on their way to the page."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.family import PREFIX, Kind, MetricFamily, Part
from monitor.exposition.label import label_value

_BY_NAME = {family.name: family for family in CATALOGUE}

Labels = tuple[tuple[str, str], ...]


class Sheet:
    """Series by metric, each once, with every name made fit for a label value."""

    def __init__(self) -> None:
        self._series: dict[str, dict[Labels, float]] = {}

    def add(self, name: str, value: float, **labels: str) -> bool:
        """Add a series; a label with an empty value is left out.

        Returns:
            False, having changed nothing, when the series is there already.

        Raises:
            ValueError: The catalogue has no such metric, or not with such labels.
        """
        family = _BY_NAME.get(PREFIX + name)
        if family is None or not labels.keys() <= set(family.labels):
            raise ValueError(f"{PREFIX}{name} with labels {sorted(labels)} is not in the catalogue")
        key = tuple((label, label_value(text)) for label, text in sorted(labels.items()) if text)
        series = self._series.setdefault(family.name, {})
        if key in series:
            return False
        series[key] = float(value)
        return True

    def __len__(self) -> int:
        """Return the number of series."""
        return sum(len(series) for series in self._series.values())

    @property
    def series(self) -> Mapping[str, Mapping[Labels, float]]:
        """Return the series by metric; every metric that is here has some."""
        return self._series

    def leave_out(self, unwanted: Callable[[Labels], bool]) -> int:
        """Take away the series with certain labels, and return how many they were."""
        before = len(self)
        kept = {
            name: {labels: value for labels, value in series.items() if not unwanted(labels)}
            for name, series in self._series.items()
        }
        self._series = {name: series for name, series in kept.items() if series}
        return before - len(self)

    def rename(self, name_of: Callable[[Mapping[str, str], str], str]) -> None:
        """Give groups another name.

        Args:
            name_of: From the labels of a series and the name of one that holds a group, the new value.
        """
        self._series = {
            name: {_renamed(labels, name_of): value for labels, value in series.items()}
            for name, series in self._series.items()
        }

    def metrics(self, part: Part) -> Iterator[Metric]:
        """Yield the metrics that have series, in the catalogue's order, series sorted by label."""
        for family in CATALOGUE:
            if family.part is part and family.name in self._series:
                yield _metric(family, self._series[family.name])


_GROUPS = frozenset({"group", "reference_group"})
"""Labels that hold the name of a group."""


def _renamed(labels: Labels, name_of: Callable[[Mapping[str, str], str], str]) -> Labels:
    if not any(label in _GROUPS for label, _ in labels):
        return labels
    named = dict(labels)
    return tuple(
        (label, name_of(named, label) if label in _GROUPS else text) for label, text in labels
    )


class SheetCollector(Collector):
    """Constant metrics for a registry."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Sequence[Metric]:
        """Return the metrics."""
        return self._metrics


def _metric(family: MetricFamily, series: dict[Labels, float]) -> Metric:
    # The library puts a counter's suffix back when it writes the page.
    name = family.name.removesuffix("_total") if family.kind is Kind.COUNTER else family.name
    metric = Metric(name, family.help, family.kind.value)
    metric.samples = [
        Sample(family.name, dict(labels), value) for labels, value in sorted(series.items())
    ]
    return metric

"""What a model owner tolerates of disparities, beyond one band for all of them."""

from collections.abc import Mapping
from datetime import timedelta
from math import log

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.alarm import OF_DISPARITIES, AlarmRule
from monitor.domain.limit import Band, Limit
from monitor.domain.regulation import RegulationProfile

LEAST_CHANGE = 0.9
"""A ratio may be a tenth worse than it was in the baseline before its change counts."""

REPRESENTATION = Limit(warning=0.05, critical=0.20)
"""Five in a hundred of those whom the model sees are others than they were, or one in five."""

UNKNOWN_SHARE = Limit(warning=0.01, critical=0.05)
"""As of missing values: a join that breaks loses one row in a hundred at least, or many at once."""

LONGEST_STRETCH = timedelta(days=28)
"""Four weeks: every weekday is in it equally often."""


STRETCH = "(small groups)"
"""What the stretch of earlier windows is called among the references of a run."""

MOST_STRETCHED = 100
"""Windows that a stretch may have: each is read from the store where a group is small."""

STRETCH_WINDOWS, STRETCH_DAYS = "windows", "days"
"""Names of details: of how many windows a group's rows are the sum, and how many days before the
window's end the first of them began. A number that rests on its window alone has neither."""


class LeftOut(Struct, frozen=True):
    """Which groups are counted and shown, but not compared, and why.

    Attributes:
        below: A group with less than this share of the rows of its population.
        because: The justification, in the words of whoever decided it.
    """

    below: float
    because: str


class DisparityLimits(Struct, frozen=True):
    """How disparities are judged, where one band does not say it all.

    Attributes:
        populations: Name of a population (a crossing's: ``sex × race``) to its own band.
        metrics: Metric to a band whose bounds and smallest difference hold for it in every
            population; sizes and error level stay those of the population.
        change: A ratio that is on the harmful side worse than this share of what it was in the
            baseline has changed; None when change is measured and not judged.
        extend: How long a stretch of windows a group that is too small in one is measured over;
            zero for one window.
        representation: What a group's share of its population may change by, in either direction.
        unknown_share: What the share of rows of unknown membership may rise by.
        differences: Metric that has no ratio to the difference from the reference group that is
            tolerated, in the metric's unit; one that is not here is measured and not judged.
        persistence: When findings on disparities become alarms.
        profile: The regulation profile whose defaults hold; None for our own.
        left_out: Which groups no comparison is made of; None for none.
    """

    populations: Mapping[str, Band] = field(default_factory=dict)
    metrics: Mapping[str, Band] = field(default_factory=dict)
    change: float | None = LEAST_CHANGE
    extend: timedelta = LONGEST_STRETCH
    representation: Limit = REPRESENTATION
    unknown_share: Limit = UNKNOWN_SHARE
    differences: Mapping[str, float] = field(default_factory=dict)
    persistence: AlarmRule = OF_DISPARITIES
    profile: RegulationProfile | None = None
    left_out: LeftOut | None = None

    def band(self, usual: Band, population: str, metric: str = "") -> Band:
        """Return the band of a population, or of one metric in it.

        Args:
            usual: What holds for populations that have none of their own.
            population: Its name.
            metric: The metric; "" for what all metrics share, sizes and error level.
        """
        band = self.populations.get(population, usual)
        own = self.metrics.get(metric)
        if own is None:
            return band
        return replace(band, low=own.low, high=own.high, min_difference=own.min_difference)

    def band_of_change(self, band: Band) -> Band | None:
        """Return the band of the logarithm of a ratio's change; None when it is not judged.

        Args:
            band: The population's, with sizes and error level.
        """
        if self.change is None:
            return None
        return replace(band, low=log(self.change), high=-log(self.change), min_difference=0.0)

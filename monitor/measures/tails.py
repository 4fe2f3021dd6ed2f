"""The minimum-effect tests that several measures share."""

from monitor.domain.estimate import Estimate
from monitor.uncertainty.interval import normal_quantile
from monitor.uncertainty.normal import beyond_normal


def of_a_change(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the change is within the tolerance, upwards or downwards".

    Normal, with the standard error that the interval has on the side of no change.
    """
    return _by_interval(estimate, tolerance, either_side=True)


def of_a_rise(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the value is at most the tolerance".

    Normal, with the standard error that the interval has on the side of no change.
    """
    return _by_interval(estimate, tolerance, either_side=False)


def _by_interval(estimate: Estimate, tolerance: float, *, either_side: bool) -> float:
    falls = either_side and estimate.value < 0
    end = estimate.high if falls else estimate.low
    width = 0.0 if end is None else abs(estimate.value - end)
    error = width / float(normal_quantile(estimate.level))
    return float(beyond_normal(estimate.value, error, tolerance, either_side=either_side))

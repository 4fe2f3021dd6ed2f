"""The uncertainty of a difference of means."""

from typing import NamedTuple

from monitor.special import stdtr, stdtrit


class Moments(NamedTuple):
    """Mean, variance (divided by rows − 1) and rows of a sample."""

    mean: float
    variance: float
    rows: int


def welch(first: Moments, second: Moments, level: float = 0.95) -> tuple[float, float]:
    """Return Welch's interval of the difference of two means, ``first − second``.

    ``d ± t √(s₁²/n₁ + s₂²/n₂)`` with the Welch-Satterthwaite degrees of freedom; variances need not
    be equal. Both variances 0: the interval is the difference itself.

    Args:
        first: At least two rows.
        second: At least two rows.
        level: Confidence level.

    Raises:
        ValueError: A sample has fewer than two rows.

    Source:
        B. L. Welch (1947), Biometrika 34, 28-35.
    """
    if min(first.rows, second.rows) < 2:  # noqa: PLR2004  # a variance takes two rows
        raise ValueError("a sample of one row has no variance")
    difference = first.mean - second.mean
    parts = [sample.variance / sample.rows for sample in (first, second)]
    error2 = sum(parts)
    if error2 == 0:
        return difference, difference
    weights = [
        (part / error2) ** 2 / (sample.rows - 1)
        for part, sample in zip(parts, (first, second), strict=True)
    ]
    reach = float(stdtrit(1 / sum(weights), 0.5 + level / 2)) * error2**0.5
    return difference - reach, difference + reach


def student(sample: Moments, level: float = 0.95) -> tuple[float, float]:
    """Return Student's interval of a mean: ``m ± t √(s²/n)`` with n − 1 degrees of freedom.

    Exact for normal values, and for others as far as their mean is nearly normal: a few very large
    values make it too narrow.

    Args:
        sample: At least two rows.
        level: Confidence level.

    Raises:
        ValueError: The sample has fewer than two rows.

    Source:
        Student (1908), Biometrika 6, 1-25.
    """
    if sample.rows < 2:  # noqa: PLR2004  # as above
        raise ValueError("a sample of one row has no variance")
    reach = (
        float(stdtrit(sample.rows - 1, 0.5 + level / 2)) * (sample.variance / sample.rows) ** 0.5
    )
    return sample.mean - reach, sample.mean + reach


def welch_test(first: Moments, second: Moments) -> tuple[float, float]:
    """Return the two-sided p-value of Welch's test of equal means, and its t.

    Means that differ without any variance on either side are certain to differ: p is 0, t too large to
    be told and given as 0.

    Args:
        first: At least two rows.
        second: At least two rows.

    Raises:
        ValueError: A sample has fewer than two rows.

    Source:
        Welch (1947).
    """
    if min(first.rows, second.rows) < 2:  # noqa: PLR2004  # as above
        raise ValueError("a sample of one row has no variance")
    difference = first.mean - second.mean
    parts = [sample.variance / sample.rows for sample in (first, second)]
    error2 = sum(parts)
    if error2 == 0:
        return (0.0 if difference else 1.0), 0.0
    weights = [
        (part / error2) ** 2 / (sample.rows - 1)
        for part, sample in zip(parts, (first, second), strict=True)
    ]
    t = difference / error2**0.5
    return float(2 * stdtr(1 / sum(weights), -abs(t))), float(t)

"""Do two samples have the same proportion?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from monitor.special import gammaln, ndtr
from monitor.uncertainty.interval import FloatArray, counts

EXACT_BELOW_ROWS = 1000
"""Tables with fewer rows than this are tested exactly."""

EXACT_BELOW_EXPECTED = 10.0
"""So are tables whose smallest expected cell is below this."""

_TIE = 1e-7  # relative: tables as likely as the observed one but for rounding count as ties


class Comparison(NamedTuple):
    """Two-sided p-values, and differences in standard errors (above zero: the first is higher)."""

    p_value: FloatArray
    z: FloatArray


def pooled_z(
    successes: ArrayLike, trials: ArrayLike, other_successes: ArrayLike, other_trials: ArrayLike
) -> Comparison:
    """Return the pooled two-proportion z test, two-sided.

    ``z = (p₁ − p₂) / √(p(1−p)(1/n₁ + 1/n₂))`` with the pooled ``p``; the "number of standard
    deviations" of employment-selection practice. Where nobody or everybody succeeded, z is 0 and p
    is 1: such a table holds no evidence of a difference.

    Args:
        successes: Of the first sample, any shape.
        trials: Of the first sample, above zero.
        other_successes: Of the second sample.
        other_trials: Of the second sample, above zero.

    Returns:
        Arrays of the broadcast shape.

    Raises:
        ValueError: No trials, or successes outside them.

    Source:
        K. Pearson (1900); used as "standard deviations" in Hazelwood School District v. United
        States, 433 U.S. 299 (1977).
    """
    x, n, y, m = np.broadcast_arrays(
        *counts(successes, trials), *counts(other_successes, other_trials)
    )
    pooled = (x + y) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    z = np.divide(x / n - y / m, error, out=np.zeros(x.shape), where=error > 0)
    return Comparison(np.asarray(2 * ndtr(-np.abs(z))), z)


def fisher(successes: int, trials: int, other_successes: int, other_trials: int) -> float:
    """Return the two-sided p-value of Fisher's exact test.

    The probability, with all margins fixed, of the tables that are no more likely than the
    observed one.

    Args:
        successes: Of the first sample.
        trials: Of the first sample, above zero.
        other_successes: Of the second sample.
        other_trials: Of the second sample, above zero.

    Raises:
        ValueError: No trials, or successes outside them.

    Source:
        R. A. Fisher (1935), The Logic of Inductive Inference, J. R. Stat. Soc. 98, 39-82; the
        two-sided rule is that of F. Yates (1984), J. R. Stat. Soc. A 147, 426-463.
    """
    counts([successes, other_successes], [trials, other_trials])
    total = successes + other_successes
    first, last = max(0, total - other_trials), min(total, trials)
    possible = np.arange(first, last + 1, dtype=np.float64)
    log_mass = _log_choose(trials, possible) + _log_choose(other_trials, total - possible)
    mass = np.exp(log_mass - log_mass.max())
    observed = mass[successes - first]
    return float(mass[mass <= observed * (1 + _TIE)].sum() / mass.sum())


def same_proportion(
    successes: ArrayLike, trials: ArrayLike, other_successes: ArrayLike, other_trials: ArrayLike
) -> Comparison:
    """Return a two-sided test of equal proportions: exact for small tables, else the z test.

    Fisher's test for tables with fewer than `EXACT_BELOW_ROWS` rows or a smallest expected cell
    below `EXACT_BELOW_EXPECTED`, `pooled_z` for the others. ``z`` is that of `pooled_z` in either
    case.

    Args:
        successes: Of the first sample, any shape.
        trials: Of the first sample, above zero.
        other_successes: Of the second sample.
        other_trials: Of the second sample, above zero.

    Returns:
        Arrays of the broadcast shape.

    Raises:
        ValueError: No trials, or successes outside them.
    """
    x, n, y, m = np.broadcast_arrays(
        *counts(successes, trials), *counts(other_successes, other_trials)
    )
    test = pooled_z(x, n, y, m)
    fewer = np.minimum(x + y, n + m - x - y)
    expected = np.minimum(n, m) * fewer / (n + m)
    exact = (n + m < EXACT_BELOW_ROWS) | (expected < EXACT_BELOW_EXPECTED)
    p_value = test.p_value.copy()
    for place in np.ndindex(x.shape):
        if exact[place]:
            p_value[place] = fisher(int(x[place]), int(n[place]), int(y[place]), int(m[place]))
    return Comparison(p_value, test.z)


def _log_choose(n: int, k: FloatArray) -> FloatArray:
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0))

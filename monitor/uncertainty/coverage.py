"""How much of a population a sample has not held at all."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Missed(NamedTuple):
    """The share of the population whose values are not in the sample, and its error's variance."""

    share: float
    variance: float


def missed(rows: ArrayLike) -> Missed:
    """Return the estimated share of a population that has values which a sample did not hold.

    ``f₁ / n``, with ``f₁`` the values that came once: a value that was seen once was as likely not
    to be seen. The variance is ``((f₁ + 1) (1 − f₁ / n) + 2 (f₂ + 1)) / n²``: the usual one, with one
    more of each, since a small sample without rare values may have missed some all the same. Both
    are 0 of a sample without rows.

    Args:
        rows: Rows of each value of the sample, any shape.

    Source:
        I. J. Good (1953), Biometrika 40, 237-264, after A. M. Turing; W. W. Esty (1983), Ann. Stat.
        11, 905-912.
    """
    counted = np.asarray(rows)
    n = int(counted.sum())
    if not n:
        return Missed(0.0, 0.0)
    once, twice = (int(np.count_nonzero(counted == times)) for times in (1, 2))
    return Missed(once / n, ((once + 1) * (1 - once / n) + 2 * (twice + 1)) / n**2)

"""How much of a population lies outside the range of a sample of it, and how much of the next one."""

import numpy as np

from monitor.special import betainc, betaincinv, ndtr
from monitor.uncertainty.normal import NODES, WEIGHTS


def beyond_range(outside: int, rows: int, reference_rows: int, tolerance: float) -> float:
    """Return the p-value of "at most the tolerance more lies outside the range than chance makes".

    The share of a continuous population outside the range of n of its rows is not known, but its law
    is: Beta(2, n − 1), whatever the population's. So the rows outside are binomial with a share of the
    tolerance plus a number of that law, and the p-value is the mean of their upper tail over it. For a
    population with ties less is outside, and the test asks more than it need. In [0, 1]; 1 with
    nothing outside. Of a large sample it is the binomial test of the tolerance.

    Args:
        outside: Rows outside the range, of …
        rows: So many.
        reference_rows: Rows of the sample that the range is taken from; with one, anything may be
            outside, and the p-value is 1.
        tolerance: In [0, 1].

    Source:
        S. S. Wilks (1941), Ann. Math. Stat. 12, 91-96; H. A. David and H. N. Nagaraja (2003), Order
        Statistics, 3rd ed., section 2.3.
    """
    if not outside or reference_rows < 2:  # noqa: PLR2004  # a range has two ends
        return 1.0
    shares = np.minimum(tolerance + betaincinv(2.0, reference_rows - 1.0, ndtr(NODES)), 1.0)
    return float(np.sum(WEIGHTS * betainc(outside, rows - outside + 1, shares)))

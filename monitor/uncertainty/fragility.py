"""On how few outcomes the result of a test rests."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.profile.grid import IntArray
from monitor.uncertainty.interval import counts
from monitor.uncertainty.two_sample import same_proportion


def flips(
    successes: ArrayLike,
    trials: ArrayLike,
    other_successes: ArrayLike,
    other_trials: ArrayLike,
    alpha: float = 0.05,
) -> IntArray:
    """Return how many outcomes of the first sample would have to be others for a test not to reject.

    The fewest that, turned one by one towards equal proportions, take the p-value of
    `same_proportion` to ``alpha`` or above; 0 where it is there already. "Fragility index".

    Args:
        successes: Of the first sample, shape (K,), whole.
        trials: Of the first sample, above zero.
        other_successes: Of the second sample, which stays as it is.
        other_trials: Of the second sample, above zero.
        alpha: Error of the test.

    Returns:
        Shape (K,), never more than make the proportions as near to equal as they can be.

    Raises:
        ValueError: No trials, or successes outside them.

    Source:
        M. Walsh et al. (2014), J. Clin. Epidemiol. 67, 622-628; as a "flip-flop" in practice under
        29 CFR 1607.4(D).
    """
    x, n, y, m = np.broadcast_arrays(
        *counts(successes, trials), *counts(other_successes, other_trials)
    )
    found = np.zeros(x.shape, np.int64)
    rejected = same_proportion(x, n, y, m).p_value < alpha
    x, n, y, m = (part[rejected] for part in (x, n, y, m))
    towards = np.sign(y / m - x / n)
    # As near to equal proportions as whole outcomes can be, no such test rejects.
    few, enough = np.zeros(x.shape), np.abs(np.rint(n * y / m) - x)
    while (enough - few > 1).any():
        half = np.floor((few + enough) / 2)
        still = same_proportion(x + towards * half, n, y, m).p_value < alpha
        few, enough = np.where(still, half, few), np.where(still, enough, half)
    found[rejected] = enough
    return found

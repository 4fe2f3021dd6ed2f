"""The estimate that the changes of a share have in common."""

from monitor.domain.estimate import Estimate
from monitor.uncertainty.difference import newcombe

LEVEL = 0.95
"""Of the interval."""


def change_of_share(now: int, rows: int, then: int, reference_rows: int) -> Estimate:
    """Return a share in the window less the share in the baseline, with Newcombe's interval.

    Signed: above 0, the share rose. In [−1, 1]; 0 when nothing changed.

    Args:
        now: Rows of the window that count.
        rows: Rows of the window, above zero.
        then: Rows of the baseline that count.
        reference_rows: Rows of the baseline, above zero.

    Source:
        Newcombe (1998), method 10.
    """
    low, high = newcombe(now, rows, then, reference_rows, LEVEL)
    return Estimate(
        now / rows - then / reference_rows,
        n=rows,
        n_reference=reference_rows,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method="Newcombe hybrid score",
        then=then / reference_rows,
        now=now / rows,
    )

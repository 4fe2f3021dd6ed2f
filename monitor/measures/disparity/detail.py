"""What a ratio of two rates is worth: how it was made up, and on how little it rests."""

from collections.abc import Iterator

import numpy as np

from monitor.measures.disparity.comparison import Comparison
from monitor.measures.disparity.rate import Harm, side_of
from monitor.measures.measure import GroupPair
from monitor.uncertainty.fragility import flips
from monitor.uncertainty.membership import membership_bounds
from monitor.uncertainty.power import detectable_ratio


def details(pair: GroupPair, compared: Comparison) -> Iterator[dict[str, float]]:
    """Yield further numbers for each comparison, whose reference has a rate above 0.

    - ``flips``: the fewest outcomes of the group which, turned towards equal rates, would leave a
      difference that chance explains (unadjusted); only where chance does not explain it now.
    - ``detectable_ratio``: the ratio nearest to 1, on the side that harms, that would be suspected
      four times in five: a z test at the family's α over its tests, the first step of Holm. Absent
      where there is none: the group is too small to show any. Below 1 where each side can harm.
    - ``odds_ratio``: odds of the group over those of its reference; absent where a cell is empty.
    - ``complement_ratio``: the ratio of the rates of everyone else, ``(1 − p₁) / (1 − p₂)``: what is
      0.92 of those chosen may be 5 of those refused. Absent where the reference has no such rows.
    - ``cohens_h``: difference of the rates after the arcsine transformation,
      ``2 asin √p₁ − 2 asin √p₂``; 0.2 is called small, 0.5 medium, 0.8 large.
    - ``unknown_low``, ``unknown_high``: the least and greatest ratio that rows of unknown membership
      could make of it (`membership_bounds`); the ratio itself where there are none, absent where
      nobody counted them.

    Source:
        J. Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, ch. 6, for h.
    """
    now, then = compared.rates
    x, n, y, m = compared.tables
    turned = flips(x, n, y, m, pair.band.alpha) if len(n) else x
    above = side_of(compared.rate.harm, pair.effect) is Harm.HIGH
    alpha = pair.band.alpha / max(compared.tests, 1)
    detectable = detectable_ratio(n, m, then, alpha, above=above)
    heights = 2 * np.arcsin(np.sqrt(now)) - 2 * np.arcsin(np.sqrt(then))
    crossed, other = x * (m - y), (n - x) * y
    bounds = None
    if (unknown := compared.rate.unknown(pair)) is not None:
        bounds = membership_bounds(compared.tables, *unknown)
    for place in range(len(n)):
        found = {"cohens_h": float(heights[place])}
        if turned[place]:
            found["flips"] = int(turned[place])
        if detectable.exists[place]:
            found["detectable_ratio"] = float(detectable.ratio[place])
        if m[place] > y[place]:
            found["complement_ratio"] = float((1 - now[place]) / (1 - then[place]))
        if crossed[place] and other[place]:
            found["odds_ratio"] = float(crossed[place] / other[place])
        if bounds is not None:
            found["unknown_low"] = float(bounds.low[place])
            found["unknown_high"] = float(bounds.high[place])
        yield found

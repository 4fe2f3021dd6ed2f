"""Log loss."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_score_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import Level, Side, chance_sums, mean_level, now, rise_of


def level(side: Side) -> Level | Unmeasurable:
    """Return the log loss of one side.

    The mean of ``−ln`` of the probability that the score gave to the label that came, in nats; a
    probability counts as at least `LEAST_CHANCE`. From 0, no upper bound (36 in fact); 0.69 for a
    score of 0.5 throughout. Exact to rounding. A few rows that were called impossible make up most
    of it.

    Unmeasurable: no label has arrived, or none for a finite score; fewer than two of them; a score
    outside 0 to 1; errors that the profile was stored without.

    Source:
        I. J. Good (1952), J. R. Stat. Soc. B 14, 107-114.
    """
    sums = chance_sums(side)
    if isinstance(sums, Unmeasurable):
        return sums
    return mean_level(sums.log, sums.log_squared, sums.rows, side)


MEASURE = ModelMeasure(
    Description(
        id="log_loss",
        family=Family.PERFORMANCE,
        title="log loss",
        unit="nat",
        unchanged=None,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Good (1952)",
    ),
    partial(now, level),
    applies=has_score_and_label,
)

RISE = rise_of(MEASURE, level, "rise of log loss")

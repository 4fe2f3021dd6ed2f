"""The four measures of a rate: in each group, against another, and its change."""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from monitor.measures.applicability import has_decision, has_decision_and_label, has_score
from monitor.measures.disparity.difference import difference
from monitor.measures.disparity.level import level
from monitor.measures.disparity.rate import Rate
from monitor.measures.disparity.ratio import ratio
from monitor.measures.disparity.ratio_change import ratio_change
from monitor.measures.measure import Description, Family, GroupMeasure
from monitor.profile.grid import Grid


def measures_of(rate: Rate) -> tuple[GroupMeasure, ...]:
    """Return a rate's level, ratio, difference and change of the ratio, in this order."""
    plain = Description(
        id=rate.id,
        family=Family.DISPARITY,
        title=rate.title,
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source=f"{rate.source}; Wilson (1927)",
    )
    of_ratio = replace(
        plain,
        id=f"{rate.id}_ratio",
        title=f"ratio of the {rate.title}",
        unchanged=1.0,
        upper=None,
        source="Koopman (1984); Holm (1979)",
    )
    of_difference = replace(
        plain,
        id=f"{rate.id}_difference",
        title=f"difference of the {rate.title}",
        unchanged=0.0,
        lower=-1.0,
        source="Newcombe (1998); Holm (1979)",
    )
    of_change = replace(
        of_ratio,
        id=f"{rate.id}_ratio_change",
        title=f"change of the {of_ratio.title}",
        unit="nats",
        unchanged=0.0,
        lower=None,
        source="Katz et al. (1978); Walter (1975); Holm (1979)",
    )
    made = (
        (level, plain),
        (ratio, of_ratio),
        (difference, of_difference),
        (ratio_change, of_change),
    )
    return tuple(
        GroupMeasure(
            about,
            partial(measure, rate),
            unassigned=measure is level,
            applies=_applies(rate),
            metric=rate.id,
        )
        for measure, about in made
    )


def _applies(rate: Rate) -> Callable[[Grid], bool]:
    """Return whether a model with a grid has the rate: one of no cells is of scores."""
    if not rate.denominator:
        return has_score
    return has_decision_and_label if rate.labels else has_decision

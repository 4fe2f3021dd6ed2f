"""What the rates of groups have in common that are estimated before labels are there."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_score_decision_and_label
from monitor.measures.disparity.rate import LEVEL, Rate
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.measures.performance.expectation import METHOD, Formula
from monitor.measures.performance.level import LEAST_LABELS
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.profile.grid import FloatArray, IntArray
from monitor.uncertainty.expected import Calibration, ExpectedTable, calibrate, expected_table
from monitor.uncertainty.proportion import wilson_of_variance

Of = Callable[[ExpectedTable], Formula | str]
"""A number of an expected confusion table, or why it does not exist."""


class _Learned(NamedTuple):
    """What the baseline's labels of a group say of scores.

    Attributes:
        calibration: Of the group, by the places of the score's cells.
        places: shape (cells,), these.
        labels: Labels that it rests on.
    """

    calibration: Calibration
    places: FloatArray
    labels: int


def measure(rate: Rate, of: Of, pair: GroupPair) -> Mapping[str, Result]:
    """Return the rate that the labels of each group will show, if there is no concept drift in it.

    CBPE (`monitor.uncertainty.expected`) with a calibration of the group's own: its labels in the
    baseline say how likely a positive one is in each cell of the score, and with that its decisions
    in the window are right as often as they would be on average. A score that means less for one
    group than for the others is so taken for what it means there; no group borrows from another.
    In [0, 1]. The interval is that of what the labels of these rows will show: of their chance, and of
    the labels that the chances are learned from. It does not cover concept drift, which no window
    without labels can show.

    ``then`` is the rate that the group's labels showed in the baseline. Chances that are learned from
    few labels flatter; ``flattery`` in ``detail`` is by how much the estimate for the baseline itself
    differs from that rate, and ``labels`` how many labels they rest on.

    Unmeasurable: scores were not counted by group; labels are observed after one decision only, and
    the rate is of the other one's rows too; the baseline has fewer than `LEAST_LABELS` of a class for
    the group; no row of it has a score and a decision; the rate is of no row that is expected.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    then, now = pair.scores_then, pair.scores
    if then is None or now is None:
        told = "scores were not counted by group: register a new baseline"
        return dict.fromkeys(pair.groups, Unmeasurable(Absence.NO_BASELINE, told))
    if told := rate.not_observed(pair.observed):
        return dict.fromkeys(pair.groups, Unmeasurable(Absence.UNDEFINED, told))
    return {
        name: _of_group(rate, of, name, then.rows[group], now.rows[group])
        for group, name in enumerate(pair.groups)
    }


def _of_group(rate: Rate, of: Of, name: str, then: IntArray, now: IntArray) -> Result:
    """Return a group's rate.

    Args:
        rate: Which one.
        of: The same of an expected table.
        name: Of the group.
        then: shape (3 decisions, 3 labels, cells), rows of the baseline with a finite score.
        now: The same of the window.
    """
    learned, decided = _learned(name, then), now.sum(axis=1)[[NEGATIVE, POSITIVE]]
    rows = int(decided.sum())
    if not rows:
        told = f"no row of {name} has both a finite score and a decision"
        return Unmeasurable(Absence.NO_DATA, told)
    if isinstance(learned, Unmeasurable):
        return Unmeasurable(learned.reason, learned.explanation, rows, learned.n_reference)
    table = expected_table(learned.calibration, learned.places, decided[0], decided[1])
    found = of(table)
    if isinstance(found, str):
        told = f"{name}: {found}"
        return Unmeasurable(Absence.UNDEFINED, told, rows, learned.labels)
    value = min(max(found.value, 0.0), 1.0)
    variance = table.variance(found.by_hit, found.by_miss)
    low, high = wilson_of_variance(value, variance, 1.0, rows, LEVEL)
    events, among = (int(count) for count in rate.count(then.sum(axis=-1)))
    before = events / among if among else None
    return Estimate(
        value,
        n=rows,
        n_reference=learned.labels,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method=METHOD,
        then=before,
        now=value,
        detail={
            "standard_error": variance**0.5,
            "labels": learned.labels,
            **_flattery(of, learned, then, before),
        },
    )


def _learned(name: str, then: IntArray) -> _Learned | Unmeasurable:
    labels = then.sum(axis=0)[[NEGATIVE, POSITIVE]]
    negatives, positives = labels.sum(axis=1).tolist()
    rows = negatives + positives
    if not rows:
        told = f"no row of {name} has a finite score and a label in the baseline"
        return Unmeasurable(Absence.NO_BASELINE, told)
    if min(negatives, positives) < LEAST_LABELS:
        told = (
            f"{name} has {negatives} negative and {positives} positive labels in the baseline, "
            f"and at least {LEAST_LABELS} of each are needed"
        )
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, n_reference=rows)
    places = np.arange(labels.shape[1], dtype=np.float64)
    there = labels.any(axis=0)
    return _Learned(calibrate(places[there], *labels[:, there]), places, rows)


def _flattery(
    of: Of, learned: _Learned, then: IntArray, realised: float | None
) -> Mapping[str, float]:
    """Return by how much the estimate for the labelled rows of the baseline exceeds their rate."""
    decided = then[:, [NEGATIVE, POSITIVE]].sum(axis=1)[[NEGATIVE, POSITIVE]]
    if realised is None:
        return {}
    found = of(expected_table(learned.calibration, learned.places, decided[0], decided[1]))
    return {} if isinstance(found, str) else {"flattery": found.value - realised}


def estimated_of(rate: Rate, of: Of) -> GroupMeasure:
    """Return the measure of a rate that is expected, measured where the policy lists the rate."""
    return GroupMeasure(
        Description(
            id=f"estimated_{rate.id}",
            family=Family.DISPARITY,
            title=f"{rate.title}, estimated assuming no concept drift",
            unit="1",
            unchanged=None,
            lower=0.0,
            upper=1.0,
            symmetric=False,
            source="Zadrozny and Elkan (2002); NannyML, CBPE",
        ),
        partial(measure, rate, of),
        applies=has_score_decision_and_label,
        metric=rate.id,
    )

"""What the rates of groups have in common that are estimated before labels are there."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_estimates_by_group
from monitor.measures.disparity.rate import LEVEL, Rate
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.measures.performance.expectation import METHOD, Formula
from monitor.measures.performance.level import LEAST_LABELS
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.profile.grid import FloatArray, IntArray
from monitor.uncertainty.expected import Calibration, ExpectedTable, calibrate, expected_table
from monitor.uncertainty.proportion import wilson_of_variance

_BOTH = [NEGATIVE, POSITIVE]

Of = Callable[[ExpectedTable], Formula | str]
"""A number of an expected confusion table, or why it does not exist."""


class _Learned(NamedTuple):
    """What the baseline's labels of a group say of scores.

    Attributes:
        calibrations: Of the group's rows that were decided negatively and of those that were decided
            positively, by the places of the score's cells: the same one, or one of each. None where
            too few labels are there to learn one.
        places: shape (cells,), these.
        labels: Labels that they rest on.
    """

    calibrations: tuple[Calibration | None, Calibration | None]
    places: FloatArray
    labels: int

    def expected(self, decided: IntArray) -> ExpectedTable | None:
        """Return what is expected of rows; None where some are of a kind that nothing is known of.

        Args:
            decided: shape (2, cells), rows decided negatively, and rows decided positively.
        """
        negative, positive = self.calibrations
        if negative is positive and negative is not None:
            return expected_table(negative, self.places, *decided)
        nobody, kinds = np.zeros_like(decided[0]), []
        for calibration, rows in (
            (negative, (decided[0], nobody)),
            (positive, (nobody, decided[1])),
        ):
            if calibration is not None:
                kinds.append(expected_table(calibration, self.places, *rows))
            elif np.any(rows):
                return None
        return ExpectedTable(
            sum(kind.hits for kind in kinds),
            sum(kind.misses for kind in kinds),
            sum(kind.positive for kind in kinds),
            sum(kind.negative for kind in kinds),
            np.sum([kind.covariance for kind in kinds], axis=0),
        )


def measure(rate: Rate, of: Of, pair: GroupPair) -> Mapping[str, Result]:
    """Return the rate that the labels of each group will show, if there is no concept drift in it.

    CBPE (`monitor.uncertainty.expected`) with a calibration of the group's own: its labels in the
    baseline say how likely a positive one is in each cell of the score, and with that its decisions
    in the window are right as often as they would be on average. A score that means less for one
    group than for the others is so taken for what it means there; no group borrows from another.
    In [0, 1]. The interval is that of what the labels of these rows will show: of their chance, and of
    the labels that the chances are learned from. It does not cover concept drift, which no window
    without labels can show.

    Of a class that is held against all others (or a favourable set), the score is its probability, or
    the sum of theirs. The chances are then learned apart for the rows of the group that were
    predicted to be of the class and for its other rows, as `estimated_multiclass_accuracy` does.

    ``then`` is the rate that the group's labels showed in the baseline. Chances that are learned from
    few labels flatter; ``flattery`` in ``detail`` is by how much the estimate for the baseline itself
    differs from that rate, and ``labels`` how many labels they rest on.

    Unmeasurable: scores were not counted by group; labels are observed after one decision only, and
    the rate is of the other one's rows too; the baseline has fewer than `LEAST_LABELS` of a class for
    the group (of a class: fewer such labels of a kind of row that the window has); no row of it has a
    score and a decision; probabilities of some of its rows are none; the rate is of no row that is
    expected.

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
        name: _of_group(rate, of, name, _Sides(then.rows[group], now.rows[group], now.of_class))
        for group, name in enumerate(pair.groups)
    }


class _Sides(NamedTuple):
    """Rows of a group with a finite score in baseline and window.

    Attributes:
        then: shape (3 decisions, 3 labels, cells), those of the baseline.
        now: The same of the window.
        of_class: Whether scores are probabilities of a class that is held against all others.
    """

    then: IntArray
    now: IntArray
    of_class: bool


def _of_group(rate: Rate, of: Of, name: str, sides: _Sides) -> Result:
    then, decided = sides.then, sides.now.sum(axis=1)[_BOTH]
    rows = int(decided.sum())
    if (broken := _no_probabilities(name, sides)) is not None:
        return broken
    if not rows:
        told = f"no row of {name} has both a finite score and a decision"
        return Unmeasurable(Absence.NO_DATA, told)
    learned = (_learned_by_decision if sides.of_class else _learned)(name, then)
    if isinstance(learned, Unmeasurable):
        return replace(learned, n=rows)
    table = learned.expected(decided)
    if table is None:
        return _unknown_kind(name, sides, learned.labels)
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


def _no_probabilities(name: str, sides: _Sides) -> Unmeasurable | None:
    """Return why a group of a class has no estimate if some of its probabilities are none."""
    for side, when in ((sides.then, "the baseline"), (sides.now, "the window")):
        outside = int(side[UNKNOWN].sum()) if sides.of_class else 0
        if outside:
            told = (
                f"the probabilities of {outside:,} rows of {name} in {when} are outside 0 to 1 or do "
                "not add up to 1"
            )
            return Unmeasurable(Absence.UNDEFINED, told, int(sides.now.sum()))
    return None


def _unknown_kind(name: str, sides: _Sides, labels: int) -> Unmeasurable:
    """Return that the window has rows of a kind that the baseline has too few labels of."""
    lacking = [
        f"{given} to be of the class"
        for code, given in ((NEGATIVE, "predicted not"), (POSITIVE, "predicted"))
        if sides.now[code].any() and sides.then[code, _BOTH].sum() < LEAST_LABELS
    ]
    told = (
        f"{name} has fewer than {LEAST_LABELS} labelled rows {' and '.join(lacking)} in the baseline, "
        "and such rows in the window"
    )
    rows = int(sides.now[_BOTH].sum())
    return Unmeasurable(Absence.INSUFFICIENT_DATA, told, rows, labels)


def _learned_by_decision(name: str, then: IntArray) -> _Learned | Unmeasurable:
    """Return what is learned apart of each decision of a group."""
    labels = then[_BOTH][:, _BOTH]
    rows = int(labels.sum())
    if not rows:
        return _nothing_known(name)
    places = np.arange(labels.shape[-1], dtype=np.float64)

    def of_kind(known: IntArray) -> Calibration | None:
        there = known.any(axis=0)
        enough = int(known.sum()) >= LEAST_LABELS
        return calibrate(places[there], *known[:, there]) if enough else None

    return _Learned((of_kind(labels[NEGATIVE]), of_kind(labels[POSITIVE])), places, rows)


def _nothing_known(name: str) -> Unmeasurable:
    told = f"no row of {name} has a finite score and a label in the baseline"
    return Unmeasurable(Absence.NO_BASELINE, told)


def _learned(name: str, then: IntArray) -> _Learned | Unmeasurable:
    labels = then.sum(axis=0)[_BOTH]
    negatives, positives = labels.sum(axis=1).tolist()
    rows = negatives + positives
    if not rows:
        return _nothing_known(name)
    if min(negatives, positives) < LEAST_LABELS:
        told = (
            f"{name} has {negatives} negative and {positives} positive labels in the baseline, "
            f"and at least {LEAST_LABELS} of each are needed"
        )
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, n_reference=rows)
    places = np.arange(labels.shape[1], dtype=np.float64)
    there = labels.any(axis=0)
    calibration = calibrate(places[there], *labels[:, there])
    return _Learned((calibration, calibration), places, rows)


def _flattery(
    of: Of, learned: _Learned, then: IntArray, realised: float | None
) -> Mapping[str, float]:
    """Return by how much the estimate for the labelled rows of the baseline exceeds their rate."""
    table = learned.expected(then[:, _BOTH].sum(axis=1)[_BOTH])
    if realised is None or table is None:
        return {}
    found = of(table)
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
        applies=has_estimates_by_group,
        metric=rate.id,
    )

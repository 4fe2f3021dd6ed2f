"""From sums over pairs of fields to how they move together."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.measure import ProfilePair
from monitor.profile.comoments import CoMoments
from monitor.profile.counts import NumericCounts
from monitor.profile.grid import BoolArray, FloatArray, Grid, IntArray
from monitor.profile.profile import Profile


class Correlations(NamedTuple):
    """Correlations of the normal scores of pairs of fields, over the rows that both have.

    Attributes:
        values: shape (fields, fields), in [−1, 1]; 0 where there is none.
        rows: shape (fields, fields).
        sound: shape (fields, fields), whether there are rows enough for it to be nearly normal.
    """

    values: FloatArray
    rows: IntArray
    sound: BoolArray


LEAST_EXPECTED = 25.0
"""Rows in which neither field would have its most frequent value if the two were independent. With
fewer, as of two rare events, chance puts a correlation farther out than the normal law says."""


def no_pairs(pair: ProfilePair) -> Unmeasurable | None:
    """Return why fields cannot be compared in pairs, or None when they can."""
    rows, reference_rows = pair.current.rows, pair.reference.rows
    if not pair.grid.scores:
        return Unmeasurable(
            Absence.NO_BASELINE,
            "the baseline was registered before fields were counted in pairs: register a new one",
            rows,
            reference_rows,
        )
    if not reference_rows:
        return Unmeasurable(Absence.NO_BASELINE, "the baseline has no rows", rows, 0)
    if not rows:
        return Unmeasurable(Absence.NO_DATA, "the window has no rows", 0, reference_rows)
    return None


def correlations(grid: Grid, profile: Profile) -> Correlations:
    """Return the correlations of a profile."""
    return _correlations(profile.pairs, _minorities([_counts(grid, profile)]))


def others(grid: Grid, whole: Profile, part: Profile) -> Correlations:
    """Return the correlations of the rows of a profile that are not in a part of it."""
    rest = replace(
        whole.pairs,
        rows=whole.pairs.rows - part.pairs.rows,
        sums=whole.pairs.sums - part.pairs.sums,
        squares=whole.pairs.squares - part.pairs.squares,
        products=whole.pairs.products - part.pairs.products,
    )
    return _correlations(rest, _minorities([_counts(grid, whole), _counts(grid, part)]))


def association(grid: Grid, profile: Profile) -> Mapping[str, float]:
    """Return how closely each field goes with the score: the size of their correlation, in [0, 1].

    Of normal scores, so any monotone relation counts. It is no cause: a field that the model never
    reads may go with one that it does. Fields without enough rows beside the score are left out;
    all are when there is no score, or the profile does not hold it in pairs.
    """
    names = list(grid.scores)
    if grid.score not in names:
        return {}
    found, score = correlations(grid, profile), names.index(grid.score)
    return {
        name: abs(float(found.values[place, score]))
        for place, name in enumerate(names)
        if place != score and found.sound[place, score]
    }


class Standard(NamedTuple):
    """The unit in which fields are held against the baseline.

    Attributes:
        mean: shape (fields,), of the baseline's scores, in steps.
        deviation: shape (fields,), of the baseline's scores, in steps; 0 where they are all alike.
    """

    mean: FloatArray
    deviation: FloatArray


def standard(pairs: CoMoments) -> Standard:
    """Return mean and standard deviation of each field's scores."""
    rows = np.maximum(pairs.rows.diagonal(), 1)
    mean = pairs.sums.diagonal() / rows
    variance = pairs.squares.diagonal() / rows - mean**2
    return Standard(mean, np.sqrt(np.maximum(variance, 0.0)))


def second_moments(pairs: CoMoments, unit: Standard, fields: IntArray) -> FloatArray:
    """Return the mean products of some fields' standardised scores, each over complete pairs.

    Of the baseline itself this is close to its matrix of correlations, and that matrix where
    nothing is missing.

    Args:
        pairs: With rows for all pairs of these fields.
        unit: The baseline's, with deviations above 0 for these fields.
        fields: Indices of the fields.

    Returns:
        shape (fields, fields), symmetric.
    """
    some = np.ix_(fields, fields)
    rows, mean = pairs.rows[some], unit.mean[fields]
    sums = pairs.sums[some] / rows
    products = pairs.products[some] / rows
    about = products - sums * mean - sums.T * mean[:, None] + np.outer(mean, mean)
    return np.asarray(about / np.outer(unit.deviation[fields], unit.deviation[fields]))


def kurtosis(grid: Grid, profile: Profile, unit: Standard) -> FloatArray:
    """Return the mean fourth power of each field's standardised scores; 0 where there is none."""
    found = np.zeros(len(grid.scores))
    for place, (scores, cells) in enumerate(
        zip(grid.scores.values(), _counts(grid, profile), strict=True)
    ):
        if unit.deviation[place] > 0 and cells.any():
            z = (scores - unit.mean[place]) / unit.deviation[place]
            found[place] = (z**4 * cells).sum() / cells.sum()
    return found


def _counts(grid: Grid, profile: Profile) -> list[IntArray]:
    found = []
    for name in grid.scores:
        counts = profile.fields[name]
        if not isinstance(counts, NumericCounts):
            raise ValueError(f"field {name} is counted as another kind than its grid's")  # noqa: TRY004
        found.append(counts.cells)
    return found


def _minorities(sides: Sequence[list[IntArray]]) -> FloatArray:
    """Return the share of each field's rows that are not in its fullest cell.

    Args:
        sides: Rows by cell of each field; of a second profile, to be taken off.
    """
    shares = []
    for cells, *taken in zip(*sides, strict=True):
        left = cells - sum(taken)
        rows = int(left.sum())
        shares.append(1 - left.max() / rows if rows else 0.0)
    return np.array(shares)


def _correlations(pairs: CoMoments, minority: FloatArray) -> Correlations:
    rows = np.maximum(pairs.rows, 1)
    means = pairs.sums / rows
    variances = np.maximum(pairs.squares / rows - means**2, 0.0)
    covariances = pairs.products / rows - means * means.T
    sizes = np.sqrt(variances * variances.T)
    values = np.divide(covariances, sizes, out=np.zeros(sizes.shape), where=sizes > 0)
    expected = pairs.rows * np.outer(minority, minority)
    sound = (sizes > 0) & (expected >= LEAST_EXPECTED)
    return Correlations(np.clip(values, -1.0, 1.0), pairs.rows, sound)

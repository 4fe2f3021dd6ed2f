"""What is measured of each slice of a segment, as of all rows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from monitor.domain.estimate import Estimate
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.direction import needs_labels
from monitor.measures.drift import decision_rate, psi, score_mean
from monitor.measures.measure import (
    Family,
    FieldMeasure,
    FieldPair,
    Measure,
    ModelMeasure,
    ProfilePair,
)
from monitor.measures.measuring import readings_by
from monitor.measures.names import MEASURE_NAMES
from monitor.measures.quality import label_coverage
from monitor.profile.counts import CategoricalCounts, FieldCounts, NumericCounts, ValueSample
from monitor.profile.profile import Profile
from monitor.profile.segments import slice_names
from monitor.uncertainty.interval import normal_quantile

CARRIED = "carried"
"""Name of the detail of a slice's drift: the share of the whole's drift that is in this slice."""

OF_LABELS = frozenset(
    {"label_rate", "auc", "auc_drop", "average_precision", "average_precision_drop"}
    | {"calibration_error", "calibration_error_rise", "accuracy", "accuracy_drop", "f1", "f1_drop"}
    | {"precision", "precision_drop", "recall", "recall_drop", "log_loss", "log_loss_rise"}
    | {"brier", "brier_rise", "concept_drift", "label_rate_gap"}
)
"""What rests on labels of two classes and is counted in slices. Errors of numeric labels are not."""

_LEVELS_OF_CLASSES = (
    *("multiclass_accuracy", "macro_auc", "macro_f1", "macro_precision", "macro_recall"),
    *("weighted_f1", "class_recall", "class_precision"),
)

OF_CLASSES = frozenset(
    {
        *_LEVELS_OF_CLASSES,
        *(f"{name}_drop" for name in _LEVELS_OF_CLASSES),
        *("multiclass_concept_drift", "label_shares_gap"),
    }
)
"""The same of several classes. Squares and logarithms of their probabilities are not counted."""

_REALISED = OF_LABELS | OF_CLASSES

ESTIMATED = {
    f"estimated_{name}": frozenset({f"estimated_{name}", name, f"{name}_drop"})
    for name in (
        *("auc", "accuracy", "f1", "precision", "recall"),
        *("multiclass_accuracy", "macro_auc", "macro_f1", "macro_precision", "macro_recall"),
    )
}
"""What is estimated without labels, and the limits of which one asks for it: where it is judged what
labels show, it stands beside."""

_COVERAGE = label_coverage.MEASURE.about.id
_BY_INTERVAL = {
    measure.about.id: measure.about
    for measure in CATALOGUE
    if measure.about.id in _REALISED | ESTIMATED.keys()
    and measure.about.family is Family.PERFORMANCE
}
_DECIDING = psi.MEASURE.about.id
_CARRIED = frozenset({_DECIDING, score_mean.MEASURE.about.id, decision_rate.MEASURE.about.id})


def measure_slices(
    policy: Policy, pair: ProfilePair, whole: Sequence[Reading]
) -> tuple[Reading, ...]:
    """Return the readings of every slice of every segment.

    Pure. Of each slice, what has a limit is measured: drift and quality of its fields, score and
    decisions, and performance by labels of classes, with what is estimated of it before they are
    there and with intervals that hold jointly over the slices. Disparity is measured of all rows
    only. The slices of registered values are there whether or not they have rows now; ``(missing)``
    and ``(other)`` when they do. Times, texts and embeddings, which are measured in parts, are
    measured of all rows only. Of the slices of a pair that the scan crosses, drift alone is measured.

    Where PSI of a field, the mean score or the share of positive decisions of the whole is above
    its warning limit, that of each slice says what it carries of it (`CARRIED`).

    Args:
        policy: Segments and limits.
        pair: Baseline and window.
        whole: The readings of all rows against the baseline.
    """
    policy = replace(policy, fields=tuple(item for item in policy.fields if item.part is None))
    measures = _measures(policy)
    drifts = tuple(item for item in measures if item.about.family is Family.DRIFT)
    pairs = {item.name for item in policy.segments if item.pair}
    drifted = _drifted(policy, whole)
    found: list[Reading] = []
    for subject, slice_ in _slices(policy, pair, whole[0].subject):
        asked = drifts if subject.segment in pairs else measures
        for reading in readings_by(subject, policy, slice_, asked):
            of_whole = drifted.get((reading.measure, reading.subject.field))
            carried = _carried(reading, of_whole, policy, pair, slice_) if of_whole else None
            found.append(reading if carried is None else _with(reading, carried))
    return _held_jointly(found)


def _measures(policy: Policy) -> tuple[Measure, ...]:
    asked = {measure.about.id for measure in CATALOGUE if measure.about.id in policy.limits}
    if asked & _REALISED:
        asked.add(_COVERAGE)  # says whether what rests on labels can be judged
    asked |= {name for name, limits in ESTIMATED.items() if not limits.isdisjoint(policy.limits)}
    return tuple(
        measure for measure in CATALOGUE if measure.about.id in asked and _is_of_slices(measure)
    )


def _is_of_slices(measure: Measure) -> bool:
    name = measure.about.id
    if isinstance(measure, FieldMeasure) or name in {*_REALISED, *ESTIMATED, _COVERAGE}:
        return True
    drift = isinstance(measure, ModelMeasure) and measure.about.family is Family.DRIFT
    return drift and not MEASURE_NAMES[name].together and not needs_labels(name)


def _held_jointly(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return readings whose intervals of performance hold jointly over the slices of a segment.

    Performance is judged by its interval, so that looking at many slices would find some beyond a
    limit by chance. The ends are moved out to Bonferroni's level as those of a normal law, and no
    farther than the measure reaches.
    """
    tests = Counter(map(_together, readings))
    return tuple(
        _widened(item, tests[_together(item)]) if item.measure in _BY_INTERVAL else item
        for item in readings
    )


def _together(reading: Reading) -> tuple[str, str, bool]:
    """Return what the slices have in common that are judged together."""
    return reading.measure, reading.subject.segment, isinstance(reading.result, Estimate)


def _widened(reading: Reading, tests: int) -> Reading:
    result, about = reading.result, _BY_INTERVAL[reading.measure]
    if not isinstance(result, Estimate) or result.low is None or result.high is None:
        return reading
    joint = 1 - (1 - result.level) / tests
    factor = float(normal_quantile(joint)) / float(normal_quantile(result.level))
    low = result.value - factor * (result.value - result.low)
    high = result.value + factor * (result.high - result.value)
    return replace(
        reading,
        result=replace(
            result,
            low=low if about.lower is None else max(low, about.lower),
            high=high if about.upper is None else min(high, about.upper),
            method=f"{result.method}, Bonferroni over {tests} slices",
        ),
    )


def _slices(
    policy: Policy, pair: ProfilePair, whole: Subject
) -> Iterator[tuple[Subject, ProfilePair]]:
    model = Subject(whole.model, whole.version)
    frozen = {grid.name: grid for grid in pair.grid.segments}
    for segment in policy.segments:
        grid = frozen[segment.name]
        now = pair.current.segments.get(segment.name, {})
        for code, name in enumerate(slice_names(grid)):
            if code >= len(grid.values) and code not in now:
                continue
            subject = replace(model, segment=segment.name, segment_value=name)
            yield subject, _slice(pair, segment.name, code)


def slice_pair(pair: ProfilePair, subject: Subject) -> ProfilePair:
    """Return the part of a pair that a subject is about: a slice of it, or the whole.

    Args:
        pair: Baseline and window.
        subject: Of a reading of the two.
    """
    for grid in pair.grid.segments:
        if grid.name == subject.segment:
            return _slice(pair, grid.name, slice_names(grid).index(subject.segment_value))
    return pair


def _slice(pair: ProfilePair, segment: str, code: int) -> ProfilePair:
    nobody = Profile.of_slice(pair.grid)
    then, now = (side.segments.get(segment, {}) for side in (pair.reference, pair.current))
    return replace(pair, reference=then.get(code, nobody), current=now.get(code, nobody))


def _drifted(policy: Policy, whole: Sequence[Reading]) -> Mapping[tuple[str, str], Estimate]:
    """Return what of the whole is above its warning limit, of what slices can carry."""
    found: dict[tuple[str, str], Estimate] = {}
    for reading in whole:
        measure, subject, result = reading.measure, reading.subject, reading.result
        if measure not in _CARRIED or measure not in policy.limits or subject.reference:
            continue
        limit = policy.limits[measure].of(subject.field).warning
        if isinstance(result, Estimate) and limit is not None and abs(result.value) > limit:
            found[measure, subject.field] = result
    return found


def _carried(
    reading: Reading, of_whole: Estimate, policy: Policy, pair: ProfilePair, slice_: ProfilePair
) -> float | None:
    """Return what a slice carries of a drift of the whole; None where it is not measured itself."""
    result = reading.result
    if not isinstance(result, Estimate):
        return None
    if reading.measure != _DECIDING:
        return _carried_of_mean(result, of_whole)
    name = reading.subject.field
    field = next(item for item in policy.fields if item.name == name)
    then, now = slice_.reference.fields[name], slice_.current.fields[name]
    without = as_it_was(pair.current.fields[name], now, then)
    left = psi.measure(
        FieldPair(field, pair.grid.fields[name], pair.reference.fields[name], without)
    )
    return (of_whole.value - left.value) / of_whole.value if isinstance(left, Estimate) else None


def _carried_of_mean(slice_: Estimate, whole: Estimate) -> float | None:
    """Return by what share of its change a mean would be nearer to what it was.

    Exact: a slice of ``m`` of ``M`` rows whose mean had stayed would move the mean of all by
    ``m / M`` of what its own moved.
    """
    ends = (slice_.then, slice_.now, whole.then, whole.now)
    if any(end is None for end in ends) or whole.now == whole.then:
        return None
    then, now, all_then, all_now = (end or 0.0 for end in ends)
    return slice_.n / whole.n * (now - then) / (all_now - all_then)


def _with(reading: Reading, carried: float) -> Reading:
    if not isinstance(reading.result, Estimate):
        return reading
    detail = {**reading.result.detail, CARRIED: carried}
    return replace(reading, result=replace(reading.result, detail=detail))


def as_it_was(whole: FieldCounts, now: FieldCounts, then: FieldCounts) -> FieldCounts:
    """Return the counts of all rows, had a slice been distributed as it was in the baseline.

    The slice keeps its number of rows, rounded by cell. If the baseline has no rows of it, it is
    left out.

    Args:
        whole: All rows of the window.
        now: Those of the slice.
        then: Those of the slice in the baseline.
    """
    scale = now.rows / then.rows if then.rows else 0.0

    def moved(name: str) -> int:
        return int(np.rint(getattr(whole, name) - getattr(now, name) + scale * getattr(then, name)))

    names: tuple[str, ...]
    match whole, now, then:
        case NumericCounts(), NumericCounts(), NumericCounts():
            cells = np.rint(whole.cells - now.cells + scale * then.cells).astype(np.int64)
            names = ("null", "nan", "invalid", "absent", "positive_infinite", "negative_infinite")
            changed: FieldCounts = replace(whole, cells=cells)
        case CategoricalCounts(), CategoricalCounts(), CategoricalCounts():
            values = np.rint(whole.values - now.values + scale * then.values).astype(np.int64)
            unseen = whole.unseen.rows - now.unseen.rows + scale * then.unseen.rows
            names = ("other", "null", "invalid", "absent")
            changed = replace(whole, values=values, unseen=ValueSample(int(np.rint(unseen))))
        case _:
            raise ValueError("counts of different kinds of field")
    for name in names:
        setattr(changed, name, moved(name))
    return changed

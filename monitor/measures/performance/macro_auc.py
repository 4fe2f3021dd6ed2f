"""Area under the ROC curve of each class against the rest, all classes weighing alike."""

from functools import partial

import numpy as np

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import Description, Family, ModelMeasure, ProfilePair
from monitor.measures.performance.class_expectation import class_scores
from monitor.measures.performance.classes import names
from monitor.measures.performance.level import (
    LEAST_LABELS,
    LEVEL,
    Level,
    Side,
    baseline_of,
    change_between,
    fall_of,
    now,
    window_of,
)
from monitor.profile.class_scores import NO_LABEL
from monitor.uncertainty.auc import AreaUnderCurve, auc
from monitor.uncertainty.proportion import wilson_of_variance

METHOD = "DeLong variance, classes erring alike"


def of_classes(side: Side) -> dict[str, AreaUnderCurve] | Unmeasurable:
    """Return the AUC of the probability of each class that has enough labels, by its name.

    Of the labelled rows with a declared predicted class and the probability of every class, by the
    cells of the probability.
    """
    scores = class_scores(side)
    if isinstance(scores, Unmeasurable):
        return scores
    cells = scores.rows.sum(axis=1)[:, :NO_LABEL]
    labels = int(cells[0].sum())
    if not labels:
        return side.lacking(0, "a label, a predicted class and the probability of every class")
    found = {
        name: auc(rows[0], rows[1], LEVEL)
        for name, rows in zip(names(side), cells, strict=True)
        if rows.sum(axis=1).min() >= LEAST_LABELS
    }
    if not found:
        told = (
            f"no class of {side.name} has {LEAST_LABELS} labels, and as many of the other classes "
            f"beside them: {labels} labels in all"
        )
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, labels)
    return found


def level(side: Side) -> Level | Unmeasurable:
    """Return the mean AUC of the classes of one side, each held against all others.

    ``(1/m) Σ AUCₖ`` over the m classes with at least `LEAST_LABELS` labels, and as many of others:
    the probability that a row of the class has a higher probability of it than a row of another
    class. As scikit-learn's ``roc_auc_score`` with ``multi_class="ovr"``, but for scores in one of
    the 256 cells of a probability, which are ties: the less they differ, the nearer to 0.5 (by 0.0015
    where their logits have a standard deviation of 0.4). In [0, 1]; 0.5 for probabilities that say
    nothing. ``detail`` has the AUC of each class, and counts in ``absent`` the classes without one.

    How the AUCs of classes vary together is not in counts of one class each: the standard error of
    the mean is the mean of theirs, which is the most that it can be, so the interval is rather too
    wide.

    Unmeasurable: no label has arrived, or none for a row with all probabilities; no class has
    `LEAST_LABELS` labels; probabilities outside 0 to 1, or not within 0.01 of 1 together.

    Source:
        F. Provost and P. Domingos (2003), Machine Learning 52, 199-215 (one against the rest);
        DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    found = of_classes(side)
    if isinstance(found, Unmeasurable):
        return found
    return _mean(side, found)


def loss(pair: ProfilePair) -> Result:
    """Return by how much the mean AUC is lower than the baseline's, over classes that both have.

    The classes are the same on both sides, so that a class whose labels do not come neither lowers
    the mean nor raises it; ``now_absent`` of ``detail`` counts those that are left out. In [−1, 1],
    0 when nothing changed. The interval combines those of both (MOVER).

    Unmeasurable: as the level of either side; no class has enough labels on both.
    """
    before, after = baseline_of(pair), window_of(pair)
    then, new = of_classes(before), of_classes(after)
    if isinstance(then, Unmeasurable) or isinstance(new, Unmeasurable):
        return fall_of(MEASURE, level, "").measure(pair)
    both = [name for name in then if name in new]
    if not both:
        told = f"no class has {LEAST_LABELS} labels in both the window and the baseline"
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, _rows(after), _rows(before))
    ours, theirs = ({name: of[name] for name in both} for of in (new, then))
    return change_between(_mean(before, theirs), _mean(after, ours), falling=True)


def _mean(side: Side, found: dict[str, AreaUnderCurve]) -> Level:
    value = float(np.mean([item.value for item in found.values()]))
    error = float(np.mean([item.standard_error for item in found.values()]))
    rows = _rows(side)
    low, high = wilson_of_variance(value, error**2, float(LEAST_LABELS), rows, LEVEL)
    absent = len(names(side)) - len(found)
    each = {f"AUC of {name}": item.value for name, item in found.items()}
    detail = {"standard_error": error, "classes": len(found), "absent": absent, **each}
    return Level(value, float(low), float(high), rows, METHOD, detail)


def _rows(side: Side) -> int:
    scores = class_scores(side)
    return 0 if isinstance(scores, Unmeasurable) else int(scores.rows[0, :, :NO_LABEL].sum())


MEASURE = ModelMeasure(
    Description(
        id="macro_auc",
        family=Family.PERFORMANCE,
        title="mean AUC of the classes",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Provost and Domingos (2003); DeLong, DeLong and Clarke-Pearson (1988)",
    ),
    partial(now, level),
    applies=has_probabilities_and_label,
)

DROP = fall_of(MEASURE, level, "loss of the mean AUC of the classes", of_pair=loss)

"""Several classes against scikit-learn, and the variances against simulation."""

from datetime import UTC, datetime
from functools import cache, partial

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics
from statsmodels.stats.proportion import confint_proportions_2indep

from monitor.domain.field import Classes, Field, FieldKind, Label
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import ProfilePair
from monitor.profile.classes import ClassColumns
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.uncertainty.multiclass import mean_f1, mean_precision, mean_recall

pytestmark = pytest.mark.oracle

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
MEASURES = {item.about.id: item.measure for item in CATALOGUE}
NAMES = ("card", "current", "loan", "mortgage", "savings")
CLASSES = Classes("said", NAMES, tuple(f"p_{name}" for name in NAMES))


def cases(rows, seed, sharpness):
    """Return predicted codes, true codes and probabilities of five classes, one of them rare."""
    rng = np.random.default_rng(seed)
    true = rng.choice(5, rows, p=[0.4, 0.3, 0.2, 0.08, 0.02])
    scores = rng.gumbel(size=(rows, 5)) + sharpness * np.eye(5)[true]
    scores -= scores.max(axis=1, keepdims=True)
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return chances.argmax(axis=1), true, chances


def profiled(grid, said, came, chances):
    builder = ProfileBuilder(grid)
    rows = len(said)
    builder.add_rows(rows, WINDOW.start, WINDOW.start)
    builder.add_outcomes(
        rows,
        {},
        None,
        pa.array(np.array(NAMES)[came]),
        classes=ClassColumns(
            pa.array(np.array(NAMES)[said]), [pa.array(column) for column in chances.T]
        ),
    )
    return builder.profile


@cache
def pair():
    draft = GridDraft((Field("x", "x", FieldKind.NUMERIC),), {}, None, Label("y"), classes=CLASSES)
    grid = draft.grid()
    sides = [profiled(grid, *cases(*args)) for args in ((20_000, 1, 2.5), (6_000, 2, 1.8))]
    return ProfilePair(grid, *sides, WINDOW, 1.0)


def measured(name):
    return MEASURES[name](pair())


SCORES = {
    "multiclass_accuracy": metrics.accuracy_score,
    "macro_f1": partial(metrics.f1_score, average="macro"),
    "weighted_f1": partial(metrics.f1_score, average="weighted"),
    "macro_precision": partial(metrics.precision_score, average="macro"),
    "macro_recall": metrics.balanced_accuracy_score,
}


@pytest.mark.parametrize("name", SCORES)
def test_levels_and_their_changes_equal_scikit_learn(name):
    then, now = (
        SCORES[name](true, said) for said, true, _ in (cases(20_000, 1, 2.5), cases(6_000, 2, 1.8))
    )
    assert measured(name).value == pytest.approx(now, abs=1e-14)
    assert measured(f"{name}_drop").value == pytest.approx(then - now, abs=1e-14)


@pytest.mark.parametrize(
    ("name", "column", "shares"), [("prediction_shares", 0, 6), ("label_shares", 1, 5)]
)
def test_the_largest_change_of_a_share_and_its_interval_equal_statsmodels(name, column, shares):
    """Predictions have one more: that of any other class, or none."""
    then, now = (
        np.bincount(cases(*args)[column], minlength=shares)
        for args in ((20_000, 1, 2.5), (6_000, 2, 1.8))
    )
    change = now / 6_000 - then / 20_000
    place = int(np.abs(change).argmax())
    found = measured(name)
    assert found.value == pytest.approx(abs(change[place]), abs=1e-14)
    assert found.note == NAMES[place]
    assert found.now - found.then == pytest.approx(change[place], abs=1e-14)
    low, high = np.transpose(
        [
            confint_proportions_2indep(
                *(here, 6_000, before, 20_000),
                method="newcomb",
                compare="diff",
                alpha=0.05 / shares,
            )
            for here, before in zip(now, then, strict=True)
        ]
    )
    assert found.low == pytest.approx(max(np.maximum(low, -high).max(), 0), abs=1e-12)
    assert found.high == pytest.approx(np.maximum(-low, high).max(), abs=1e-12)


def test_log_loss_equals_scikit_learn():
    _, true, chances = cases(6_000, 2, 1.8)
    expected = metrics.log_loss(true, chances, labels=range(5))
    assert measured("multiclass_log_loss").value == pytest.approx(expected, rel=1e-12)


def test_the_brier_score_equals_its_definition():
    for name, args in (("then", (20_000, 1, 2.5)), ("now", (6_000, 2, 1.8))):
        _, true, chances = cases(*args)
        expected = np.mean(((chances - np.eye(5)[true]) ** 2).sum(axis=1))
        assert getattr(measured("multiclass_brier_rise"), name) == pytest.approx(
            expected, rel=1e-12
        )
    assert measured("multiclass_brier").value == pytest.approx(expected, rel=1e-12)


def test_the_brier_score_of_two_classes_is_twice_that_of_one_of_them():
    classes = Classes("said", ("no", "yes"), ("p_no", "p_yes"))
    draft = GridDraft((Field("x", "x", FieldKind.NUMERIC),), {}, None, Label("y"), classes=classes)
    rng = np.random.default_rng(4)
    chance, builder = rng.random(500), ProfileBuilder(draft.grid())
    came = rng.random(500) < chance
    builder.add_rows(500, WINDOW.start, WINDOW.start)
    said = pa.array(np.where(chance > 0.5, "yes", "no"))
    labels = pa.array(np.where(came, "yes", "no"))
    columns = ClassColumns(said, [pa.array(1 - chance), pa.array(chance)])
    builder.add_outcomes(500, {}, None, labels, classes=columns)
    found = MEASURES["multiclass_brier"](
        ProfilePair(draft.grid(), builder.profile, builder.profile, WINDOW, 1.0)
    )
    assert found.value == pytest.approx(2 * metrics.brier_score_loss(came, chance), rel=1e-12)


def test_the_mean_auc_equals_scikit_learn_but_for_ties_of_a_cell():
    then, now = cases(20_000, 1, 2.5), cases(6_000, 2, 1.8)
    expected = [metrics.roc_auc_score(case[1], case[2], multi_class="ovr") for case in (then, now)]
    found = measured("macro_auc_drop")
    assert [found.then, found.now] == pytest.approx(expected, abs=1e-4)
    each = {
        f"AUC of {name}": metrics.roc_auc_score(now[1] == code, now[2][:, code])
        for code, name in enumerate(NAMES)
    }
    level = measured("macro_auc")
    assert {name: level.detail[name] for name in each} == pytest.approx(each, abs=5e-4)
    assert level.low < expected[1] < level.high


@pytest.mark.parametrize(
    ("name", "of"), [("recall", metrics.recall_score), ("precision", metrics.precision_score)]
)
def test_what_is_said_of_each_class_equals_scikit_learn(name, of):
    said, true, _ = cases(6_000, 2, 1.8)
    each = of(true, said, average=None)
    found = measured(f"class_{name}")
    assert {item: found.detail[f"{name} of {item}"] for item in NAMES} == pytest.approx(
        dict(zip(NAMES, each, strict=True)), abs=1e-15
    )
    assert found.value == pytest.approx(each[NAMES.index(found.note)], abs=1e-15)


def test_a_class_without_predictions_is_in_the_means_that_scikit_learn_has_it_in():
    table = np.array([[30, 10, 5], [5, 40, 5], [0, 0, 0]])
    said = np.repeat([0, 0, 0, 1, 1, 1], [30, 10, 5, 5, 40, 5])
    true = np.repeat([0, 1, 2, 0, 1, 2], [30, 10, 5, 5, 40, 5])
    assert mean_f1(table).value == pytest.approx(metrics.f1_score(true, said, average="macro"))
    assert mean_recall(table).value == pytest.approx(metrics.balanced_accuracy_score(true, said))
    # scikit-learn's own answer when it is told which classes have a precision at all.
    expected = metrics.precision_score(true, said, average="macro", labels=[0, 1])
    assert mean_precision(table).value == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "of", [mean_recall, mean_precision, mean_f1, partial(mean_f1, by_support=True)]
)
def test_variances_are_those_of_repeated_draws(of):
    shares = np.array([[0.30, 0.06, 0.02], [0.05, 0.25, 0.04], [0.03, 0.05, 0.20]])
    rng = np.random.default_rng(5)
    drawn = rng.multinomial(2000, shares.ravel(), 4000).reshape(-1, 3, 3)
    values = [of(table).value for table in drawn]
    assert of(2000 * shares).variance == pytest.approx(np.var(values), rel=0.08)
    assert of(2000 * shares).value == pytest.approx(np.mean(values), abs=2e-4)

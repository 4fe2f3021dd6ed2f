"""Several classes: what is said when something is missing, and which class is named."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.estimate import Absence, Estimate
from monitor.domain.field import Classes, Field, FieldKind, Label
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import ProfilePair, ProfileParts
from monitor.profile.draft import GridDraft
from monitor.profile.profile import Profile, merged
from monitor.uncertainty.interval import normal_quantile
from monitor.uncertainty.multiclass import mean_f1, mean_precision, mean_recall
from monitor.uncertainty.proportion import wilson

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
MEASURES = {item.about.id: item for item in CATALOGUE}
NAMES = ("a", "b", "c")
GRID = GridDraft(
    (Field("x", "x", FieldKind.NUMERIC),),
    {},
    None,
    Label("y"),
    classes=Classes("said", NAMES, ("pa", "pb", "pc")),
).grid()
GOOD = [[300, 10, 10], [10, 200, 10], [10, 10, 100]]


def profiled(table, unlabelled=(0, 0, 0), strangers=0):
    """Return a profile of rows by predicted × true class, and some that lack one of the two."""
    profile = Profile.empty(GRID)
    cells = np.zeros((4, 4), np.int64)
    cells[:3, :3] = table
    cells[:3, 3] = unlabelled
    cells[3, 0] = strangers
    profile.rows = int(cells.sum())
    codes = np.flatnonzero(cells)
    profile.classes.table.add(codes, cells.ravel()[codes])
    return profile


def measured(name, reference, current):
    return MEASURES[name].measure(ProfilePair(GRID, reference, current, WINDOW, 1.0))


OF_CLASSES = [
    name
    for name in MEASURES
    if name.startswith(("macro_", "weighted_", "class_", "multiclass_accuracy"))
]


def test_the_measures_of_classes_are_those_of_the_catalogue():
    assert len(OF_CLASSES) == 14


@pytest.mark.parametrize("name", OF_CLASSES)
def test_without_labels_nothing_is_said_of_the_window(name):
    found = measured(name, profiled(GOOD), profiled(np.zeros((3, 3)), unlabelled=(5, 5, 5)))
    assert found.reason is Absence.NO_LABELS
    assert found.n == 0


@pytest.mark.parametrize("name", [name for name in OF_CLASSES if name.endswith("_drop")])
def test_without_labels_of_the_baseline_no_change_is(name):
    found = measured(name, profiled(np.zeros((3, 3)), unlabelled=(5, 5, 5)), profiled(GOOD))
    assert found.reason is Absence.NO_BASELINE


@pytest.mark.parametrize("name", [*OF_CLASSES, "prediction_shares", "label_shares"])
def test_a_window_stored_before_classes_were_counted_is_no_good_news(name):
    old = profiled(GOOD)
    old.classes = None
    assert not isinstance(measured(name, profiled(GOOD), old), Estimate)


def test_the_class_that_is_named_is_the_one_whose_loss_is_sure():
    """Class c has lost most, of three labels; b has lost a third of two hundred."""
    now = [[300, 70, 1], [10, 140, 1], [10, 10, 1]]
    found = measured("class_recall_drop", profiled(GOOD), profiled(now))
    assert found.note == "b"
    assert found.value == pytest.approx(200 / 220 - 140 / 220)
    assert found.low > 0
    assert found.detail["loss of c"] > found.detail["loss of b"]
    level = measured("class_recall", profiled(GOOD), profiled(now))
    assert (level.note, level.n) == ("b", 220)
    low, high = wilson(140, 220, 1 - 0.05 / 3)
    assert (level.low, level.high) == pytest.approx((low, high))


def test_a_class_that_is_gone_is_counted_as_absent_and_not_as_well():
    now = [[300, 10, 0], [10, 200, 0], [10, 10, 0]]
    for name in ("macro_recall", "class_recall", "class_recall_drop"):
        assert measured(name, profiled(GOOD), profiled(now)).detail["absent"] == 1
    assert measured("macro_f1", profiled(GOOD), profiled(now)).detail["absent"] == 0
    shares = measured("label_shares", profiled(GOOD), profiled(now))
    assert shares.note == "c"
    assert shares.now == 0


def test_a_class_that_nobody_declared_is_a_share_of_the_predictions():
    found = measured("prediction_shares", profiled(GOOD), profiled(GOOD, strangers=340))
    assert found.note == "(any other or none)"
    assert found.value == pytest.approx(340 / 1000)
    assert found.low > 0.3


@given(st.lists(st.integers(0, 40), min_size=9, max_size=9).filter(any))
def test_means_lie_between_their_classes_and_a_perfect_table_has_1(cells):
    table = np.array(cells).reshape(3, 3)
    for of in (mean_recall, mean_precision, mean_f1):
        found = of(table)
        assert 0 <= found.value <= 1 + 1e-12
        assert found.variance >= 0
        perfect = of(np.diag(table.sum(axis=0)))
        assert (perfect.value, perfect.variance) == pytest.approx((1.0, 0.0))
    order = [2, 0, 1]
    assert mean_f1(table[np.ix_(order, order)]).value == pytest.approx(mean_f1(table).value)


@pytest.mark.parametrize("name", ["macro_f1", "weighted_f1", "macro_recall", "macro_precision"])
def test_intervals_cover_the_truth_as_often_as_they_say(name):
    shares = np.array([[0.28, 0.05, 0.03], [0.04, 0.30, 0.03], [0.02, 0.05, 0.20]])
    rng = np.random.default_rng(11)
    truth = measured(name, profiled(GOOD), profiled(np.rint(1e6 * shares))).value
    drawn = rng.multinomial(250, shares.ravel(), 600).reshape(-1, 3, 3)
    found = [measured(name, profiled(GOOD), profiled(table)) for table in drawn]
    covered = np.mean([item.low <= truth <= item.high for item in found])
    assert covered > 0.95 - float(normal_quantile(0.99)) * np.sqrt(0.95 * 0.05 / 600)


@pytest.mark.parametrize("name", ["prediction_shares", "label_shares"])
def test_shares_have_a_test_and_a_floor(name):
    measure = MEASURES[name]
    rng = np.random.default_rng(3)
    days = []
    for _ in range(20):
        shares = rng.dirichlet([40, 30, 30])
        days.append(profiled(np.diag(rng.multinomial(5000, shares))))
    squares = measure.spread(ProfileParts(GRID, merged(days), tuple(days)))
    assert squares.observed.shape[0] == 20
    assert squares.observed.mean() > 5 * squares.expected.mean()
    found = measured(name, profiled(GOOD), profiled([[200, 10, 10], [10, 300, 10], [10, 10, 100]]))
    assert measure.tail(found, 0.0) < 1e-6
    assert measure.tail(found, 0.5) == 1.0


ESTIMATED = [name for name in MEASURES if name.startswith("estimated_m")]


def with_scores(profile, labelled=40, rows=60, outside=0):
    """Return a profile with rows predicted to be of each class at a probability of 0.8."""
    for code in range(3):
        chances = np.full((rows, 3), 0.1)
        chances[:, code] = 0.8
        true = np.full(rows, 3)
        true[:labelled] = code
        profile.classes.scores.add(chances, np.full(rows, code), true)
    profile.classes.scores.outside = outside
    return profile


def test_there_are_four_estimates_of_several_classes():
    assert len(ESTIMATED) == 4
    for name in ESTIMATED:
        found = measured(name, with_scores(profiled(GOOD)), with_scores(profiled(GOOD), 0))
        assert found.value == pytest.approx(1.0)
        assert found.low < 1
        assert found.n == 180


@pytest.mark.parametrize("name", ESTIMATED)
def test_an_estimate_that_cannot_be_made_says_why(name):
    good = with_scores(profiled(GOOD))
    old = with_scores(profiled(GOOD))
    old.classes.scores = None
    silent = profiled(GOOD)
    reasons = {
        "stored before": (measured(name, old, good), Absence.NO_BASELINE),
        "not add up": (
            measured(name, good, with_scores(profiled(GOOD), outside=3)),
            Absence.UNDEFINED,
        ),
        "the window has both": (measured(name, good, silent), Absence.NO_DATA),
        "the baseline has both": (measured(name, silent, good), Absence.NO_BASELINE),
        "fewer than 10 labelled rows predicted to be a": (
            measured(name, with_scores(profiled(GOOD), labelled=9), good),
            Absence.NO_BASELINE,
        ),
    }
    for told, (found, reason) in reasons.items():
        assert found.reason is reason, told
        assert told in found.explanation

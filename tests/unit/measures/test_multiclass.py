"""Several classes: what is said when something is missing, and which class is named."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.estimate import Absence, Estimate
from monitor.domain.field import Classes, Field, FieldKind, Label
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import ProfilePair, ProfileParts
from monitor.profile.classes import ClassColumns
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
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
    and not name.startswith("macro_auc")
    and not name.endswith("delay_adjusted")
]
OF_PROBABILITIES = [
    "macro_auc",
    "macro_auc_drop",
    "multiclass_brier",
    "multiclass_brier_rise",
    "multiclass_concept_drift",
    "label_shares_gap",
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


@pytest.mark.slow
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


def test_there_are_five_estimates_of_several_classes():
    assert len(ESTIMATED) == 5
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


def scored(rows, seed=0, classes=3, sharpness=2.0):
    """Return probabilities that tell something, and the classes that came."""
    rng = np.random.default_rng(seed)
    true = rng.choice(classes, rows)
    scores = rng.gumbel(size=(rows, 3)) + sharpness * np.eye(3)[true]
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True), true


def counted(chances, true):
    """Return the profile of these rows; a class of 3 is a label that has not come."""
    builder, rows = ProfileBuilder(GRID), len(true)
    builder.add_rows(rows, WINDOW.start, WINDOW.start)
    names = np.array(NAMES)
    labels = pa.array([None if code == 3 else NAMES[code] for code in true], pa.string())
    columns = ClassColumns(
        pa.array(names[chances.argmax(axis=1)]), [pa.array(column) for column in chances.T]
    )
    builder.add_outcomes(rows, {}, None, labels, classes=columns)
    return builder.profile


@pytest.mark.parametrize("name", OF_PROBABILITIES)
def test_of_probabilities_nothing_is_said_without_labels(name):
    chances, true = scored(600)
    base = counted(chances, true)
    found = measured(name, base, counted(chances, np.full(600, 3)))
    assert found.reason is Absence.NO_LABELS
    silent = measured(name, counted(chances, np.full(600, 3)), base)
    assert isinstance(silent, Estimate) == (MEASURES[name].about.unchanged is None)


@pytest.mark.parametrize("name", OF_PROBABILITIES)
def test_of_probabilities_that_were_not_counted_or_are_none_it_is_said(name):
    base = counted(*scored(600))
    old = counted(*scored(600, 1))
    old.classes.scores = old.classes.squares = None
    found = measured(name, base, old)
    assert (found.reason, "stored" in found.explanation) == (Absence.NO_BASELINE, True)
    wrong = measured(name, base, counted(scored(600)[0] * 0.5, scored(600)[1]))
    assert (wrong.reason, "do not add up to 1" in wrong.explanation) == (Absence.UNDEFINED, True)


def test_squares_are_not_0_where_they_were_not_counted():
    """A profile stored before has no squares; one with perfect probabilities has squares of 0."""
    sure = np.eye(3)[np.arange(60) % 3]
    found = measured("multiclass_brier", counted(*scored(600)), counted(sure, np.arange(60) % 3))
    assert (found.value, found.n) == (0.0, 60)
    half = merged([counted(*scored(600)), counted(*scored(600, 1))])
    assert half.classes.squares.rows == 1200
    old = counted(*scored(600, 1))
    old.classes.squares = None
    assert merged([counted(*scored(600)), old]).classes.squares is None


def test_a_class_that_no_longer_comes_is_left_out_of_the_loss_on_both_sides():
    """The order of the others is as it was: without the hardest class the mean would rise."""
    chances, true = scored(6000)
    chances[true == 2] = chances[true == 2][:, [2, 0, 1]]  # class c is hardly ever told
    now = true != 2
    found = measured("macro_auc_drop", counted(chances, true), counted(chances[now], true[now]))
    level = measured("macro_auc", counted(chances, true), counted(chances, true))
    assert level.detail["AUC of c"] < 0.6
    assert (found.detail["now_absent"], found.detail["then_absent"]) == (1, 1)
    assert "now_AUC of c" not in found.detail
    both = [found.detail[f"then_AUC of {name}"] for name in ("a", "b")]
    assert found.then == pytest.approx(np.mean(both))


def test_an_auc_of_fewer_than_ten_labels_of_every_class_is_none():
    chances, true = scored(24)
    found = measured("macro_auc", counted(chances, true), counted(chances, true))
    assert found.reason is Absence.INSUFFICIENT_DATA
    assert "10 labels" in found.explanation


@pytest.mark.slow
@pytest.mark.parametrize("name", ["macro_auc", "multiclass_brier"])
def test_intervals_of_probabilities_cover_the_truth_as_often_as_they_say(name):
    truth = measured(name, counted(*scored(600)), counted(*scored(200_000, 99))).value
    inside = []
    for seed in range(200):
        found = measured(name, counted(*scored(600)), counted(*scored(400, seed)))
        inside.append(found.low <= truth <= found.high)
    assert np.mean(inside) >= 0.95 - 2.33 * np.sqrt(0.95 * 0.05 / len(inside))


@given(st.integers(0, 2**32 - 1), st.integers(40, 200))
@settings(max_examples=25, deadline=None)
def test_numbers_of_probabilities_do_not_depend_on_the_order_of_classes_or_batches(seed, rows):
    chances, true = scored(rows, seed)
    whole = counted(chances, true)
    parts = merged([counted(chances[::2], true[::2]), counted(chances[1::2], true[1::2])])
    turned = counted(chances[:, [2, 0, 1]], (true + 1) % 3)
    for name in ("macro_auc", "multiclass_brier"):
        found = [measured(name, whole, profile) for profile in (whole, parts, turned)]
        if not isinstance(found[0], Estimate):
            assert {item.reason for item in found} == {found[0].reason}
            continue
        assert [item.value for item in found] == pytest.approx([found[0].value] * 3, rel=1e-12)


ADJUSTED = "multiclass_accuracy_delay_adjusted"


def coming(chances, true, there):
    """Return the profile of rows of which the labels of some have come."""
    return counted(chances, np.where(there, true, 3))


def test_without_labels_it_is_the_estimate_and_with_all_of_them_what_they_say():
    base, (chances, true) = counted(*scored(6000)), scored(2000, 1)
    none, every = (coming(chances, true, np.full(2000, there)) for there in (False, True))
    estimate = measured("estimated_multiclass_accuracy", base, none)
    found = measured(ADJUSTED, base, none)
    assert (found.value, found.low, found.high) == pytest.approx(
        (estimate.value, estimate.low, estimate.high), rel=1e-12
    )
    assert "realised" not in found.detail
    whole = measured(ADJUSTED, base, every)
    assert whole.value == measured("multiclass_accuracy", base, every).value
    assert (whole.detail["labelled"], whole.detail["waiting"]) == (2000, 0)


def test_it_beats_the_labels_alone_where_sure_cases_get_theirs_first():
    base = counted(*scored(6000))
    errors = []
    for seed in range(20):
        chances, true = scored(2000, 50 + seed)
        final = np.mean(chances.argmax(axis=1) == true)
        found = measured(ADJUSTED, base, coming(chances, true, chances.max(axis=1) > 0.75))
        errors.append([abs(found.value - final), abs(found.detail["realised"] - final)])
        assert found.detail["waiting"] > 300
    adjusted, alone = np.mean(errors, axis=0)
    assert adjusted < alone / 3


def test_it_beats_the_estimate_where_the_concept_has_changed():
    base = counted(*scored(6000))
    rng = np.random.default_rng(3)
    chances, true = scored(4000, 2)
    true = np.where((true == 1) & (rng.random(4000) < 0.4), 2, true)
    window = coming(chances, true, rng.random(4000) < 0.5)
    final = np.mean(chances.argmax(axis=1) == true)
    found = measured(ADJUSTED, base, window)
    estimate = measured("estimated_multiclass_accuracy", base, window)
    assert abs(found.value - final) < 0.6 * abs(estimate.value - final)

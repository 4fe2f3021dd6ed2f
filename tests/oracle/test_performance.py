"""Performance with labels against scikit-learn, and without them against NannyML."""

import csv
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from sklearn import metrics

from monitor.domain.field import Decision, Field, FieldKind, FieldRole, Label
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import ProfilePair
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.uncertainty.expected import calibrate, expected_auc, expected_table
from monitor.uncertainty.mean import Moments, student

pytestmark = pytest.mark.oracle

DATA = Path(__file__).parent / "data"
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
MEASURES = {item.about.id: item.measure for item in CATALOGUE}
SCORE = Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE)


def held_against(reference, current, label):
    """Return a pair of (scores, decisions, labels)."""
    draft = GridDraft((SCORE,), {}, Decision("d", ("1",)), label)
    draft.add_field("score", pa.array(reference[0]))
    grid = draft.grid()
    profiles = []
    for scores, decisions, labels in (reference, current):
        builder = ProfileBuilder(grid)
        builder.add_rows(len(scores), WINDOW.start, WINDOW.start)
        builder.add_field("score", pa.array(scores), len(scores))
        builder.add_outcomes(
            len(scores), {}, pa.array(decisions), pa.array(labels), pa.array(scores)
        )
        profiles.append(builder.profile)
    return ProfilePair(grid, *profiles, WINDOW, 1.0)


def classified(rows, seed, slope=3.0):
    rng = np.random.default_rng(seed)
    scores = rng.beta(1.5, 3, rows)
    labels = (rng.random(rows) < scores**slope / (scores**slope + (1 - scores) ** slope)).astype(
        int
    )
    return scores, (scores > 0.4).astype(int), labels


@cache
def two_classes():
    return held_against(classified(30_000, 1), classified(8_000, 2), Label("y", ("1",)))


def level(name):
    return MEASURES[name](two_classes()).value


def test_proportions_of_decisions_equal_scikit_learn():
    _, decisions, labels = classified(8_000, 2)
    for name, of in (
        ("accuracy", metrics.accuracy_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
    ):
        assert level(name) == pytest.approx(of(labels, decisions), abs=1e-15), name


def test_losses_of_chances_equal_scikit_learn():
    scores, _, labels = classified(8_000, 2)
    assert level("brier") == pytest.approx(metrics.brier_score_loss(labels, scores), rel=1e-12)
    assert level("log_loss") == pytest.approx(metrics.log_loss(labels, scores), rel=1e-12)


def test_a_chance_of_nought_costs_what_it_costs_in_scikit_learn():
    scores, decisions, labels = classified(500, 3)
    scores[:4], labels[:4] = (0.0, 1.0, 0.0, 1.0), (1, 0, 0, 1)
    found = MEASURES["log_loss"](
        held_against((scores, decisions, labels), (scores, decisions, labels), Label("y", ("1",)))
    )
    assert found.value == pytest.approx(metrics.log_loss(labels, scores), rel=1e-12)


def test_areas_equal_scikit_learn_up_to_what_shares_a_cell():
    scores, _, labels = classified(8_000, 2)
    assert level("auc") == pytest.approx(metrics.roc_auc_score(labels, scores), abs=2e-4)
    exact = metrics.average_precision_score(labels, scores)
    found = MEASURES["average_precision"](two_classes())
    assert found.detail["least"] <= exact <= found.detail["most"]
    assert found.value == pytest.approx(exact, abs=1e-3)


def test_the_calibration_error_equals_that_of_the_raw_scores():
    reference, (scores, _, labels) = classified(30_000, 1), classified(8_000, 2)
    cuts = np.quantile(reference[0], np.arange(1, 10) / 10, method="inverted_cdf")
    groups = np.searchsorted(cuts, scores, side="left")  # a group is (low, high]
    expected = sum(
        abs(labels[groups == group].sum() - scores[groups == group].sum()) for group in range(10)
    ) / len(scores)
    assert level("calibration_error") == pytest.approx(expected, rel=1e-12)


def numbered(rows, seed, error=1.0, offset=0.0):
    rng = np.random.default_rng(seed)
    labels = rng.lognormal(3, 0.5, rows)
    return labels + rng.normal(offset, error, rows), np.zeros(rows, int), labels


def test_errors_of_numbers_equal_scikit_learn_and_scipy():
    reference, current = numbered(9_000, 4), numbered(5_000, 5, error=1.4, offset=0.3)
    pair = held_against(reference, current, Label("y"))
    errors = current[0] - current[2]
    for name, expected, values in (
        ("mae", metrics.mean_absolute_error(current[2], current[0]), np.abs(errors)),
        ("mean_error", errors.mean(), errors),
        ("rmse", metrics.root_mean_squared_error(current[2], current[0]), errors**2),
    ):
        found = MEASURES[name](pair)
        assert found.value == pytest.approx(expected, rel=1e-12), name
        low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        if name == "rmse":
            low, high = np.sqrt([low, high])
        assert (found.low, found.high) == (
            pytest.approx(low, rel=1e-9),
            pytest.approx(high, rel=1e-9),
        ), name
    assert MEASURES["mae_rise"](pair).low > 0
    assert MEASURES["mean_error_change"](pair).low > 0.2


def test_students_interval_equals_scipy():
    values = np.random.default_rng(6).normal(2, 3, 12)
    found = student(Moments(values.mean(), values.var(ddof=1), 12), 0.9)
    assert found == pytest.approx(stats.t.interval(0.9, 11, values.mean(), stats.sem(values)))


@cache
def car_loans():
    """Return rows by chunk (−1 is the reference), score, decision and label."""
    table = {}
    with (DATA / "car_loan_counts.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            chunk = table.setdefault(int(row["chunk"]), np.zeros((101, 2, 2)))
            place = round(100 * float(row["score"])), int(row["decision"]), int(row["label"])
            chunk[place] += int(row["rows"])
    return table


@cache
def employment():
    """Return rows by chunk (0 is the reference), score in thousandths, decision and label."""
    with np.load(DATA / "employment_ma_counts.npz") as stored:
        return stored["rows"].astype(float)


def estimates(scores, learned, rows):
    """Return what NannyML calls CBPE, from counts by score."""
    known = learned.sum(axis=(1, 2)) > 0
    calibration = calibrate(scores[known], *learned.sum(axis=1)[known].T)
    table = expected_table(calibration, scores, *rows.sum(axis=2).T)
    n = table.positive + table.negative
    return {
        "roc_auc": expected_auc(calibration, scores, rows.sum(axis=(1, 2))).value,
        "accuracy": (table.hits + table.negative - table.misses) / n,
        "f1": 2 * table.hits / (table.positive + table.hits + table.misses),
        "precision": table.hits / table.positive,
        "recall": table.hits / (table.hits + table.misses),
    }


@pytest.mark.parametrize("chunk", range(10))
def test_estimates_of_car_loans_equal_nannyml(chunk):
    stated = json.loads((DATA / "car_loan_nannyml.json").read_text())["estimated"]
    found = estimates(np.arange(101) / 100, car_loans()[-1], car_loans()[chunk])
    assert set(found) == set(stated)
    for name, value in found.items():  # stated with six digits
        assert value == pytest.approx(stated[name][chunk], abs=1e-6), name


def realised(rows):
    rows = rows.sum(axis=1) if rows.ndim == 4 else rows
    (_, misses), (false, hits) = rows.sum(axis=0)[0], rows.sum(axis=0)[1]
    n = rows.sum()
    scores = np.repeat(np.arange(len(rows)), 2)
    labels = np.tile([0, 1], len(rows))
    weights = rows.sum(axis=1).ravel()
    return {
        "roc_auc": metrics.roc_auc_score(labels, scores, sample_weight=weights),
        "accuracy": 1 - (misses + false) / n,
        "f1": 2 * hits / (2 * hits + misses + false),
    }


def test_the_counts_of_car_loans_show_what_nannyml_calls_realised():
    stated = json.loads((DATA / "car_loan_nannyml.json").read_text())["realised"]
    for chunk in range(10):
        for name, value in realised(car_loans()[chunk]).items():
            assert value == pytest.approx(stated[name][chunk], abs=1e-6), name


def test_estimates_of_employment_err_no_more_than_nannyml_does():
    table = employment()
    errors = []
    for rows in table[1:]:
        found, true = estimates(np.arange(1001) / 1000, table[0], rows), realised(rows)
        errors.append([abs(found[name] - value) for name, value in true.items()])
    auc, accuracy, f1 = np.mean(errors, axis=0)
    assert len(errors) == 42
    assert auc <= 0.0041
    assert accuracy <= 0.0052
    assert f1 <= 0.0066


def rows_of(counts, scale):
    """Return scores, decisions and labels of a table of counts."""
    places = np.nonzero(counts)
    scores, decisions, labels = (np.repeat(place, counts[places].astype(int)) for place in places)
    return scores / scale, decisions, labels


def test_the_stored_grid_estimates_what_the_raw_scores_do():
    table = employment()
    reference = rows_of(table[0], 1000)
    for rows in table[[1, 20, 42]]:
        pair = held_against(reference, rows_of(rows, 1000), Label("y", ("1",)))
        raw = estimates(np.arange(1001) / 1000, table[0], rows)
        for name in ("accuracy", "f1", "precision", "recall"):
            found = MEASURES[f"estimated_{name}"](pair)
            assert found.value == pytest.approx(raw[name], abs=3e-4), name
            assert found.low < found.value < found.high
        found = MEASURES["estimated_auc"](pair)
        assert found.value == pytest.approx(raw["roc_auc"], abs=3e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("freedom", "rows", "least"),
    [(None, 100, 0.9), (None, 400, 0.9), (5, 100, 0.8), (5, 400, 0.87)],
)
def test_intervals_of_changes_of_errors_hold_none_where_nothing_changed(freedom, rows, least):
    """Of 95 %; squares of heavy-tailed errors (Student's t) are known less well from few rows."""

    def predicted(size, seed):
        rng = np.random.default_rng(seed)
        labels = rng.lognormal(3, 0.5, size)
        errors = rng.normal(size=size) if freedom is None else rng.standard_t(freedom, size)
        return labels + errors, np.zeros(size, int), labels

    inside = dict.fromkeys(("mae_rise", "rmse_rise", "mean_error_change"), 0)
    for seed in range(150):
        sides = predicted(2000, 10**6 + seed), predicted(rows, seed)
        for name in inside:
            found = MEASURES[name](held_against(*sides, Label("y")))
            inside[name] += found.low <= 0 <= found.high
    assert all(least <= number / 150 < 1 for number in inside.values()), inside

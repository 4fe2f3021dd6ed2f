"""Several classes without labels: beside NannyML, beside what the labels show, and by simulation."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics

from monitor.domain.field import Classes, Field, FieldKind, Label
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import ProfilePair
from monitor.profile.classes import ClassColumns
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

pytestmark = pytest.mark.oracle

DATA = Path(__file__).parent / "data"
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
MEASURES = {item.about.id: item.measure for item in CATALOGUE}
NAMES = np.array(["prepaid", "highstreet", "upmarket"])
GRID = GridDraft(
    (Field("x", "x", FieldKind.NUMERIC),),
    {},
    None,
    Label("y"),
    classes=Classes("said", tuple(NAMES), ("p0", "p1", "p2")),
).grid()
OF = (
    {"multiclass_accuracy": "accuracy"}
    | {f"macro_{name}": name for name in ("f1", "precision", "recall")}
    | {"macro_auc": "roc_auc"}
)


def profiled(chances, said, came=None):
    builder, rows = ProfileBuilder(GRID), len(said)
    builder.add_rows(rows, WINDOW.start, WINDOW.start)
    builder.add_outcomes(
        rows,
        {},
        None,
        None if came is None else pa.array(NAMES[came]),
        classes=ClassColumns(pa.array(NAMES[said]), [pa.array(column) for column in chances.T]),
    )
    return builder.profile


def estimated(name, reference, current):
    return MEASURES[f"estimated_{name}"](ProfilePair(GRID, reference, current, WINDOW, 1.0))


@cache
def products(chunk):
    """Return probabilities, predicted and true classes of a chunk; −1 is the reference."""
    with np.load(DATA / "products_counts.npz") as stored:
        table = stored["rows"].astype(np.int64)
    *columns, rows = table[table[:, 0] == chunk].T
    _, first, second, said, came = (np.repeat(column, rows) for column in columns)
    chances = np.column_stack([first, second, 100 - first - second]) / 100
    return chances, said, came


@cache
def reference():
    return profiled(*products(-1))


@pytest.mark.parametrize("chunk", range(10))
def test_estimates_lie_beside_those_of_nannyml(chunk):
    """Not on them: it makes each row's calibrated probabilities add up to 1, and keeps the rows."""
    stated = json.loads((DATA / "products_nannyml.json").read_text())
    chances, said, _ = products(chunk)
    for name, theirs in OF.items():
        found = estimated(name, reference(), profiled(chances, said))
        assert found.value == pytest.approx(stated[theirs][chunk], abs=0.002), name
        assert found.low < stated[theirs][chunk] < found.high


def test_estimates_are_no_farther_from_the_labels_than_those_of_nannyml():
    stated = json.loads((DATA / "products_nannyml.json").read_text())["accuracy"]
    errors = []
    for chunk, theirs in enumerate(stated):
        chances, said, came = products(chunk)
        true = metrics.accuracy_score(came, said)
        found = estimated("multiclass_accuracy", reference(), profiled(chances, said))
        errors.append([abs(found.value - true), abs(theirs - true)])
    ours, nannyml = np.mean(errors, axis=0)
    assert len(errors) == 10
    assert ours <= nannyml


@pytest.mark.parametrize("name", [name for name in OF if name != "macro_auc"])
def test_of_the_baseline_itself_the_estimate_is_what_its_labels_say(name):
    chances, said, came = products(-1)
    found = estimated(name, reference(), profiled(chances, said))
    score = {
        "multiclass_accuracy": metrics.accuracy_score,
        "macro_f1": lambda y, p: metrics.f1_score(y, p, average="macro"),
        "macro_precision": lambda y, p: metrics.precision_score(y, p, average="macro"),
        "macro_recall": lambda y, p: metrics.recall_score(y, p, average="macro"),
    }[name]
    assert found.value == pytest.approx(score(came, said), abs=1e-12)
    assert found.then == pytest.approx(found.value, abs=1e-12)


def test_of_the_baseline_itself_the_order_is_flattered_by_little():
    """Chances are learned in the order of the probability, which labels of few rows do not keep."""
    chances, said, came = products(-1)
    found = estimated("macro_auc", reference(), profiled(chances, said))
    assert found.then == pytest.approx(
        metrics.roc_auc_score(came, chances, multi_class="ovr"), abs=1e-4
    )
    assert 0 <= found.value - found.then < 0.001


def drawn(rng, rows):
    """Return rows of a model whose probabilities are too sure."""
    true = rng.choice(3, rows, p=[0.6, 0.3, 0.1])
    sharpness = np.where(rng.random(rows) < 0.5, 0.7, 3.0)
    scores = rng.gumbel(size=(rows, 3)) + sharpness[:, None] * np.eye(3)[true]
    chances = np.exp(1.5 * (scores - scores.max(axis=1, keepdims=True)))
    chances /= chances.sum(axis=1, keepdims=True)
    return chances, chances.argmax(axis=1), true


@pytest.mark.slow
@pytest.mark.parametrize("name", OF)
def test_intervals_hold_what_the_labels_then_show(name):
    rng = np.random.default_rng(31)
    inside = []
    for _ in range(150):
        base, (chances, said, came) = profiled(*drawn(rng, 3000)), drawn(rng, 1000)
        found = estimated(name, base, profiled(chances, said))
        shown = MEASURES[name](ProfilePair(GRID, base, profiled(chances, said, came), WINDOW, 1.0))
        inside.append(found.low <= shown.value <= found.high)
    least = 0.95 - 2.33 * np.sqrt(0.95 * 0.05 / len(inside))
    assert np.mean(inside) >= least
    if name == "multiclass_accuracy":  # of a mean over classes the interval is too wide, as is said
        assert np.mean(inside) <= 0.995


def test_harder_cases_are_seen_without_their_labels():
    rng = np.random.default_rng(5)
    base = profiled(*drawn(rng, 20_000))
    rows = drawn(rng, 20_000)
    hard = (rows[0].max(axis=1) < 0.8) | (rng.random(20_000) < 0.1)
    chances, said, came = (column[hard] for column in rows)
    true = metrics.accuracy_score(came, said)
    found = estimated("multiclass_accuracy", base, profiled(chances, said))
    assert found.then - true > 0.05
    assert found.low <= true <= found.high


def measured(name, reference, current):
    return MEASURES[name](ProfilePair(GRID, reference, current, WINDOW, 1.0))


def test_what_labels_show_less_what_was_expected_is_0_on_the_baseline_itself():
    base = profiled(*products(-1))
    found = measured("multiclass_concept_drift", base, base)
    assert found.value == pytest.approx(0.0, abs=1e-12)
    assert found.now == found.then
    gaps = measured("label_shares_gap", base, base)
    assert list(gaps.detail.values()) == pytest.approx([3, 0, 0, 0], abs=1e-12)


@pytest.mark.parametrize("chunk", range(10))
def test_labels_show_what_the_estimate_could_not_see_in_the_last_five_chunks(chunk):
    """NannyML estimates 0.64 there, and so does modelmon; 0.56 to 0.57 of the classes are right."""
    chances, said, came = products(chunk)
    found = measured("multiclass_concept_drift", reference(), profiled(chances, said, came))
    assert found.now == metrics.accuracy_score(came, said)
    if chunk < 5:
        assert found.low < 0 < found.high
    else:
        assert found.high < -0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", ["multiclass_concept_drift", "label_shares_gap"])
def test_where_the_concept_stays_the_interval_holds_0_as_often_as_it_says(name):
    rng = np.random.default_rng(17)
    inside = []
    for _ in range(150):
        base = profiled(*drawn(rng, 3000))
        # Other cases than before: the sure ones come half as often, and so do some of the labels.
        chances, said, came = drawn(rng, 2000)
        kept = (chances.max(axis=1) < 0.9) | (rng.random(2000) < 0.5)
        found = measured(name, base, profiled(chances[kept], said[kept], came[kept]))
        inside.append(found.low <= 0 <= found.high)
    assert np.mean(inside) >= 0.95 - 2.33 * np.sqrt(0.95 * 0.05 / len(inside))


def test_labels_that_change_where_the_probabilities_do_not_are_found_and_named():
    rng = np.random.default_rng(6)
    base = profiled(*drawn(rng, 20_000))
    chances, said, came = drawn(rng, 6_000)
    came = np.where((came == 1) & (rng.random(len(came)) < 0.3), 2, came)
    changed = profiled(chances, said, came)
    drift = measured("multiclass_concept_drift", base, changed)
    assert drift.high < -0.03
    assert drift.now == metrics.accuracy_score(came, said)
    gap = measured("label_shares_gap", base, changed)
    assert gap.note in {"highstreet", "upmarket"}
    assert abs(gap.value) > 0.05
    assert gap.detail["gap of highstreet"] < 0 < gap.detail["gap of upmarket"]
    # What was estimated without labels knows nothing of it.
    blind = measured("estimated_multiclass_accuracy", base, changed)
    assert blind.value == pytest.approx(drift.then, abs=1e-12)


def test_it_does_not_matter_which_labels_come_first():
    rng = np.random.default_rng(8)
    base, (chances, said, came) = profiled(*drawn(rng, 20_000)), drawn(rng, 6_000)
    first = chances.max(axis=1) > 0.8
    builder = ProfileBuilder(GRID)
    builder.add_rows(len(said), WINDOW.start, WINDOW.start)
    labels = pa.array(np.where(first, NAMES[came], None))
    classes = ClassColumns(pa.array(NAMES[said]), [pa.array(column) for column in chances.T])
    builder.add_outcomes(len(said), {}, None, labels, classes=classes)
    found = measured("multiclass_concept_drift", base, builder.profile)
    assert found.n == first.sum()
    assert found.low < 0 < found.high
    assert (
        found.now > measured("multiclass_accuracy", base, profiled(chances, said, came)).value + 0.1
    )

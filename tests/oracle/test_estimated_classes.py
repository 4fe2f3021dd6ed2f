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
OF = {"multiclass_accuracy": "accuracy"} | {
    f"macro_{name}": name for name in ("f1", "precision", "recall")
}


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


@pytest.mark.parametrize("name", OF)
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


def drawn(rng, rows):
    """Return rows of a model whose probabilities are too sure."""
    true = rng.choice(3, rows, p=[0.6, 0.3, 0.1])
    sharpness = np.where(rng.random(rows) < 0.5, 0.7, 3.0)
    scores = rng.gumbel(size=(rows, 3)) + sharpness[:, None] * np.eye(3)[true]
    chances = np.exp(1.5 * (scores - scores.max(axis=1, keepdims=True)))
    chances /= chances.sum(axis=1, keepdims=True)
    return chances, chances.argmax(axis=1), true


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

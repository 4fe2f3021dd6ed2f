"""A model of several classes: from its log to its verdict."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from sklearn import metrics

import monitor
from monitor.app import read_policy
from monitor.domain.errors import BaselineError
from monitor.domain.finding import Reason, Verdict
from monitor.engine.recheck import Rechecker, revisions_within

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = 3000
NAMES = np.array(["card", "loan", "mortgage"])
POLICY = """
model: next product
source:
  path: log
  event_time: at
  id: id
  labels: {path: labels, id: id}
fields:
  income: numeric
classes:
  column: offered
  values: [card, loan, mortgage]
  probabilities: {card: p_card, loan: p_loan, mortgage: p_mortgage}
label: {column: bought, min_coverage: 0.8}
schedule: {window: day}
segments: [region]
limits:
  performance:
    macro_f1: {warning: 0.9}
    class_recall_drop: {warning: 0.05}
"""


@pytest.fixture
def products(tmp_path):
    """Two days of a model of products, of which on the second it hardly finds mortgages."""
    for name in ("log", "labels"):
        (tmp_path / name).mkdir()
    rng = np.random.default_rng(5)
    rows = 2 * ROWS
    true = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    scores = rng.gumbel(size=(rows, 3)) + 3 * np.eye(3)[true]
    scores[ROWS:, 2] -= 5
    chances = np.exp(scores)
    chances /= chances.sum(axis=1, keepdims=True)
    said = chances.argmax(axis=1)
    at = [FIRST + timedelta(seconds=28.8 * row) for row in range(rows)]
    log = {
        "id": np.arange(rows),
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "income": rng.normal(size=rows),
        "offered": NAMES[said],
        "region": rng.choice(["n", "s"], rows),
        "p_card": chances[:, 0],
        "p_loan": chances[:, 1].astype(np.float32),
        "p_mortgage": chances[:, 2],
    }
    pq.write_table(pa.table(log), tmp_path / "log" / "all.parquet")
    (tmp_path / "products.yaml").write_text(POLICY)

    def label(until, names=NAMES):
        table = pa.table({"id": np.arange(until), "bought": names[true[:until]]})
        pq.write_table(table, tmp_path / "labels" / "known.parquet")
        model = monitor.open_model(read_policy(tmp_path / "products.yaml"))
        model.register(start=FIRST, end=FIRST + timedelta(days=1), why="the first day")
        second = FIRST + timedelta(days=1)
        return model, model.compare(start=second, end=second + timedelta(days=1))

    return label, said[ROWS:], true[ROWS:], tmp_path


def by_measure(comparison):
    (result,) = comparison.examination.results
    whole = [item for item in result.readings if not (item.subject.field or item.subject.segment)]
    findings = [item for item in result.findings if not item.reading.subject.segment]
    readings = {item.measure: item.result for item in whole}
    return readings, {item.reading.measure: item for item in findings}


@pytest.mark.slow
def test_labels_by_other_names_give_the_same(products):
    label, _, _, folder = products
    named = by_measure(label(2 * ROWS)[1])[0]
    text = POLICY.replace(
        "min_coverage: 0.8", "min_coverage: 0.8, values: {7: card, 1: loan, 2: mortgage}"
    )
    (folder / "products.yaml").write_text(text)
    assert by_measure(label(2 * ROWS, np.array([7.0, 1.0, 2.0]))[1])[0] == named
    _, compared = label(2 * ROWS, np.array(["7", "1", "?"]))
    assert set(compared.examination.accounting.unmapped_labels) == {"?"}


@pytest.mark.slow
def test_classes_are_counted_and_judged(products):
    label, said, true, _ = products
    readings, findings = by_measure(label(2 * ROWS)[1])
    assert readings["multiclass_accuracy"].value == metrics.accuracy_score(true, said)
    assert readings["macro_f1"].value == pytest.approx(
        metrics.f1_score(true, said, average="macro"), rel=1e-12
    )
    assert readings["label_coverage"].value == 1.0
    assert readings["multiclass_log_loss_rise"].value > 0.1
    assert readings["multiclass_brier_rise"].value > 0.05
    assert readings["macro_auc"].value < readings["macro_auc_drop"].then
    drift = readings["multiclass_concept_drift"]
    assert (drift.now, drift.then) == (
        readings["multiclass_accuracy"].value,
        drift.now - drift.value,
    )
    assert findings["multiclass_concept_drift"].verdict is Verdict.CRITICAL
    assert "mae" not in readings
    assert "accuracy" not in readings
    for name in ("macro_f1", "class_recall_drop"):
        assert findings[name].verdict is Verdict.WARNING
    assert findings["multiclass_accuracy_drop"].verdict is Verdict.CRITICAL
    assert findings["prediction_shares"].verdict is Verdict.CRITICAL
    assert "mortgage" in findings["class_recall_drop"].explanation
    assert findings["label_shares"].verdict is Verdict.OK


@pytest.mark.slow
def test_shares_of_slices_are_judged_too(products):
    label, _, _, _ = products
    (result,) = label(2 * ROWS)[1].examination.results
    found = {
        item.reading.subject.segment_value: item.verdict
        for item in result.findings
        if item.reading.measure == "prediction_shares" and item.reading.subject.segment
    }
    assert found == {"n": Verdict.CRITICAL, "s": Verdict.CRITICAL}


def of_slice(comparison, value):
    (result,) = comparison.examination.results
    return {
        item.measure: item.result
        for item in result.readings
        if not item.subject.field and item.subject.segment_value == value
    }


@pytest.mark.slow
def test_a_slice_does_as_well_as_a_log_of_its_rows_alone(products):
    label, _, _, folder = products
    whole = of_slice(label(2 * ROWS)[1], "n")
    rows = pq.read_table(folder / "log" / "all.parquet")
    pq.write_table(rows.filter(pc.equal(rows["region"], "n")), folder / "log" / "all.parquet")
    alone, _ = by_measure(label(2 * ROWS)[1])
    names = ("multiclass_accuracy", "macro_auc", "macro_f1", "macro_precision", "macro_recall")
    asked = {
        *("macro_f1", "class_recall_drop", "multiclass_accuracy_drop", "multiclass_concept_drift"),
        *("estimated_macro_f1", "estimated_multiclass_accuracy"),
    }
    assert asked <= whole.keys()
    assert not whole.keys() & {f"estimated_{name}" for name in names} - asked  # no limit asks
    for name in asked:
        assert whole[name].value == pytest.approx(alone[name].value, rel=1e-9), name
        assert (whole[name].n, whole[name].n_reference) == (
            alone[name].n,
            alone[name].n_reference,
        )
    # Intervals hold jointly over the two slices.
    found, wide = whole["estimated_macro_f1"], alone["estimated_macro_f1"]
    assert found.method.endswith("Bonferroni over 2 slices")
    assert found.high - found.low > wide.high - wide.low


@pytest.mark.slow
def test_they_wait_until_enough_labels_have_come(products):
    label, _, _, _ = products
    readings, findings = by_measure(label(ROWS + ROWS // 2)[1])
    assert readings["label_coverage"].value == 0.5
    for name in (
        "multiclass_accuracy_drop",
        "macro_f1",
        "label_shares",
        "multiclass_concept_drift",
    ):
        assert findings[name].verdict is Verdict.UNKNOWN
        assert findings[name].reason is Reason.NO_LABELS
    assert findings["prediction_shares"].verdict is Verdict.CRITICAL


@pytest.mark.slow
def test_what_is_stored_of_classes_is_recomputed_alike(products):
    label, _, _, _ = products
    model, _ = label(2 * ROWS)
    second = FIRST + timedelta(days=1)
    (ran,) = model.run(start=second, end=second + timedelta(days=1))
    store, policy = model.outside.store, model.policy
    rechecker = Rechecker(store, policy.model, lambda _: policy)
    (stored,) = revisions_within(store, policy.model, None)
    found = rechecker.recheck(*stored)
    assert (found.why, found.differences) == ("", ())
    assert found.readings == len(ran.run.results[0].readings) + len(ran.run.readings)


@pytest.mark.slow
def test_other_classes_need_another_baseline(products):
    label, _, _, folder = products
    model, _ = label(2 * ROWS)
    text = POLICY.replace("[card, loan, mortgage]", "[mortgage, loan, card]")
    (folder / "products.yaml").write_text(text)
    again = replace(model, policy=read_policy(folder / "products.yaml"))
    with pytest.raises(BaselineError, match="the classes"):
        again.compare(start=FIRST + timedelta(days=1), end=FIRST + timedelta(days=2))

"""A label that is a number: from its table to its verdict."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import monitor
from monitor.app import read_policy
from monitor.domain.finding import Reason, Verdict

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = 2000
POLICY = """
model: demand
source:
  path: log
  event_time: at
  id: id
  labels: {path: labels, id: id}
fields:
  temperature: numeric
  expected: {kind: numeric, role: prediction}
label: {column: came, min_coverage: 0.8}
schedule: {window: day}
limits:
  performance:
    mae: {warning: 2.5, critical: 4}
    mean_error: {warning: 0.5}
"""


@pytest.fixture
def demand(tmp_path):
    """Two days of a model of demand, of which the second is 3 too high, with labels as texts."""
    for name in ("log", "labels"):
        (tmp_path / name).mkdir()
    rng = np.random.default_rng(3)
    at = [FIRST + timedelta(seconds=43.2 * row) for row in range(2 * ROWS)]
    came = rng.gamma(9, 5, 2 * ROWS)
    expected = came + rng.normal(0, 2, 2 * ROWS) + 3 * (np.arange(2 * ROWS) >= ROWS)
    log = {
        "id": np.arange(2 * ROWS),
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "temperature": rng.normal(size=2 * ROWS),
        "expected": expected,
    }
    pq.write_table(pa.table(log), tmp_path / "log" / "all.parquet")
    (tmp_path / "demand.yaml").write_text(POLICY)

    def label(until):
        table = pa.table({"id": np.arange(until), "came": came[:until]})
        pq.write_table(table, tmp_path / "labels" / "known.parquet")
        model = monitor.open_model(read_policy(tmp_path / "demand.yaml"))
        model.register(start=FIRST, end=FIRST + timedelta(days=1), why="the first day")
        second = FIRST + timedelta(days=1)
        return model, model.compare(start=second, end=second + timedelta(days=1))

    return label, expected[ROWS:] - came[ROWS:]


def by_measure(comparison):
    (result,) = comparison.examination.results
    readings = {item.measure: item.result for item in result.readings if not item.subject.field}
    return readings, {item.reading.measure: item for item in result.findings}


@pytest.mark.slow
def test_errors_are_judged_by_their_limits(demand):
    label, errors = demand
    readings, findings = by_measure(label(2 * ROWS)[1])
    assert readings["mae"].value == pytest.approx(np.abs(errors).mean(), rel=1e-12)
    assert readings["mean_error"].value == pytest.approx(errors.mean(), rel=1e-12)
    assert readings["rmse"].value == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-12)
    assert readings["label_coverage"].value == 1.0
    assert readings["mae_rise"].then == pytest.approx(1.6, abs=0.1)
    assert findings["mae"].verdict is Verdict.WARNING
    assert findings["mean_error"].verdict is Verdict.WARNING


@pytest.mark.slow
def test_they_wait_until_enough_labels_have_come(demand):
    label, _ = demand
    readings, findings = by_measure(label(ROWS + ROWS // 2)[1])
    assert readings["label_coverage"].value == 0.5
    for measure in ("mae", "mean_error"):
        assert findings[measure].verdict is Verdict.UNKNOWN
        assert findings[measure].reason is Reason.NO_LABELS
        assert "50.0% of 2,000 rows" in findings[measure].explanation

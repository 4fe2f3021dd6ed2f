"""What is estimated of slices, against NannyML run on the rows of each slice alone."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.domain.field import Label
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.segment import Segment
from tests.held import DAY, Deployment, day

pytestmark = pytest.mark.oracle

DATA = Path(__file__).parent / "data"
NAMES = {"roc_auc": "auc", "f1": "f1", "accuracy": "accuracy"} | {
    name: name for name in ("precision", "recall")
}
LIMITS = {f"{name}_drop": FieldLimit(Limit(0.05, None)) for name in NAMES.values()}


def log_of(place, counts):
    """Return the rows of a day from counts by salary range, score in hundredths, decision and label."""
    places = np.nonzero(counts)
    salary, score, decision, label = (np.repeat(axis, counts[places]) for axis in places)
    rows = len(salary)
    at = [day(place).start + row * DAY / rows for row in range(rows)]
    return pa.table(
        {
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "amount": np.zeros(rows),
            "score": score / 100,
            "flag": decision.astype(bool),
            "sex": ["f"] * rows,
            "region": [f"r{code}" for code in salary],
            "paid": label.astype(str),
        }
    )


@pytest.fixture(scope="module")
def loans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loans")
    with np.load(DATA / "car_loan_salaries_counts.npz") as stored:
        reference, *chunks = stored["rows"].swapaxes(0, 1)
    made = Deployment(
        folder,
        segments=(Segment("region", ("region",), 5),),
        limits=LIMITS,
        label=Label("paid", ("1",)),
        min_label_coverage=0.8,
    )
    days = [reference - reference // 2, reference // 2, *chunks]  # the baseline is two days
    for place, counts in enumerate(days):
        pq.write_table(log_of(place, counts), folder / f"{place}.parquet")
    made.register()
    made.check(len(days))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("chunk", [0, 1])
def test_estimates_of_slices_equal_those_of_nannyml_on_their_rows_alone(loans, chunk):
    stated = json.loads((DATA / "car_loan_salaries_nannyml.json").read_text(encoding="utf-8"))
    (result,) = loans.run(2 + chunk).results
    found = {
        (item.measure, item.subject.segment_value): item.result.value
        for item in result.readings
        if item.measure.startswith("estimated_") and item.subject.scanned
    }
    assert len(found) == len(NAMES) * len(stated["salary_ranges"])
    for theirs, ours in NAMES.items():
        for code, of_chunks in enumerate(stated["estimated"][theirs]):  # with six digits
            value = found[f"estimated_{ours}", f"r{code}"]
            assert value == pytest.approx(of_chunks[chunk], abs=1e-6), (theirs, code)

"""What is stored does not depend on the order in which windows were run, nor on when data came."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.field import Field, FieldKind, Label
from monitor.domain.policy import LabelTable, SourceSpec
from monitor.domain.segment import Segment
from tests.held import DAY, MONDAYS, WEEK, YESTERDAY, Deployment, day

pytestmark = pytest.mark.slow

WINDOWS = range(2, 10)
EVERYTHING = {
    "source": SourceSpec("log", "at", id="id", labels=LabelTable("labels", "id", "known")),
    "label": Label("late", ("1",), ("0",)),
    "segments": (Segment("region", ("region",)),),
    "min_label_coverage": 0.5,
}
REFERENCES = (YESTERDAY, WEEK, MONDAYS)
SIMPLE = {"fields": (Field("amount", "amount", FieldKind.NUMERIC),), "populations": ()}


def stored(deployment):
    """Return all that is stored of each window's newest run, but the times of the clock."""
    found = {}
    for place in WINDOWS:
        run = deployment.run(place)
        found[place] = (
            run.identity,
            run.inputs,
            run.compositions,
            run.manifest,
            run.accounting,
            run.results,
            run.findings,
        )
    return found


def settled(deployment):
    """Check until nothing is due, and return what is stored then."""
    for _ in range(3):
        if not deployment.check(50):
            return stored(deployment)
    raise AssertionError("something is due for ever")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Ten days of a log that is shifted in the middle, and one day without rows."""
    folder = tmp_path_factory.mktemp("log")
    made = Deployment(folder, *REFERENCES, **SIMPLE)
    for place in range(10):
        if place != 6:
            made.write(place, rows=60, shift=1.5 if place in {4, 5} else 0.0)
    return folder


@pytest.fixture(scope="module")
def in_order(log):
    made = Deployment(log, *REFERENCES, **SIMPLE)
    made.register()
    made.check(50)
    assert made.check(50) == []
    return stored(made)


@settings(max_examples=8)
@given(order=st.permutations(WINDOWS), checked=st.integers(2, 9), after=st.integers(0, 8))
def test_windows_run_in_any_order_end_in_the_same_store(log, in_order, order, checked, after):
    made = Deployment(log, *REFERENCES, **SIMPLE)
    made.register()
    for number, place in enumerate(order):
        made.back_fill(place)
        if number == after:
            made.check(checked)
    assert settled(made) == in_order
    made.restart()
    assert made.check(50) == []


@settings(max_examples=4)
@given(
    files=st.permutations([*range(2, 10), "late 3", "late 5", "late 8"]),
    checks=st.sets(st.integers(0, 10), max_size=3),
)
def test_data_that_come_in_any_order_end_in_the_same_store(files, checks):
    with TemporaryDirectory() as folder:
        made = Deployment(Path(folder), *REFERENCES, **SIMPLE)
        for place in (0, 1):
            made.write(place, rows=60)
        made.register()
        for number, name in enumerate(files):
            place = int(str(name).split()[-1])
            made.write(place, name, rows=40, shift=2.0, seed=number)
            if number in checks:
                made.check(50)
        found = settled(made)
        fresh = Deployment(Path(folder), *REFERENCES, **SIMPLE)
        fresh.register()
        fresh.check(50)
        assert found == settled(fresh)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Ten days with ids and regions, and labels of each that came two days later."""
    folder = tmp_path_factory.mktemp("labelled")
    for name in ("log", "labels"):
        (folder / name).mkdir()
    for place in range(10):
        rng, ids = np.random.default_rng(place), [f"{place}-{row}" for row in range(90)]
        table = {
            "id": ids,
            "at": [day(place).start + row * DAY / 90 for row in range(90)],
            "amount": rng.normal(1.5 if place in {4, 5} else 0, 1, 90),
            "score": rng.random(90),
            "flag": rng.random(90) < 0.3,
            "sex": rng.choice(["f", "m"], 90).tolist(),
            "region": rng.choice(["north", "south"], 90).tolist(),
        }
        pq.write_table(pa.table(table), folder / "log" / f"{place}.parquet")
        known = [day(place + 2).start] * 90
        told = pa.table({"id": ids, "late": rng.integers(0, 2, 90), "known": known})
        pq.write_table(told, folder / "labels" / f"{place}.parquet")
    return folder


def test_with_labels_slices_and_references_any_order_ends_in_the_same_store(labelled):
    found = []
    for windows in (WINDOWS, (8, 3, 9, 2, 6, 5, 7, 4)):
        made = Deployment(labelled, *REFERENCES, **EVERYTHING)
        made.register()
        for number, place in enumerate(windows):
            made.back_fill(place)
            if number == 4:  # some windows by themselves, the rest again
                made.check(50)
        found.append(settled(made))
    assert found[0] == found[1]
    assert {run[4].labels.labelled for run in found[0].values()} == {90}
    subjects = [item.subject for run in found[0].values() for item in run[5][0].readings]
    assert {"north", "south"} <= {subject.segment_value for subject in subjects}

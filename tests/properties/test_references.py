"""What is stored does not depend on the order in which windows were run, nor on when data came."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.field import Field, FieldKind
from tests.held import MONDAYS, WEEK, YESTERDAY, Deployment

pytestmark = pytest.mark.slow

WINDOWS = range(2, 10)
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

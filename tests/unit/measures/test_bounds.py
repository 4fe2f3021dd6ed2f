"""Numbers outside the bounds that the owner declared."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Field, FieldKind
from monitor.measures.measure import FieldPair
from monitor.measures.quality import out_of_bounds_rate
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

RNG = np.random.default_rng(11)
USUAL = RNG.normal(size=3000)


def pair(then, now, minimum=None, maximum=None, *, declared_before=True):
    field = Field("x", "x", FieldKind.NUMERIC, minimum=minimum, maximum=maximum)
    drafted = field if declared_before else Field("x", "x", FieldKind.NUMERIC)
    columns = [pa.array(side, pa.float64(), from_pandas=False) for side in (then, now)]
    draft = GridDraft((drafted,), {}, None, None)
    draft.add_field("x", columns[0])
    grid = draft.grid()
    counts = []
    for column in columns:
        builder = ProfileBuilder(grid)
        builder.add_rows(len(column), None, None)
        builder.add_field("x", column, len(column))
        counts.append(builder.profile.fields["x"])
    return FieldPair(field, grid.fields["x"], *counts)


def measured(*sides, **bounds):
    return out_of_bounds_rate.measure(pair(*sides, **bounds))


bounds = st.floats(-3, 3)
some = st.lists(
    st.floats(-5, 5) | st.sampled_from([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan]), min_size=1
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(then=some, now=some, low=st.none() | bounds, width=st.none() | st.floats(0, 3))
def test_it_counts_what_a_loop_over_the_rows_counts(then, now, low, width):
    high = None if width is None else (low or 0.0) + width
    if low is None and high is None:
        return
    found = measured(then, now, minimum=low, maximum=high)
    shares = []
    for side in (then, now):
        known = [value for value in side if not np.isnan(value)]
        outside = [
            value
            for value in known
            if (low is not None and value < low) or (high is not None and value > high)
        ]
        shares.append(len(outside) / len(known) if known else None)
    if None in shares:
        assert isinstance(found, Unmeasurable)
    else:
        assert (found.then, found.value) == tuple(shares)


@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_the_bounds_themselves_are_inside_to_the_last_bit(end):
    inside = measured(USUAL, [0.1, 0.1, 0.1], **{end: 0.1})
    assert inside.value == 0
    away = np.nextafter(0.1, -1 if end == "minimum" else 1)
    assert measured(USUAL, [away, 0.1], **{end: 0.1}).value == 0.5


def test_the_interval_is_wilsons():
    now = np.concatenate([USUAL[:500], np.full(7, 99.0)])
    found = measured(USUAL, now, maximum=50.0)
    interval = binomtest(7, 507).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert found.detail == {"below": 0, "above": 7}


def test_what_was_out_of_bounds_in_the_baseline_is_no_excuse():
    found = measured([-1.0, 1.0, 2.0, 3.0], [-1.0, 1.0], minimum=0.0)
    assert (found.then, found.value) == (0.25, 0.5)


def test_a_bound_that_the_baseline_does_not_know_is_unknown_not_guessed():
    found = measured(USUAL, USUAL, minimum=-0.123, declared_before=False)
    assert found.reason is Absence.NO_BASELINE
    assert "register a new one" in found.explanation


def test_a_side_without_numbers_is_unknown():
    assert measured([np.nan, np.nan], [1.0, 9.0], maximum=5.0).reason is Absence.NO_BASELINE
    assert measured([1.0], [np.nan], maximum=5.0).reason is Absence.NO_DATA


def test_the_largest_double_is_a_bound_like_any_other():
    most = float(np.finfo(np.float64).max)
    assert measured(USUAL, [most, np.inf], maximum=most).value == 0.5


def test_a_few_values_have_bounds_too_and_a_field_without_bounds_has_no_reading():
    assert measured([1.0, 2.0] * 100, [1.0, 99.0], maximum=10.0).value == 0.5
    assert out_of_bounds_rate.MEASURE.asked_of(Field("x", "x", FieldKind.NUMERIC, maximum=1.0))
    assert not out_of_bounds_rate.MEASURE.asked_of(Field("x", "x", FieldKind.NUMERIC))

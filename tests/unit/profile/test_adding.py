import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitor.profile import adding
from monitor.profile.adding import Places, rows_at, sums_at

SIZES = st.integers(1, 40)


@given(st.data(), SIZES, st.integers(0, 200))
def test_rows_and_sums_are_those_of_numpy_to_the_last_bit(data, size, rows):
    places = data.draw(arrays(np.int64, rows, elements=st.integers(0, size - 1)))
    numbers = data.draw(arrays(np.float64, rows, elements=st.floats(width=64)))
    assert rows_at(places, size).tolist() == np.bincount(places, minlength=size).tolist()
    sums = np.zeros(size)
    with np.errstate(over="ignore", invalid="ignore"):
        np.add.at(sums, places, numbers)
    np.testing.assert_array_equal(sums_at(places, numbers, size), sums)


@given(st.data(), SIZES, st.integers(0, 200))
def test_a_scipy_that_keeps_its_function_elsewhere_changes_no_bit(data, size, rows):
    places = data.draw(arrays(np.int64, rows, elements=st.integers(0, size - 1)))
    numbers = data.draw(arrays(np.float64, rows, elements=st.floats(width=64)))
    with np.errstate(over="ignore", invalid="ignore"), pytest.MonkeyPatch.context() as patch:
        compiled = rows_at(places, size), sums_at(places, numbers, size)
        patch.setattr(adding, "_add", adding._add_by_numpy)
        np.testing.assert_array_equal(rows_at(places, size), compiled[0])
        np.testing.assert_array_equal(sums_at(places, numbers, size), compiled[1])


def test_the_compiled_function_is_there():
    assert adding._add is not adding._add_by_numpy


def test_more_rows_than_are_counted_at_once_are_all_counted():
    places = np.random.default_rng(0).integers(0, 300, 300_001)
    numbers = np.random.default_rng(1).normal(size=len(places))
    sums = np.zeros(300)
    np.add.at(sums, places, numbers)
    assert rows_at(places, 300).tolist() == np.bincount(places, minlength=300).tolist()
    assert sums_at(places, numbers, 300).tolist() == sums.tolist()


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.uint32])
def test_places_of_any_kind_and_every_second_of_them(kind):
    places = np.array([3, 9, 0, 9, 3, 9], kind)[::2]
    numbers = np.arange(6.0)[::2]
    assert rows_at(places, 4).tolist() == [1, 0, 0, 2]
    assert sums_at(places, numbers, 4).tolist() == [2.0, 0.0, 0.0, 4.0]


@pytest.mark.parametrize("places", [[0, 4], [-1, 0], [2**40], [-(2**63)]])
def test_a_place_that_is_not_there_is_an_error_and_not_somebody_elses_memory(places):
    with pytest.raises(IndexError, match="of 4"):
        rows_at(np.array(places), 4)
    with pytest.raises(IndexError, match="of 4"):
        sums_at(np.array(places), np.ones(len(places)), 4)


def test_each_place_has_a_number():
    with pytest.raises(ValueError, match="1 numbers for 2 places"):
        sums_at(np.array([0, 1]), np.ones(1), 4)


@given(st.data(), SIZES, st.integers(0, 200), st.booleans())
def test_rows_are_added_to_those_that_are_there(data, size, length, compiled):
    places = data.draw(arrays(np.int64, length, elements=st.integers(0, size - 1)))
    rows = data.draw(arrays(np.int64, length, elements=st.integers(0, 2**50)))
    totals = data.draw(arrays(np.int64, size, elements=st.integers(0, 2**50)))
    wanted = totals.copy()
    np.add.at(wanted, places, rows)
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(adding, "_add", adding._add_by_numpy)
        Places.checked(places, size).add_rows(rows[::-1][::-1], totals)
    assert totals.tolist() == wanted.tolist()


@pytest.mark.parametrize(("rows", "totals"), [(2, 4), (4, 4), (3, 3), (3, 5)])
def test_rows_without_a_place_or_a_total_are_an_error(rows, totals):
    there = np.zeros(totals, np.int64)
    with pytest.raises(ValueError, match="for 3 of 4"):
        Places.checked(np.array([0, 1, 3]), 4).add_rows(np.ones(rows, np.int64), there)
    assert not there.any()

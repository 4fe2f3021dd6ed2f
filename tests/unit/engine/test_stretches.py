"""Earlier windows that small groups are measured over are part of a result, whatever the order."""

from datetime import timedelta

import pytest

from monitor.domain.disparity import STRETCH, DisparityLimits
from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.field import Field, FieldKind
from monitor.engine.recheck import Agreement, Rechecker, revisions_within
from tests.held import Deployment

SIMPLE = {"fields": (Field("amount", "amount", FieldKind.NUMERIC),)}
FEW = 40
"""Rows a day: some twenty women and twenty men, where thirty are needed."""


def deployed(folder, *, written=range(8), rows=FEW, extend=28):
    made = Deployment(folder, disparity=DisparityLimits(extend=timedelta(days=extend)), **SIMPLE)
    for place in written:
        made.write(place, rows=600 if place < 2 else rows)
    made.register()
    return made


def ratio(made, place):
    (result,) = made.run(place).results
    (found,) = [
        item.result
        for item in result.readings
        if item.measure == "selection_rate_ratio" and not item.subject.reference
    ]
    return found


@pytest.mark.slow
def test_a_small_group_is_measured_over_stored_windows_since_the_baseline(tmp_path):
    made = deployed(tmp_path)
    made.check(8)
    first, last = ratio(made, 2), ratio(made, 7)
    assert isinstance(first, Unmeasurable)  # the days before are the baseline's own
    assert isinstance(last, Estimate)
    used = int(last.detail["windows"])
    assert last.n + last.n_reference == used * FEW
    assert last.note == f"over {used} windows from 2024-01-0{9 - used} on"
    assert made.parts(7, STRETCH) == [6, 5, 4, 3, 2]
    assert made.parts(2, STRETCH) == []


def test_where_every_group_is_large_enough_nothing_else_is_part_of_the_result(tmp_path):
    made = deployed(tmp_path, rows=600, written=range(4))
    made.check(4)
    run = made.run(3)
    assert (run.identity, run.compositions) == (run.inputs, ())


@pytest.mark.slow
def test_without_a_stretch_a_small_group_stays_too_small(tmp_path):
    made = deployed(tmp_path, extend=0)
    made.check(8)
    assert isinstance(ratio(made, 7), Unmeasurable)
    assert made.run(7).compositions == ()


@pytest.mark.slow
@pytest.mark.parametrize("order", [(7, 6, 5, 4, 3, 2), (4, 2, 7, 3, 6, 5)])
def test_a_back_fill_in_any_order_ends_in_the_same_results(tmp_path, order):
    made = deployed(tmp_path)
    made.check(8)
    other = Deployment(
        tmp_path,
        disparity=made.policy.disparity,
        **SIMPLE,
    )
    other.register()
    for place in order:
        other.back_fill(place)
    assert other.check(8)
    assert other.check(8) == []
    for place in order:
        mine, theirs = made.run(place), other.run(place)
        assert (mine.identity, mine.compositions) == (theirs.identity, theirs.compositions)
        assert mine.results == theirs.results


@pytest.mark.slow
def test_a_late_file_judges_the_windows_again_that_its_window_was_added_to(tmp_path):
    made = deployed(tmp_path)
    made.check(8)
    made.write(5, name="late", rows=FEW, seed=99)
    assert dict(made.check(8)) == {5: 2, 6: 2, 7: 2}
    assert made.check(8) == []


@pytest.mark.slow
def test_a_result_over_several_windows_is_recomputed_from_what_is_stored(tmp_path):
    made = deployed(tmp_path)
    made.check(8)
    rechecker = Rechecker(made.store, "credit", lambda _: made.policy)
    for window, revision in revisions_within(made.store, "credit", None):
        found = rechecker.recheck(window, revision)
        assert found.agreement is Agreement.EQUAL, (window, found.why, found.differences)

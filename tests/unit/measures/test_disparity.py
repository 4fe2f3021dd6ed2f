import numpy as np
import pytest

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Effect
from monitor.domain.limit import Band
from monitor.measures.disparity import selection_rate as selection
from monitor.measures.measure import GroupPair

selection_rate, selection_rate_ratio, selection_rate_difference, selection_rate_ratio_change = (
    selection.MEASURES
)
COMPARISONS = selection.MEASURES[1:]


def pair(now, then=None, reference=0):
    def table(counts):
        rows = np.zeros((len(counts), 3, 3), np.int64)
        for place, (positive, known) in enumerate(counts.values()):
            rows[place, :2, 0] = known - positive, positive
            rows[place, 2, 1] = 7  # decisions that are not known count for nothing
        return rows

    return GroupPair(
        "sex", tuple(now), table(then or now), table(now), reference, Effect.FAVOURABLE, Band()
    )


@pytest.mark.parametrize("module", COMPARISONS)
def test_the_reference_group_has_no_reading_of_its_own(module):
    assert list(module.measure(pair({"m": (50, 100), "f": (40, 100)}))) == ["f"]


@pytest.mark.parametrize("module", COMPARISONS)
def test_a_single_group_is_undefined(module):
    found = module.measure(pair({"m": (50, 100)}))
    assert found["m"].reason is Absence.UNDEFINED
    assert "only group" in found["m"].explanation


@pytest.mark.parametrize("module", COMPARISONS)
def test_a_small_reference_group_makes_the_others_unavailable(module):
    found = module.measure(pair({"m": (5, 10), "f": (40, 100)}))
    assert found["f"].reason is Absence.REFERENCE_UNAVAILABLE
    assert "m (5 positive decisions of 10)" in found["f"].explanation


@pytest.mark.parametrize("module", COMPARISONS)
def test_a_group_with_few_expected_decisions_is_insufficient_with_its_counts(module):
    found = module.measure(pair({"m": (10, 1000), "f": (1, 100)}))["f"]
    assert found.reason is Absence.INSUFFICIENT_DATA
    assert found.n == 100
    assert "1 expected positive decisions where 5 are needed" in found.explanation


@pytest.mark.parametrize("module", COMPARISONS)
def test_a_group_that_is_gone_has_no_data(module):
    then = {"m": (50, 100), "f": (40, 100)}
    assert module.measure(pair({"m": (50, 100), "f": (0, 0)}, then))["f"].reason is Absence.NO_DATA


def test_a_ratio_to_nothing_is_undefined_and_the_difference_is_not():
    counts = pair({"m": (0, 400), "f": (40, 200)})
    assert selection_rate_ratio.measure(counts)["f"].reason is Absence.UNDEFINED
    assert selection_rate_ratio_change.measure(counts)["f"].reason is Absence.UNDEFINED
    difference = selection_rate_difference.measure(counts)["f"]
    assert difference.value == pytest.approx(0.2)
    assert difference.low > 0.1


def test_nobody_chosen_is_no_disparity_and_no_ratio():
    counts = pair({"m": (0, 400), "f": (0, 200)})
    assert selection_rate_ratio.measure(counts)["f"].reason is Absence.UNDEFINED
    assert selection_rate_difference.measure(counts)["f"].value == 0


def test_everybody_chosen_is_a_ratio_of_one():
    found = selection_rate_ratio.measure(pair({"m": (400, 400), "f": (200, 200)}))["f"]
    assert found.value == 1
    assert 0.97 < found.low < 1 < found.high < 1.03
    assert found.p_value == 1


def test_a_group_that_is_never_chosen_has_a_ratio_of_zero_with_an_upper_end():
    found = selection_rate_ratio.measure(pair({"m": (200, 400), "f": (0, 60)}))["f"]
    assert (found.value, found.low) == (0, 0)
    assert 0 < found.high < 0.2
    assert found.detail["shortfall"] == pytest.approx(60 * 200 / 460)


def test_a_group_that_is_new_has_no_baseline_to_change_from():
    now, then = {"m": (50, 100), "f": (40, 100)}, {"m": (50, 100), "f": (0, 0)}
    found = selection_rate_ratio_change.measure(pair(now, then))["f"]
    assert found.reason is Absence.NO_BASELINE
    assert isinstance(selection_rate_ratio.measure(pair(now, then))["f"], Estimate)


def test_the_change_of_a_ratio_is_the_difference_of_logarithms():
    now, then = {"m": (500, 1000), "f": (300, 1000)}, {"m": (500, 1000), "f": (500, 1000)}
    found = selection_rate_ratio_change.measure(pair(now, then))["f"]
    assert found.then == pytest.approx(1.0)
    assert found.now == pytest.approx(0.6, abs=1e-3)
    assert found.value == pytest.approx(np.log(300.5 / 500.5))
    error = np.sqrt(3 * (1 / 500.5 - 1 / 1000.5) + 1 / 300.5 - 1 / 1000.5)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * error, rel=1e-6)


def test_the_joint_interval_is_wider_the_more_groups_are_compared():
    few = {"m": (500, 1000), "f": (400, 1000)}
    many = few | {f"g{place}": (500, 1000) for place in range(9)}
    narrow, wide = (selection_rate_ratio.measure(pair(counts))["f"] for counts in (few, many))
    assert narrow.family_low == pytest.approx(narrow.low)
    assert wide.family_low < wide.low == narrow.low


def test_every_group_has_its_rate_however_small():
    found = selection_rate.measure(pair({"m": (50, 100), "f": (1, 2), "x": (0, 0)}))
    assert found["f"].value == 0.5
    assert found["f"].high - found["f"].low > 0.7
    assert isinstance(found["x"], Unmeasurable)

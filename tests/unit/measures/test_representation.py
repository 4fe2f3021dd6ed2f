"""Who the groups are, and of how many rows that is not known."""

import numpy as np
import pytest
from scipy import stats

from monitor.domain.estimate import Absence
from monitor.domain.field import Effect
from monitor.domain.limit import Band
from monitor.measures.disparity import representation, unknown_share
from monitor.measures.measure import GroupPair
from monitor.uncertainty.multiplicity import holm

SHARE, CHANGE = representation.MEASURES
UNKNOWN, UNKNOWN_CHANGE = unknown_share.MEASURES


def rows(*counts):
    """Return tables in which rows are spread over all decisions and labels."""
    spread = np.arange(9).reshape(3, 3) == 8
    return np.array([count * spread for count in counts])


def pair(now, then, unknown=0, unknown_then=0):
    groups = tuple("mfx"[: len(now)])
    return GroupPair(
        "sex",
        groups,
        rows(*then),
        rows(*now),
        0,
        Effect.FAVOURABLE,
        Band(),
        unassigned=rows(unknown)[0],
        unassigned_then=rows(unknown_then)[0],
    )


def test_shares_are_of_all_rows_of_known_membership_decided_or_not():
    found = SHARE.measure(pair((600, 300, 100), (500, 500, 0), unknown=1000))
    assert [found[name].value for name in "mfx"] == [0.6, 0.3, 0.1]
    assert [found[name].then for name in "mfx"] == [0.5, 0.5, 0]
    assert found["f"].n == 1000


def test_a_change_is_tested_against_the_baseline_and_adjusted_over_the_groups():
    found = CHANGE.measure(pair((1200, 620, 180), (5000, 5000, 0)))
    assert found["f"].value == pytest.approx(0.31 - 0.5)
    assert found["f"].family_low < found["f"].low < found["f"].value < found["f"].high
    p_values = [
        stats.chi2_contingency([[now, 2000 - now], [then, 10000 - then]], correction=False).pvalue
        for now, then in ((1200, 5000), (620, 5000), (180, 0))
    ]
    assert [found[name].p_value for name in "mfx"] == pytest.approx(p_values)
    assert [found[name].p_adjusted for name in "mfx"] == pytest.approx(holm(p_values))


def test_a_group_that_is_gone_has_become_rarer_and_is_not_missing():
    found = CHANGE.measure(pair((1000, 0), (500, 500)))["f"]
    assert (found.value, found.now, found.then) == (-0.5, 0, 0.5)
    assert found.p_adjusted < 1e-9


def test_without_rows_there_is_no_share():
    for measure in representation.MEASURES:
        assert measure.measure(pair((0, 0), (5, 5), unknown=9))["f"].reason is Absence.NO_DATA
    assert CHANGE.measure(pair((5, 5), (0, 0)))["f"].reason is Absence.NO_BASELINE
    assert SHARE.measure(pair((5, 5), (0, 0)))["f"].then is None


def test_the_unknown_are_one_share_of_the_population():
    found = UNKNOWN.measure(pair((600, 300), (500, 500), unknown=100, unknown_then=0))
    assert list(found) == [""]
    assert (found[""].value, found[""].then, found[""].n) == (0.1, 0, 1000)
    change = UNKNOWN_CHANGE.measure(pair((600, 300), (500, 500), unknown=100))[""]
    assert change.value == pytest.approx(0.1)
    table = [[100, 900], [0, 1000]]
    assert change.p_value == pytest.approx(
        stats.chi2_contingency(table, correction=False).pvalue, rel=1e-6
    )


def test_a_window_of_unknown_rows_only_is_all_unknown():
    assert UNKNOWN.measure(pair((0, 0), (5, 5), unknown=40))[""].value == 1
    assert UNKNOWN.measure(pair((0, 0), (5, 5)))[""].reason is Absence.NO_DATA
    assert UNKNOWN_CHANGE.measure(pair((5, 5), (0, 0)))[""].reason is Absence.NO_BASELINE


def test_unknown_rows_that_nobody_counted_are_not_none():
    uncounted = GroupPair("sex", ("m",), rows(5), rows(5), 0, Effect.FAVOURABLE, Band())
    with pytest.raises(ValueError, match="were not counted"):
        UNKNOWN.measure(uncounted)

import numpy as np
import pytest

from monitor.domain.estimate import Absence
from monitor.domain.field import Effect
from monitor.domain.limit import Band
from monitor.measures.disparity import group_label_coverage
from monitor.measures.measure import GroupPair
from monitor.uncertainty.proportion import wilson


def groups(**rows):
    """Return a population from (negative, positive, unknown) labels of each group."""
    table = np.array([[labels, [0, 0, 0], [0, 0, 0]] for labels in rows.values()])
    return GroupPair("sex", tuple(rows), 2 * table, table, 0, Effect.HARMFUL, Band())


def test_each_group_has_its_own_coverage():
    found = group_label_coverage.measure(groups(f=[30, 10, 60], m=[0, 0, 50]))
    assert (found["f"].value, found["f"].n, found["f"].detail["labelled"]) == (0.4, 100, 40)
    assert (found["f"].low, found["f"].high) == pytest.approx(wilson(40, 100, 0.95))
    assert (found["f"].then, found["f"].n_reference) == (0.4, 200)
    assert found["m"].value == 0


def test_a_group_without_rows_has_none():
    found = group_label_coverage.measure(groups(f=[1, 1, 1], m=[0, 0, 0]))
    assert found["m"].reason is Absence.NO_DATA

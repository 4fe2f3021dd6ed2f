"""Laws of taking a number apart."""

from fractions import Fraction
from math import fsum

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.domain.estimate import Unmeasurable
from monitor.domain.field import Field, FieldKind
from monitor.measures.attribution.divergence import of_psi
from monitor.measures.attribution.mix import Totals, decomposed
from monitor.measures.attribution.ranking import ranked
from monitor.measures.drift.psi import psi
from monitor.measures.grouping import large_enough
from monitor.measures.measure import FieldPair
from monitor.profile.counts import NumericCounts
from monitor.profile.draft import numeric_grid
from monitor.profile.kernel import count_numbers

ROWS = st.integers(0, 10**9)
COUNTS = st.lists(st.tuples(ROWS, ROWS), min_size=1, max_size=30).map(np.array)
GROUPS = st.lists(st.tuples(ROWS, st.floats(0, 1), ROWS, st.floats(0, 1)), min_size=1, max_size=12)
NUMBERS = st.lists(
    st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, np.inf])), max_size=60
)


def slow_groups(reference, current):
    """The rule of `large_enough`, read aloud: from the last group, join until there are enough."""
    totals = sum(reference), sum(current)
    done, waiting = [], (0, 0)
    for pair in zip(reversed(reference), reversed(current), strict=True):
        waiting = waiting[0] + pair[0], waiting[1] + pair[1]
        share = max(Fraction(waiting[0], totals[0]), Fraction(waiting[1], totals[1]))
        if share * min(totals) >= 5:
            done.append(waiting)
            waiting = (0, 0)
    last = done.pop() if done else (0, 0)
    done.append((last[0] + waiting[0], last[1] + waiting[1]))
    return done[::-1]


@example([(0, 5), (37, 32), (40, 40)])  # 77 · (5 / 77) < 5
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=20))
def test_small_groups_join_as_the_rule_says(rows):
    reference, current = (list(side) for side in zip(*rows, strict=True))
    if not (sum(reference) and sum(current)):
        return
    groups = large_enough(np.array(reference), np.array(current))
    found = list(zip(groups.reference.tolist(), groups.current.tolist(), strict=True))
    assert found == slow_groups(reference, current)


@given(NUMBERS, NUMBERS)
def test_the_parts_of_psi_are_its_own_groups(then, now):
    finite = np.array([x for x in then if x is not None and np.isfinite(x)], np.float64)
    grid = numeric_grid(finite)
    sides = []
    for values in (then, now):
        counts = NumericCounts.empty(grid)
        count_numbers(counts, grid, pa.array(values, pa.float64(), from_pandas=False))
        sides.append(counts)
    found = of_psi(FieldPair(Field("x", "x", FieldKind.NUMERIC), grid, *sides))
    if isinstance(found, Unmeasurable):
        return
    then_rows = np.array([part.rows_then for part in found.parts])
    now_rows = np.array([part.rows_now for part in found.parts])
    assert psi(then_rows, now_rows) == found.total
    assert fsum(part.contribution for part in found.parts) == pytest.approx(found.total, abs=1e-14)
    for part in found.parts:  # a finite number lies in the part whose bounds hold it
        if part.at_least is None and part.below is None:
            continue
        low = -np.inf if part.at_least is None else part.at_least
        high = np.inf if part.below is None else part.below
        special = sum(member.rows_now for member in part.members)
        inside = [x for x in now if x is not None and np.isfinite(x) and low <= x < high]
        assert len(inside) == part.rows_now - special


@given(GROUPS)
def test_the_decomposition_is_exact(groups):
    rows0, means0, rows1, means1 = (np.array(side) for side in zip(*groups, strict=True))
    names = [str(place) for place in range(len(groups))]
    found = decomposed(
        "g", "m", names, Totals(rows0, rows0 * means0), Totals(rows1, rows1 * means1)
    )
    if not (rows0.sum() and rows1.sum()):
        assert isinstance(found, Unmeasurable)
        return
    # The definition, in exact arithmetic.
    exact = [
        sum(int(n) * Fraction(float(mean)) for n, mean in zip(rows, means, strict=True))
        / int(rows.sum())
        for rows, means in ((rows0, means0), (rows1, means1))
    ]
    assert found.mix + found.within == pytest.approx(float(exact[1] - exact[0]), abs=1e-12)
    assert found.now - found.then == pytest.approx(float(exact[1] - exact[0]), abs=1e-12)
    for group in found.groups:
        if not group.rows_then or not group.rows_now:
            assert group.within == 0  # a group that came or went is all mix
    assert fsum(group.weight_then for group in found.groups) == pytest.approx(1)
    assert fsum(group.weight_now for group in found.groups) == pytest.approx(1)


@given(
    st.dictionaries(st.text(max_size=3), st.one_of(st.floats(0, 10), st.just("no rows"))),
    st.dictionaries(st.text(max_size=3), st.floats(0, 10)),
)
def test_ranks_are_those_of_importance_times_effect(effects, importances):
    rows = ranked(effects, importances)
    assert {row.field for row in rows} == set(effects)
    known = [row.weight for row in rows if row.weight is not None]
    assert known == sorted(known, reverse=True)
    assert [row.weight is None for row in rows] == sorted(row.weight is None for row in rows)
    assert [row.effect is None for row in rows] == sorted(row.effect is None for row in rows)
    scaled = ranked(effects, {name: 4 * value for name, value in importances.items()})
    assert [row.field for row in scaled] == [row.field for row in rows]

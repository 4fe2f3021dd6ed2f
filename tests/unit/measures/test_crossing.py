import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import (
    Attribute,
    Decision,
    Effect,
    Field,
    FieldKind,
    FieldRole,
    Label,
    Population,
)
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.measures.attribution.mix import Quantity, over_population
from monitor.measures.crossing import MOST_CROSSED, OTHER_SMALL, fold, told_cells
from monitor.measures.groups import group_pair
from monitor.measures.measure import ProfilePair
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from tests.stored import a_window


def test_few_cells_stay_as_they_are():
    table = np.arange(5)
    folded = fold(["a", "b", "c"], table, 3)
    assert (folded.names, folded.small) == (["a", "b", "c"], ())
    assert folded.rows(table) is table


def test_the_smallest_cells_are_one_group_before_what_comes_after_the_cells():
    table = np.array([[50, 1], [2, 2], [40, 3], [2, 4], [0, 5], [7, 6], [8, 7]])
    folded = fold(["a", "b", "c", "d", "e"], table[:, 0], 4)
    assert folded.names == ["a", "b", "c", OTHER_SMALL]
    assert folded.small == ("d", "e")
    assert folded.rows(table).tolist() == [[50, 1], [2, 2], [40, 3], [2, 9], [7, 6], [8, 7]]


@given(
    rows=st.lists(st.integers(0, 9), min_size=1, max_size=3 * MOST_CROSSED),
    most=st.integers(1, MOST_CROSSED),
)
def test_nobody_is_lost_and_no_kept_cell_is_smaller_than_a_folded_one(rows, most):
    registered = np.array(rows)
    names = [str(place) for place in range(len(rows))]
    folded = fold(names, registered, most)
    assert folded.rows(registered).sum() == registered.sum()
    assert len(folded.names) == len(folded.rows(registered)) == min(len(rows), most)
    kept = [rows[int(name)] for name in folded.names if name != OTHER_SMALL]
    small = [rows[int(name)] for name in folded.small]
    assert len(kept) + len(small) == len(rows)
    if kept and small:
        assert min(kept) >= max(small)


@given(
    rows=st.lists(st.integers(0, 9), min_size=1, max_size=3 * MOST_CROSSED),
    most=st.integers(1, MOST_CROSSED),
)
def test_each_cell_has_the_place_at_which_its_rows_are(rows, most):
    folded = fold([str(place) for place in range(len(rows))], np.array(rows), most)
    there = folded.rows(np.eye(len(rows) + 2, dtype=np.int64)).argmax(axis=0)
    assert folded.places(np.arange(len(rows) + 2)).tolist() == there.tolist()


def a_pair(many, attributes=2, rows=4000):
    """Return a policy of so many attributes of so many values, and rows in which they are."""
    names = "abc"[:attributes]
    policy = Policy(
        "credit",
        SourceSpec("log", "at"),
        (Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),),
        Decision("score", at_least=0.5, effect=Effect.FAVOURABLE),
        Label("y", ("1",)),
        {name: Attribute(name, name) for name in names},
        (Population(tuple(names)),),
        Schedule(CalendarUnit.DAY),
        {},
        Band(),
    )
    draft = GridDraft(policy.fields, policy.attributes, policy.decision, policy.label)
    for name in names:
        draft.add_attribute(name, pa.array([f"v{value:03}" for value in range(many)]))
    draft.add_field("score", pa.array(np.linspace(0, 1, 5000)))
    grid, sides = draft.grid(), []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        scores = pa.array(rng.random(rows))
        labels = pa.array(rng.integers(0, 2, rows))
        drawn = {name: rng.integers(-2, many + 3, rows) for name in names}  # below 0: not known
        columns = {
            name: pa.array([f"v{value:03}" if value >= 0 else None for value in values])
            for name, values in drawn.items()
        }
        builder = ProfileBuilder(grid)
        builder.add_rows(rows, None, None)
        builder.add_outcomes(rows, columns, scores, labels, scores)
        sides.append(builder.profile)
    return policy, ProfilePair(grid, *sides, a_window(0), 1.0)


@pytest.mark.parametrize("many", [3, 20])
def test_scores_of_a_crossings_groups_are_those_of_their_rows(many):
    policy, pair = a_pair(many)
    found = group_pair(policy.populations[0], policy, pair, unassigned=True)
    assert (OTHER_SMALL in found.groups) is (many == 20)
    for scores, rows in ((found.scores, found.current), (found.scores_then, found.reference)):
        assert scores.rows.sum(axis=-1).tolist() == rows.tolist()  # every score is finite
        assert scores.moments["rows"].tolist() == rows.sum(axis=1).tolist()
        assert scores.unassigned.sum(axis=-1).tolist() == rows[-2:].sum(axis=0).tolist()


def test_too_many_combinations_say_so_and_take_no_memory():
    policy, pair = a_pair(100, attributes=3, rows=50)
    for found in (
        group_pair(policy.populations[0], policy, pair, unassigned=False),
        over_population(Quantity.DECISION_RATE, policy.populations[0], pair),
    ):
        assert isinstance(found, Unmeasurable)
        assert found.reason is Absence.UNDEFINED
        assert "a × b × c has 1,000,000 combinations of groups" in found.explanation


@pytest.mark.parametrize("seed", range(3))
def test_which_cells_are_folded_depends_on_the_registered_baseline_only(seed):
    rng = np.random.default_rng(seed)
    names = [str(place) for place in range(80)]
    registered, window = rng.integers(0, 1000, 80), rng.integers(0, 1000, 80)
    folded = fold(names, registered, 50)
    now = dict(zip(folded.names, folded.rows(window).tolist(), strict=True))
    assert now[OTHER_SMALL] == sum(window[int(name)] for name in folded.small)


def test_cells_that_are_one_group_are_named_and_the_many_counted():
    assert told_cells(()) == ""
    assert told_cells(("a × x", "b × y")) == "2 cells together: a × x, b × y"
    many = told_cells([f"c{place}" for place in range(23)])
    assert many.startswith("23 cells together: c0, c1")
    assert many.endswith("c19 and 3 more")

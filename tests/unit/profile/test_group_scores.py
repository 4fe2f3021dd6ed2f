"""Scores by group: exact counts, sums to twelve digits, coarser where there are too many cells."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.errors import BaselineError
from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, FieldRole, Label
from monitor.profile import group_scores as module
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.profile.draft import GridDraft
from monitor.profile.group_scores import COUNTS, SUMS, GroupScores
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.packing import content_digest
from monitor.profile.profile import merged

DECISION = Decision("score", at_least=0.5, effect=Effect.HARMFUL)
ATTRIBUTES = {"sex": Attribute("sex", "sex"), "age": Attribute("age", "age", bins=(40.0,))}
SCORE = (Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),)
SEXES = ["f", "m", None, "x"]  # the last two are unknown and unmapped


def grid_of(label, attributes=ATTRIBUTES, sample=None):
    draft = GridDraft(SCORE, attributes, DECISION, label)
    for name in attributes:
        draft.add_attribute(name, pa.array(["f", "m"]))
    scores = np.linspace(0, 1, 5000) if sample is None else sample
    draft.add_field("score", pa.array(scores))
    return draft.grid()


CLASSES = grid_of(Label("y", ("1",), ("0",)))
NUMBERS = grid_of(Label("y"))


def rows_of(seed, rows, labels=(0, 1, None)):
    rng = np.random.default_rng(seed)
    scores = rng.beta(2, 3, rows)
    scores[rng.random(rows) < 0.05] = np.nan
    scores[rng.random(rows) < 0.03] = np.inf
    scores[rng.random(rows) < 0.03] = 1.5
    return {
        "sex": rng.choice(np.array(SEXES, object), rows),
        "age": rng.choice([30.0, 50.0, np.nan], rows),
        "score": scores,
        "y": rng.choice(np.array(labels, object), rows),
    }


def counted(grid, rows, cuts=()):
    builder = ProfileBuilder(grid)
    total = len(rows["score"])
    for begin, end in pairwise([0, *cuts, total]):
        part = {name: pa.array(list(values[begin:end])) for name, values in rows.items()}
        part["score"] = pa.array(rows["score"][begin:end])
        builder.add_rows(end - begin, None, None)
        axes = {axis.name: part[axis.name] for axis in grid.axes}
        builder.add_outcomes(end - begin, axes, part["score"], part["y"], part["score"])
    return builder.profile


def expected(grid, rows):
    """Return the same as margins and moments by sex, row by row."""
    cells = grid.fields["score"]
    table = np.zeros((4, 3, 3, cells.cells), np.int64)
    moments = {name: np.zeros((4, 3)) for name in (*COUNTS, *SUMS)}
    for sex, score, label in zip(rows["sex"], rows["score"], rows["y"], strict=True):
        if not np.isfinite(score):
            continue
        group = SEXES.index(sex)
        classes = bool(grid.label.positive)
        code = {0: NEGATIVE, 1: POSITIVE}.get(label, UNKNOWN) if classes else UNKNOWN
        cell = np.searchsorted(cells.edges, score, side="right")
        table[group, POSITIVE if score >= 0.5 else NEGATIVE, code, cell] += 1
        standard = (score - cells.center) / cells.scale
        added = {"rows": 1, "score": standard, "score_squared": standard**2}
        if classes and code != UNKNOWN and 0 <= score <= 1:
            error = score - label
        elif not classes and label is not None:
            error = (score - label) / cells.scale
        else:
            error = None
        if error is not None:
            added |= {"error_rows": 1, "error": error, "absolute": abs(error)}
            added |= {"squared": error**2, "fourth": error**4}
        for name, value in added.items():
            moments[name][group, code] += value
    return table, moments


@pytest.mark.parametrize(
    ("grid", "labels"), [(CLASSES, (0, 1, None)), (NUMBERS, (0.25, 3.0, None))]
)
def test_rows_and_moments_are_those_of_a_slow_count(grid, labels):
    rows = rows_of(1, 2000, labels)
    found = counted(grid, rows, cuts=(1, 700)).group_scores
    table, moments = expected(grid, rows)
    assert found.level == 0
    assert (found.margin("sex") == table).all()
    for name, wanted in moments.items():
        assert found.moments("sex")[name] == pytest.approx(wanted, rel=1e-12, abs=1e-12), name


def test_margins_are_the_counts_that_profiles_always_had():
    profile = counted(CLASSES, rows_of(2, 3000))
    scores = profile.group_scores.margin()
    assert scores.sum(axis=0)[:UNKNOWN].tolist() == profile.score_by_label.tolist()
    assert scores.sum(axis=1)[:UNKNOWN].tolist() == profile.score_by_decision.tolist()
    by_both = profile.group_scores.margin("age", "sex")
    assert by_both.sum(axis=(1, 4)).sum() == scores.sum()
    assert by_both.sum(axis=0).tolist() == profile.group_scores.margin("sex").tolist()
    moments = profile.group_scores.moments()
    assert moments["error_rows"].sum() == profile.errors.rows
    for name in ("error", "absolute", "squared", "fourth"):
        assert moments[name].sum() == pytest.approx(getattr(profile.errors, name), rel=1e-12)
    # Rows without a finite score are in the outcome table only.
    lacking = profile.outcomes.margin("sex").sum() - profile.group_scores.margin("sex").sum()
    assert lacking == profile.rows - scores.sum() > 0


@pytest.mark.slow
@pytest.mark.parametrize("most", [7, 40, 300, 10**6])
@given(
    rows=st.integers(1, 300),
    cuts=st.sets(st.integers(0, 300), max_size=5),
    held=st.sampled_from([1, 50, 10**6]),
    waiting=st.sampled_from([1, 50, 10**6]),
    sparse=st.sampled_from([0, 10**6]),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_any_division_and_order_of_merges_give_the_same_counts_at_the_same_level(
    most, rows, cuts, held, waiting, sparse, order
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_ENTRIES", most)
        data = rows_of(rows, rows)
        mine = counted(CLASSES, data).group_scores
        level = mine.level  # which settles it, while so many cells are kept
        patch.setattr(module, "HELD_ROWS", held)
        patch.setattr(module, "_WAITING", waiting)
        patch.setattr(module, "_SPARSE", sparse)  # all in one table, or sorted
        mixed = list(range(rows))
        order.shuffle(mixed)
        places = [0, *sorted(min(cut, rows) for cut in cuts), rows]
        parts = [
            counted(CLASSES, {name: values[mixed[begin:end]] for name, values in data.items()})
            for begin, end in pairwise(places)
        ]
        order.shuffle(parts)
        total = merged(parts).group_scores
        assert (total.width, total.level) == (mine.width, level)
    for name in ("codes", "rows", "groups", "counts"):
        assert getattr(total, name).tolist() == getattr(mine, name).tolist()
    assert total.sums == pytest.approx(mine.sums, rel=1e-12, abs=1e-12)
    assert len(mine.codes) <= most or mine.width == 1


def test_a_coarser_table_is_the_fine_one_with_neighbours_put_together(monkeypatch):
    rows = rows_of(3, 4000)
    fine = counted(CLASSES, rows).group_scores.margin("sex")
    monkeypatch.setattr(module, "MOST_ENTRIES", 1000)
    found = counted(CLASSES, rows).group_scores
    step = 2**found.level
    assert found.level > 0
    starts = np.arange(0, fine.shape[-1], step)
    assert found.margin("sex").tolist() == np.add.reduceat(fine, starts, axis=-1).tolist()


@pytest.mark.parametrize("largest", [0, 2**40])  # sorted, and in one table
def test_codes_are_put_together_in_one_table_or_by_sorting(largest, monkeypatch):
    monkeypatch.setattr(module, "_MOST_CELLS", largest)
    ours, others = (GroupScores(("g",), (2,), 4) for _ in range(2))
    ours.add(np.array([0, 1] * 9), np.zeros(18, np.int64), np.array([3, 0] * 9))
    for code in (5, 71):
        others.add(np.array([code // 36]), np.array([code // 4 % 9]), np.array([code % 4]))
    ours.merge(others)
    assert dict(zip(ours.codes.tolist(), ours.rows.tolist(), strict=True)) == {
        3: 9,
        5: 1,
        36: 9,
        71: 1,
    }


def test_rows_of_groups_are_the_margin_with_the_groups_put_together():
    scores = counted(CLASSES, rows_of(8, 3000)).group_scores
    table = scores.margin("age", "sex")
    groups = np.random.default_rng(2).integers(0, 5, table.shape[0] * table.shape[1])
    wanted = np.zeros((5, *table.shape[2:]), np.int64)
    np.add.at(wanted, groups, table.reshape(-1, *table.shape[2:]))
    assert scores.rows_of(("age", "sex"), groups, 5).tolist() == wanted.tolist()


def test_moments_of_very_many_groups_are_counted_too():
    attributes = {
        name: Attribute(name, name, bins=tuple(map(float, range(1, 60)))) for name in ("a", "b")
    }
    grid = grid_of(Label("y", ("1",)), attributes)
    rng = np.random.default_rng(5)
    rows = {
        "a": rng.uniform(0, 60, 3000),
        "b": rng.uniform(0, 60, 3000),
        "score": rng.random(3000),
        "y": rng.integers(0, 2, 3000),
    }
    moments = counted(grid, rows, cuts=(10,)).group_scores.moments("b")
    of_b = np.searchsorted(np.arange(1, 60), rows["b"], side="right")
    cells = grid.fields["score"]
    standard = (rows["score"] - cells.center) / cells.scale
    sums = np.bincount(of_b, standard, 62)
    assert moments["score"].sum(axis=1) == pytest.approx(sums, rel=1e-10, abs=1e-10)
    assert moments["rows"].sum(axis=1).tolist() == np.bincount(of_b, minlength=62).tolist()


def test_what_is_needed_grows_with_the_rows_not_with_what_groups_could_be_combined():
    found = GroupScores(("a", "b", "c", "d", "e"), (102,) * 5, 10)
    found.add_scores(np.array([0, 102**5 - 1]), np.array([POSITIVE, UNKNOWN]), np.array([0.5, 2.0]))
    moments = found.moments("e")
    assert moments["rows"].sum(axis=1)[[0, -1]].tolist() == [1, 1]
    assert moments["score"].sum(axis=1)[[0, -1]].tolist() == [0.5, 2.0]


@pytest.mark.parametrize("many", [6, 8])
def test_groups_whose_combinations_have_no_codes_are_refused(many):
    attributes = {name: Attribute(name, name) for name in "abcdefgh"[:many]}
    draft = GridDraft(SCORE, attributes, DECISION, Label("y", ("1",)))
    for name in attributes:
        draft.add_attribute(name, pa.array([f"{value:03}" for value in range(200)]))
    draft.add_field("score", pa.array(np.linspace(0, 1, 5000)))
    if many == 6:
        assert len(draft.grid().attributes) == many
        return
    with pytest.raises(BaselineError, match=r"combinations of groups \(a 102, b 102, .*h 102\)"):
        draft.grid()


def test_they_come_back_from_the_bytes_form_and_go_on_being_added_to():
    profile = counted(CLASSES, rows_of(4, 500))
    data = profile_to_bytes(profile)
    there = profile_from_bytes(data)
    assert profile_to_bytes(there) == data
    assert (
        merged([there, profile]).group_scores.margin("sex").tolist()
        == (2 * profile.group_scores.margin("sex")).tolist()
    )
    empty = ProfileBuilder(CLASSES).profile
    again = profile_from_bytes(profile_to_bytes(empty))
    assert again.group_scores.margin("sex").sum() == 0
    assert content_digest(profile_to_bytes(merged([empty, profile]))) == content_digest(data)


def test_without_attributes_or_a_score_nothing_is_counted_and_nothing_is_stored():
    alone = grid_of(Label("y", ("1",)), {})
    profile = counted(alone, {"score": np.array([0.5]), "y": np.array([1])})
    assert profile.group_scores is None
    assert profile_from_bytes(profile_to_bytes(profile)).group_scores is None


def test_of_a_week_with_a_day_of_before_they_are_not_counted():
    profile = counted(CLASSES, rows_of(6, 50))
    before = profile_from_bytes(profile_to_bytes(profile))
    before.group_scores = None
    assert merged([profile, before]).group_scores is None
    assert merged([before, profile]).group_scores is None


def test_numbers_beyond_doubles_end_in_sums_that_are_not_finite():
    found = GroupScores(("sex",), (4,), 10)
    found.add_numbers(np.array([0, 1]), np.array([1e200, 1.0]))
    moments = found.moments("sex")
    assert moments["error_rows"].tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert np.isinf(moments["fourth"][0, UNKNOWN])
    assert moments["fourth"][1, UNKNOWN] == 1.0


@pytest.mark.parametrize("groups", [2, 40, 100_000])  # codes of 16, of 32 and of 64 bits
def test_codes_of_any_width_are_counted_as_one_by_one(groups, monkeypatch):
    monkeypatch.setattr(module, "HELD_ROWS", 700)
    rng = np.random.default_rng(groups)
    rows = 2000
    drawn = rng.integers(0, groups, rows) * (rng.random(rows) < 0.5)
    outcomes, cells = rng.integers(0, 9, rows), rng.integers(2400, 2447, rows)
    scores = GroupScores(("g",), (groups,), 2447)
    for begin in range(0, rows, 300):
        part = slice(begin, begin + 300)
        scores.add(drawn[part], outcomes[part], cells[part])
    held = Counter(zip(drawn.tolist(), outcomes.tolist(), cells.tolist(), strict=True))
    wanted = {(group * 9 + outcome) * 2447 + cell: n for (group, outcome, cell), n in held.items()}
    assert scores.level == 0
    assert dict(zip(scores.codes.tolist(), scores.rows.tolist(), strict=True)) == wanted
    assert scores.codes.tolist() == sorted(wanted)

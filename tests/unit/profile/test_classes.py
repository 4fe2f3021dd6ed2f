"""Rows by predicted and true class: merged, stored, divided, and read as decisions by labels."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from monitor.domain.field import Attribute, Classes, Decision, Field, FieldKind, Label
from monitor.domain.segment import Segment
from monitor.profile.class_bytes import described_classes
from monitor.profile.class_scores import EDGES
from monitor.profile.classes import (
    ClassColumns,
    class_codes,
    label_class_codes,
    one_against_rest,
)
from monitor.profile.codec import (
    grid_from_bytes,
    grid_to_bytes,
    profile_from_bytes,
    profile_to_bytes,
)
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.labels import unmapped_labels
from monitor.profile.profile import merged

CLASSES = Classes("said", ("a", "b", "c"), ("pa", "pb", "pc"))
FIELD = Field("x", "x", FieldKind.NUMERIC)


def drafted(classes=CLASSES):
    draft = GridDraft(
        (FIELD,),
        {"sex": Attribute("sex", "sex")},
        Decision("said", ("a",)),
        Label("came", ("a",)),
        [Segment("place", ("place",), 5)],
        classes=classes,
    )
    draft.add_field("x", pa.array([1.0, 2.0]))
    draft.add_attribute("sex", pa.array(["f", "m"]))
    draft.add_segments({"place": pa.array(["n", "s"])}, 2)
    return draft.grid()


GRID = drafted()


def counted(said, came, sex=None, places=None, chances=None):
    builder, rows = ProfileBuilder(GRID), len(said)
    builder.divide({"place": pa.array(places or ["n"] * rows)}, rows)
    builder.add_rows(rows, None, None)
    columns = [pa.array(column) for column in zip(*chances, strict=True)] if chances else [None] * 3
    builder.add_outcomes(
        rows,
        {"sex": pa.array(sex or ["f"] * rows)},
        pa.array(said, pa.string()),
        pa.array(came, pa.string()),
        classes=ClassColumns(pa.array(said, pa.string()), columns),
    )
    return builder


def test_rows_are_counted_by_predicted_and_true_class_and_nobody_is_lost():
    builder = counted(["a", "a", "b", "zebra", None, "c"], ["a", "b", "b", "a", "c", None])
    table = builder.profile.classes.table.margin()
    assert table.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 1, 0]]
    assert table.sum() == builder.profile.rows
    assert builder.profile.classes.labelled == 5
    assert +builder.unread == {"said": 1}  # the zebra; a null is none, not another one


@pytest.mark.parametrize(
    "values", [[0, 1, 2, 9], [0.0, 1.0, 2.0, None], ["0", "1", "2.0", "x"], ["0", "1", "2", None]]
)
def test_a_class_is_the_same_in_every_form(values):
    codes = class_codes(Classes("y", ("0", "1", "2")), pa.array(values), 4)
    assert codes.tolist() == [0, 1, 2, 3]
    assert class_codes(Classes("y", ("0", "1", "2")), None, 2).tolist() == [3, 3]


CODED = Classes("said", ("a", "b", "c"), (), (("0", "a"), ("1", "b"), ("2", "c"), ("7", "c")))


@pytest.mark.parametrize("values", [[0, 1, 7, 9], [0.0, 1.0, 7.0, None], ["0", "1.0", "7", "a"]])
def test_a_label_means_its_class_in_every_form(values):
    assert label_class_codes(CODED, pa.array(values), 4).tolist() == [0, 1, 2, 3]
    assert label_class_codes(CLASSES, pa.array(["a", "c"]), 2).tolist() == [0, 2]


def test_labels_that_mean_no_class_are_named():
    column = pa.array([0, 7, 9, 9, None])
    assert unmapped_labels(Label("came"), column, CODED) == [("9", 2)]


def test_what_labels_mean_is_kept_with_the_grid_and_a_grid_without_has_the_bytes_it_had():
    grid = drafted(CODED)
    assert grid_from_bytes(grid_to_bytes(grid)).classes == CODED
    plain = described_classes(replace(CODED, labels=()))
    assert plain == {"column": "said", "values": ("a", "b", "c"), "probabilities": ()}


def test_labels_that_are_no_class_are_named():
    column = pa.array(["a", "d", "d", None])
    assert unmapped_labels(Label("came"), column, CLASSES) == [("d", 2)]
    assert unmapped_labels(None, column) == []


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", None]),
        st.sampled_from(["a", "b", "c", "d", None]),
        st.sampled_from(["f", "m", "x", None]),
        st.sampled_from(["n", "s", "w", None]),
        st.sampled_from([(0.2, 0.3, 0.5), (1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (None, 0.5, 0.5)]),
    ),
    min_size=1,
    max_size=40,
)


def built(rows):
    return counted(*(list(column) for column in zip(*rows, strict=True))).profile


@pytest.mark.slow
@given(ROWS, st.integers(1, 39))
def test_parts_add_up_to_the_whole_and_slices_to_their_sum(rows, cut):
    whole = built(rows)
    for of_one in whole.segments.values():
        slices = merged(of_one.values()).classes
        assert slices.table.margin("sex").tolist() == whole.classes.table.margin("sex").tolist()
        assert slices.errors is None
        assert slices.scores.rows.tolist() == whole.classes.scores.rows.tolist()
        assert slices.scores.outside == whole.classes.scores.outside
        assert slices.scores.sums == pytest.approx(whole.classes.scores.sums, rel=1e-12)
        assert slices.squares is None
    if cut < len(rows):
        parts = [
            profile_from_bytes(profile_to_bytes(built(part))) for part in (rows[:cut], rows[cut:])
        ]
        for order in (parts, parts[::-1]):
            total = merged(order)
            assert total.classes.table.margin("sex").tolist() == (
                whole.classes.table.margin("sex").tolist()
            )
            assert total.classes.errors.rows == whole.classes.errors.rows
            assert total.classes.errors.outside == whole.classes.errors.outside
            assert total.classes.errors.log == pytest.approx(whole.classes.errors.log, rel=1e-12)
            assert total.classes.scores.rows.tolist() == whole.classes.scores.rows.tolist()
            assert total.classes.scores.outside == whole.classes.scores.outside
            assert total.classes.scores.sums == pytest.approx(whole.classes.scores.sums, rel=1e-12)
            assert asdict(total.classes.squares) == pytest.approx(asdict(whole.classes.squares))


@pytest.mark.slow
@given(ROWS)
def test_one_class_against_the_rest_is_the_outcome_table_of_that_class(rows):
    profile = built(rows)
    derived = one_against_rest(profile.classes.table.margin("sex"), [0])
    outcomes = profile.outcomes.margin("sex")
    # The rest of the tables differs: the outcome table takes "d" for one of all other values.
    assert derived[..., 1, 1].tolist() == outcomes[..., 1, 1].tolist()
    assert derived.sum(axis=(1, 2)).tolist() == outcomes.sum(axis=(1, 2)).tolist()


@given(st.lists(st.integers(0, 50), min_size=32, max_size=32), st.sets(st.integers(0, 2)))
def test_a_favourable_set_is_counted_as_by_hand(cells, positive):
    table = np.array(cells).reshape(2, 4, 4)
    found = one_against_rest(table, positive)
    kind = [1 if code in positive else 2 if code == 3 else 0 for code in range(4)]
    slow = np.zeros((2, 3, 3), np.int64)
    for group in range(2):
        for said in range(4):
            for came in range(4):
                slow[group, kind[said], kind[came]] += table[group, said, came]
    assert found.tolist() == slow.tolist()


def test_only_rows_with_all_probabilities_and_a_label_are_summed():
    chances = [(0.2, 0.3, 0.5), (0.2, 0.3, 0.5), (0.9, 0.9, 0.9), (None, 0.5, 0.5), (1.0, 0.0, 0.0)]
    counts = counted(["a"] * 5, ["a", None, "a", "a", "c"], chances=chances).profile.classes
    errors, squares = counts.errors, counts.squares
    assert (errors.rows, errors.outside) == (2, 1)
    assert errors.log == pytest.approx(-np.log(0.2) - np.log(np.finfo(float).eps), rel=1e-14)
    first, second = 0.64 + 0.09 + 0.25, 1.0 + 1.0
    assert (squares.rows, squares.squared) == (2, pytest.approx(first + second, rel=1e-14))
    assert squares.fourth == pytest.approx(first**2 + second**2, rel=1e-14)


@pytest.mark.slow
@given(ROWS)
def test_each_class_is_counted_by_its_probability_as_by_hand(rows):
    scores = built(rows).classes.scores
    told = [(said, came, chances) for said, came, _, _, chances in rows if said in ("a", "b", "c")]
    whole = [row for row in told if None not in row[2]]
    are = [row for row in whole if sum(row[2]) == 1]
    assert scores.outside == len(whole) - len(are)
    for code, name in enumerate("abc"):
        for predicted in (0, 1):
            of = [row for row in are if (row[0] == name) == predicted]
            labels = [2 if came not in ("a", "b", "c") else int(came == name) for _, came, _ in of]
            found = scores.rows[code, predicted].sum(axis=1)
            assert found.tolist() == [labels.count(label) for label in range(3)]
            summed = sum(chances[code] for _, _, chances in of)
            assert scores.sums[code, predicted].sum() == pytest.approx(summed)


def test_a_probability_is_in_the_cell_between_the_edges_around_it():
    scores = counted(["a"], ["b"], chances=[(0.2, 0.3, 0.5)]).profile.classes.scores
    for code, chance in enumerate((0.2, 0.3, 0.5)):
        (cell,) = np.flatnonzero(scores.rows[code].sum(axis=(0, 1)))
        assert EDGES[cell - 1] <= chance < EDGES[cell]


def test_a_profile_of_before_probabilities_were_counted_is_read_and_summed_without_them():
    some = counted(["a"], ["a"], chances=[(0.2, 0.3, 0.5)]).profile
    before = profile_from_bytes(profile_to_bytes(some))
    before.classes.scores = before.classes.squares = None
    again = profile_from_bytes(profile_to_bytes(before))
    assert again.classes.scores is None
    assert again.classes.squares is None
    assert again.classes.errors.rows == 1
    for order in ([some, again], [again, some]):
        assert merged(order).classes.scores is None
        assert merged(order).classes.squares is None
    assert drafted(Classes("said", ("a", "b"))).classes.probabilities == ()
    plain = ProfileBuilder(drafted(Classes("said", ("a", "b")))).profile
    assert plain.classes.scores is None
    assert plain.classes.squares is None


def test_a_grid_comes_back_with_its_classes_and_one_without_has_the_bytes_it_had():
    again = grid_from_bytes(grid_to_bytes(GRID))
    assert again.classes == CLASSES
    assert {"said", "pa", "pb", "pc"} <= again.read_columns
    assert again.digest == GRID.digest
    plain = drafted(None)
    assert plain.classes is None
    assert grid_to_bytes(plain) != grid_to_bytes(replace(plain, classes=CLASSES))


def test_a_profile_of_before_classes_says_that_they_were_not_counted():
    plain = ProfileBuilder(drafted(None)).profile
    there = profile_from_bytes(profile_to_bytes(plain))
    assert there.classes is None
    some = counted(["a"], ["a"]).profile
    before = replace(profile_from_bytes(profile_to_bytes(some)), classes=None)
    for order in ([some, before], [before, some]):
        assert merged(order).classes is None

"""Sums of errors, against the definitions written out."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.field import Decision, Field, FieldKind, FieldRole, Label
from monitor.profile.draft import GridDraft
from monitor.profile.errors import ErrorSums
from monitor.profile.kernel import ProfileBuilder, label_numbers
from monitor.profile.profile import merged

SCORE = Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE)
CHANCES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def built(label, scores, labels, fields=(SCORE,)):
    draft = GridDraft(fields, {}, Decision("d", ("1",)), label)
    draft.add_field(fields[0].name, pa.array([1.0, 2.0, 3.0, 5.0]))
    builder = ProfileBuilder(draft.grid())
    builder.add_outcomes(len(scores), {}, None, labels, pa.array(scores, pa.float64()))
    return builder


@pytest.mark.slow
@settings(max_examples=100, deadline=None, derandomize=True)
@given(CHANCES)
def test_errors_of_chances_are_summed_as_defined(rows):
    sums = ErrorSums()
    scores, positive = (np.array(column) for column in zip(*rows, strict=True))
    sums.add_chances(scores.astype(float), positive)
    errors = [score - label for score, label in rows]
    given_to_own = [score if label else 1 - score for score, label in rows]
    losses = [-math.log(max(p, 2.0**-52)) for p in given_to_own]
    assert sums.rows == len(rows)
    assert sums.error == pytest.approx(math.fsum(errors), abs=1e-12)
    assert sums.absolute == pytest.approx(math.fsum(map(abs, errors)), abs=1e-12)
    assert sums.squared == pytest.approx(math.fsum(e**2 for e in errors), abs=1e-12)
    assert sums.fourth == pytest.approx(math.fsum(e**4 for e in errors), abs=1e-12)
    assert sums.log == pytest.approx(math.fsum(losses), rel=1e-12)
    assert sums.log_squared == pytest.approx(math.fsum(x**2 for x in losses), rel=1e-12)


def test_a_score_that_is_no_chance_is_counted_and_not_summed():
    sums = built(Label("y", ("1",)), [0.25, -0.1, 1.5, None, 1.0], pa.array([1, 1, 0, 1, 1]))
    assert (sums.profile.errors.rows, sums.profile.errors.outside) == (2, 2)
    assert sums.profile.errors.squared == 0.75**2


def test_errors_of_numbers_are_in_the_scale_of_the_score():
    builder = built(Label("y"), [2.0, 3.0, None, 4.0], pa.array([1.0, 5.0, 2.0, None]))
    sums, scale = builder.profile.errors, builder._grid.fields["score"].scale
    assert (sums.labelled, sums.rows, sums.outside) == (3, 2, 0)
    assert [sums.error * scale, sums.absolute * scale] == pytest.approx([-1.0, 3.0])
    assert [sums.squared * scale**2, sums.fourth * scale**4] == pytest.approx([5.0, 17.0])
    assert sums.log == 0.0
    assert not builder.profile.score_by_label.any()


def test_labels_are_counted_where_the_model_predicts_no_number():
    feature = Field("f", "f", FieldKind.NUMERIC)
    builder = built(Label("y"), [2.0, 3.0], pa.array([1.0, None]), (feature,))
    assert (builder.profile.errors.labelled, builder.profile.errors.rows) == (1, 0)


def test_a_number_predicted_is_held_against_a_numeric_label_only():
    prediction = Field("p", "p", FieldKind.NUMERIC, FieldRole.PREDICTION)
    assert built(Label("y"), [1.0], pa.array([1.0]), (prediction,))._grid.score == "p"
    assert built(Label("y", ("1",)), [1.0], pa.array([1]), (prediction,))._grid.score == ""
    both = built(Label("y"), [1.0], pa.array([1.0]), (SCORE, prediction))
    assert both._grid.score == "score"


def test_numbers_near_the_largest_make_sums_that_say_so():
    sums = built(Label("y"), [1.7e308, 1.0], pa.array([-1.7e308, 1.0])).profile.errors
    assert sums.rows == 2
    assert math.isinf(sums.squared)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_a_label_table_brings_numbers_as_texts(kind):
    texts = ["12.5", "-3", "1e3", "ten", "", " 4", None, "nan", "inf", "12\n"]
    numbers = label_numbers(Label("y"), pa.array(texts).cast(kind))
    assert numbers[:3].tolist() == [12.5, -3.0, 1000.0]
    assert np.isnan(numbers[3:]).all()


def test_a_label_of_two_classes_is_no_number():
    assert label_numbers(Label("y", ("1",)), pa.array([1.0])) is None
    assert label_numbers(None, pa.array([1.0])) is None


def test_labels_that_are_no_numbers_are_counted_as_unread():
    builder = built(Label("y"), [1.0] * 5, pa.array(["1", "ten", None, "inf", "2"]))
    assert builder.unread["y"] == 2
    assert builder.profile.errors.labelled == 2
    infinite = built(Label("y"), [1.0] * 3, pa.array([1.0, np.inf, np.nan]))
    assert infinite.unread["y"] == 1


@pytest.mark.slow
@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=40),
    st.integers(1, 39),
)
def test_a_whole_is_the_sum_of_its_parts(rows, cut):
    def part(some):
        scores, labels = zip(*some, strict=True) if some else ((), ())
        return built(Label("y"), list(scores), pa.array(labels, pa.float64())).profile

    whole, parts = part(rows).errors, merged([part(rows[:cut]), part(rows[cut:])]).errors
    assert (whole.labelled, whole.rows) == (parts.labelled, parts.rows)
    for name in ("error", "absolute", "squared", "fourth"):
        size = whole.fourth if name == "fourth" else whole.squared + whole.absolute
        assert getattr(whole, name) == pytest.approx(
            getattr(parts, name), rel=1e-12, abs=1e-12 * size
        )

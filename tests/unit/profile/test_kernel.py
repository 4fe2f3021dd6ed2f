from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from monitor.domain.field import Attribute, Label
from monitor.domain.field import Decision as Rule
from monitor.profile.counts import (
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    CategoricalCounts,
    NumericCounts,
    value_name,
)
from monitor.profile.draft import attribute_grid, numeric_grid
from monitor.profile.grid import CategoricalGrid, Grid
from monitor.profile.kernel import (
    ProfileBuilder,
    Scoring,
    count_floats,
    count_numbers,
    count_values,
    decision_codes,
    group_codes,
    label_codes,
    to_numbers,
)

INF = float("inf")
NAN = float("nan")


def numbers(column, sample=(0.0, 1.0, 2.0)):
    grid = numeric_grid(np.array(sample, float))
    counts = NumericCounts.empty(grid)
    count_numbers(counts, grid, column)
    return counts, grid


def values(column, listed=("a", "b"), *, boolean=False, complete=True):
    counts = CategoricalCounts(np.zeros(len(listed), np.int64))
    count_values(counts, CategoricalGrid(tuple(listed), complete), column, boolean=boolean)
    return counts


def test_every_row_of_a_number_column_is_counted_once():
    column = pa.array([NAN, INF, -INF, None, 0.0, -0.0, 1e308, -1e308, 5e-324, 1.0, -2.5])
    counts, _ = numbers(column)
    assert counts.rows == len(column)
    assert (counts.null, counts.nan, counts.positive_infinite, counts.negative_infinite) == (
        1,
        1,
        1,
        1,
    )
    assert (counts.n, counts.zeros, counts.negatives) == (7, 2, 2)
    assert (counts.low, counts.high) == (-1e308, 1e308)


def test_minus_zero_is_zero_in_any_order():
    for column in ([-0.0, 0.0], [0.0, -0.0], [-0.0]):
        counts, grid = numbers(pa.array(column), sample=[0.0] * 5)
        assert grid.atoms[np.flatnonzero(counts.cells)].all()
        assert (counts.zeros, counts.negatives) == (len(column), 0)
        assert np.copysign(1, counts.low) == np.copysign(1, counts.high) == 1


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2, None], pa.int8()),
        pa.array([1, 2, None], pa.uint64()),
        pa.array([1, 2, None], pa.float32()),
        pa.array([np.float16(1), np.float16(2), None], pa.float16()),
        pa.array([Decimal(1), Decimal("2.00"), None], pa.decimal128(18, 2)),
        pa.array([Decimal(1), Decimal(2), None], pa.decimal256(50, 10)),
        pa.array([1, 2, None]).dictionary_encode(),
        pa.chunked_array([[1], [2, None]]),
        pa.chunked_array(
            [pa.array([1]).dictionary_encode(), pa.array([2, None]).dictionary_encode()]
        ),
        pa.DictionaryArray.from_arrays([0, 1, 2], pa.array([1.0, 2.0, None])),
    ],
)
def test_numbers_of_every_type_are_the_same_numbers(column):
    counts, _ = numbers(column)
    reference, _ = numbers(pa.array([1.0, 2.0, None]))
    assert counts.cells.tolist() == reference.cells.tolist()
    assert (counts.null, counts.invalid) == (1, 0)


def test_unsigned_integers_beyond_the_signed_ones_stay_positive():
    counts, _ = numbers(pa.array([2**64 - 1], pa.uint64()))
    assert counts.high == 2.0**64
    assert counts.negatives == 0


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["1", None]),
        pa.array(["1", None]).dictionary_encode(),
        pa.array([b"1", None]),
        pa.array([[1.0], None]),
        pa.array([{"a": 1.0}, None]),
        pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
        pa.array([datetime(2005, 7, 1, tzinfo=UTC), None]),
        pa.array([1, None], pa.duration("s")),
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16, None], pa.binary(16))),
    ],
)
def test_what_is_no_number_is_invalid_never_zero(column):
    counts, _ = numbers(column)
    assert (counts.invalid, counts.null, counts.n) == (1, 1, 0)


@pytest.mark.parametrize("column", [pa.nulls(3), pa.array([None] * 3, pa.float64())])
def test_a_column_of_nulls_is_null(column):
    counts, _ = numbers(column)
    assert (counts.null, counts.rows) == (3, 3)
    assert values(column).null == 3


def test_an_empty_column_counts_nothing():
    for column in (pa.array([], pa.float64()), pa.chunked_array([], pa.float64())):
        assert numbers(column)[0].rows == 0
    empty = pa.chunked_array([], pa.dictionary(pa.int32(), pa.string()))
    assert values(empty).rows == 0


def test_counts_and_sums_equal_a_search_for_every_value():
    rng = np.random.default_rng(7)
    sample = np.concatenate([rng.standard_t(2, 5000), np.repeat(3.0, 400)])
    data = np.concatenate([rng.standard_t(2, 5000) * 2, np.repeat(3.0, 300), sample[:50]])
    counts, grid = numbers(pa.array(data), sample)
    places = np.searchsorted(grid.edges, data, side="right")
    standard = (data - grid.center) / grid.scale
    sums = np.bincount(places, standard, grid.cells)
    assert counts.cells.tolist() == np.bincount(places, minlength=grid.cells).tolist()
    assert counts.sums == pytest.approx(sums, rel=1e-12, abs=1e-9)
    assert counts.squares == pytest.approx((standard**2).sum(), rel=1e-12)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint32", "int64", "uint64", "float64"])
@pytest.mark.parametrize("gaps", [False, True])
def test_integers_that_lie_close_together_are_counted_as_numbers_are(kind, gaps):
    rng = np.random.default_rng(11)
    low = 0 if kind.startswith("u") else -40
    data = np.clip(rng.poisson(30, 5000) + low, low, 100)
    null = rng.random(5000) < 0.1 if gaps else None
    column = pa.array(data, mask=null).cast(kind).slice(7)
    sample = data[::3] / 1.7 if gaps else data  # the grid of numbers, and that of each value
    counts, grid = numbers(column, sample)
    scores = np.arange(grid.cells).astype(np.int8)
    found, wanted = np.full((2, len(column)), -128, np.int8)
    few, every = NumericCounts.empty(grid), NumericCounts.empty(grid)
    count_numbers(few, grid, column, Scoring(scores, found))
    doubles = column.cast(pa.float64())
    count_floats(every, grid, *to_numbers(doubles), Scoring(scores, wanted))
    assert few.cells.tolist() == every.cells.tolist() == counts.cells.tolist()
    assert found.tolist() == wanted.tolist()
    assert few.sums == pytest.approx(every.sums, rel=1e-12, abs=1e-9)
    assert few.squares == pytest.approx(every.squares, rel=1e-12)
    for name in ("null", "zeros", "negatives", "low", "high", "n", "rows"):
        assert getattr(few, name) == getattr(every, name)


@pytest.mark.parametrize("first", [-(2**63), 2**62, 2**63 - 50, 2**53 - 5])
def test_integers_at_the_end_of_their_type_are_where_a_search_finds_them(first):
    data = np.repeat(np.arange(50, dtype=np.uint64), 20) + np.uint64(first % 2**64)
    column = pa.array(data.view(np.int64))
    counts, grid = numbers(column, data.view(np.int64).astype(float) * 0.99)
    places = np.searchsorted(grid.edges, data.view(np.int64).astype(float), side="right")
    assert counts.cells.tolist() == np.bincount(places, minlength=grid.cells).tolist()
    assert (counts.low, counts.high) == (float(first), float(first + 49))


def test_values_near_the_largest_double_overflow_into_infinity_not_into_a_warning():
    counts, _ = numbers(pa.array([1.7e308, -1.7e308]), sample=[0.0, 1e-300])
    assert counts.n == 2
    assert not np.isfinite(counts.squares)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 0, None]),
        pa.array([1.0, 0.0, NAN]),
        pa.array([1.0, -0.0, None], pa.float32()),
        pa.array(["1", "0", None]),
        pa.array([Decimal("1.00"), Decimal(0), None]),
        pa.array(["1", "0", None]).dictionary_encode(),
        pa.array([b"1", b"0", None]),
        pa.DictionaryArray.from_arrays([0, 1, 2], pa.array(["1", "0", None])),
    ],
)
def test_one_value_is_one_category_in_every_type(column):
    counts = values(column, ("0", "1"))
    assert counts.values.tolist() == [1, 1]
    assert counts.null == 1


def test_hostile_texts_are_values_and_blanks_tell_them_apart():
    texts = ["", "None", "nan", "NaN", " a", "a ", "A", "a\x00", '"', "\n"]
    counts = values(pa.array([*texts, None]), ("a",))
    assert (counts.null, counts.unseen.rows, counts.values[0]) == (1, len(texts), 0)
    assert set(counts.unseen.counts) == set(texts)


def test_values_outside_an_incomplete_list_are_other():
    counts = values(pa.array(["a", "z"]), ("a",), complete=False)
    assert (counts.other, counts.unseen.rows) == (1, 0)


def test_a_dictionary_may_list_values_that_no_row_holds_and_repeat_others():
    column = pa.DictionaryArray.from_arrays([0, 1, 1], pa.array(["a", "a", "gone"]))
    counts = values(column)
    assert counts.values.tolist() == [3, 0]
    assert counts.unseen.counts == {}


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_many_texts_are_looked_up_as_few_are(kind):
    rng = np.random.default_rng(7)
    known = [f"value {place}" for place in range(400)]
    long = ["x" * 300, "y" * 300]
    listed = [*known, value_name(long[0])]
    texts = [
        *known[::-1],
        known[3],
        None,
        *long,
        *(f"new {place}" for place in range(5)),
        "nan",
        "",
    ]
    drawn = rng.integers(0, len(texts), 5000)
    drawn[drawn == 7] = 8  # listed, without a row
    codes = pa.array(drawn, pa.int32(), mask=rng.random(5000) < 0.1)
    column = pa.DictionaryArray.from_arrays(codes, pa.array(texts, kind))
    held = [value for value in column.to_pylist() if value is not None]
    for complete in (True, False):
        counts = values(column, listed, complete=complete)
        named = Counter(value if value in known else value_name(value) for value in held)
        assert counts.values.tolist() == [named.pop(value, 0) for value in listed]
        assert counts.null == 5000 - len(held)
        assert counts.unseen.counts == (named if complete else {})
        assert counts.other == (0 if complete else named.total())


def test_nested_values_are_invalid_as_categories():
    counts = values(pa.array([[1], None]))
    assert (counts.invalid, counts.null, counts.rows) == (1, 1, 2)


@pytest.mark.parametrize(
    ("column", "invalid"),
    [
        (pa.array([True, False, None]), 0),
        (pa.array([1, 0, None]), 0),
        (pa.array([1.0, 0.0, NAN]), 0),
        (pa.array(["TRUE", "false", None]), 0),
        (pa.array(["yes", "no", None]), 2),
        (pa.array([2, -1, None]), 2),
    ],
)
def test_booleans_are_what_can_only_mean_that(column, invalid):
    counts = values(column, ("false", "true"), boolean=True)
    assert (counts.invalid, counts.null) == (invalid, 1)
    assert counts.values.tolist() == ([1, 1] if not invalid else [0, 0])


def test_groups_are_named_binned_unknown_or_unmapped():
    declared = attribute_grid(Attribute("sex", "sex", {"1": "m", "2": "f"}, unknown=("9",)), {})
    codes, strays = group_codes(declared, pa.array([1, 2, 9, None, 3, 3]), 6)
    assert codes.tolist() == [0, 1, 2, 2, 3, 3]
    assert strays == [("3", 2)]
    binned = attribute_grid(Attribute("age", "age", bins=(25.0, 65.0)), {})
    ages = pa.array([24.9, 25.0, 65.0, INF, -INF, NAN, None])
    codes, strays = group_codes(binned, ages, 7)
    assert codes.tolist() == [0, 1, 2, 2, 0, 3, 3]
    assert not strays
    assert group_codes(binned, None, 2)[0].tolist() == [3, 3]
    assert group_codes(binned, pa.array(["30"]), 1)[0].tolist() == [3]


def test_decisions_by_value_and_by_threshold():
    column = pa.array([True, False, None])
    assert decision_codes(Rule("d", ("true",)), column, 3).tolist() == [POSITIVE, NEGATIVE, UNKNOWN]
    score = pa.array([5.0, 4.9, INF, NAN, None])
    assert decision_codes(Rule("d", at_least=5), score, 5).tolist() == [
        POSITIVE,
        NEGATIVE,
        POSITIVE,
        UNKNOWN,
        UNKNOWN,
    ]
    assert decision_codes(None, column, 2).tolist() == [UNKNOWN] * 2
    assert decision_codes(Rule("d", at_least=5), None, 2).tolist() == [UNKNOWN] * 2


def test_a_decision_of_one_meaning_is_the_same_in_every_type():
    for column in (pa.array([True, False]), pa.array([1.0, 0.0]), pa.array(["1", "0"])):
        assert decision_codes(Rule("d", ("true",)), column, 2).tolist() == [POSITIVE, NEGATIVE]


def test_without_a_mapping_words_are_not_guessed():
    assert decision_codes(Rule("d", ("true",)), pa.array(["yes", "no"]), 2).tolist() == [
        UNKNOWN,
        UNKNOWN,
    ]


def test_labels_outside_a_declared_pair_are_unknown():
    label = Label("y", ("yes",), ("no",))
    codes = label_codes(label, pa.array(["yes", "no", "Yes", None]), 4)
    assert codes.tolist() == [POSITIVE, NEGATIVE, UNKNOWN, UNKNOWN]
    assert label_codes(Label("y"), pa.array([1.5]), 1).tolist() == [UNKNOWN]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([1, 0, 2], [POSITIVE, NEGATIVE, NEGATIVE]),
        ([1.0, 0.0, NAN], [POSITIVE, NEGATIVE, UNKNOWN]),
        ([True, False, None], [POSITIVE, NEGATIVE, UNKNOWN]),
        (["1.0", "0", "1e0"], [POSITIVE, NEGATIVE, POSITIVE]),
        (["true", "false", "nan"], [POSITIVE, NEGATIVE, UNKNOWN]),
        (["yes", " 1", ""], [UNKNOWN, UNKNOWN, UNKNOWN]),
        (["1_0", "inf", "0x1"], [UNKNOWN, UNKNOWN, UNKNOWN]),
    ],
)
def test_a_label_declared_by_numbers_is_read_from_numbers_only(values, codes):
    assert label_codes(Label("y", ("1",)), pa.array(values), 3).tolist() == codes


def test_values_that_tell_no_outcome_are_counted_by_column(grid):
    builder = ProfileBuilder(grid)
    builder.add_outcomes(
        4,
        {"sex": pa.array([["f"], ["m"], None, ["f"]])},
        pa.array(["yes", "true", None, "no"]),
        pa.array([1.0, NAN, None, 0.0]),
    )
    assert builder.unread == {"sex": 3, "d": 2, "y": 0}


@pytest.fixture
def grid():
    return Grid(
        fields={"s": numeric_grid(np.arange(10.0)), "c": CategoricalGrid(("x",))},
        columns={"s": "s", "c": "c"},
        booleans=frozenset(),
        attributes=(attribute_grid(Attribute("sex", "sex"), {"f": 1, "m": 1}),),
        decision=Rule("d", ("true",)),
        label=Label("y", ("1",)),
        score="s",
        digest="d",
    )


def test_outcomes_are_counted_by_group_decision_and_label(grid):
    builder = ProfileBuilder(grid)
    builder.add_outcomes(
        4,
        {"sex": pa.array(["f", "m", "m", "q"])},
        pa.array([True, True, None, False]),
        pa.array([1, 0, 1, None]),
        pa.array([3.0, NAN, 5.0, 1.0]),
    )
    table = builder.profile.outcomes.margin("sex")
    assert table[0, POSITIVE, POSITIVE] == 1
    assert table[1, POSITIVE, NEGATIVE] == 1
    assert table[1, UNKNOWN, POSITIVE] == 1
    assert table[3, NEGATIVE, UNKNOWN] == 1
    assert table.sum() == 4
    assert builder.profile.outcomes.unmapped["sex"].counts == {"q": 1}
    assert builder.profile.score_by_label.sum(axis=1).tolist() == [0, 2]


def test_a_file_without_the_column_counts_as_absent(grid):
    builder = ProfileBuilder(grid)
    builder.add_rows(3, None, None)
    for name in grid.fields:
        builder.add_field(name, None, 3)
    builder.add_outcomes(3, {"sex": None}, None, None)
    profile = builder.profile
    assert [profile.fields[name].missing for name in ("s", "c")] == [3, 3]
    assert profile.outcomes.margin("sex")[2, UNKNOWN, UNKNOWN] == 3


def test_counts_of_another_kind_than_the_grid_are_refused(grid):
    builder = ProfileBuilder(grid)
    builder.profile.fields["c"] = NumericCounts.empty(numeric_grid(np.zeros(0)))
    with pytest.raises(ValueError, match="field c is counted as another kind"):
        builder.add_field("c", pa.array(["x"]), 1)


def test_numbers_come_with_the_rows_that_have_none():
    found, null, invalid = to_numbers(pa.array([1.5, None, NAN]))
    assert (found[0], np.isnan(found[1:]).all(), null, invalid) == (1.5, True, 1, 0)
    found, null, invalid = to_numbers(pa.array(["1.5", None]))
    assert (np.isnan(found).all(), null, invalid) == (True, 1, 1)

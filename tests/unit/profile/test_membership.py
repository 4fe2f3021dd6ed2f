"""Which group a row belongs to, whatever its value looks like."""

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import asdict

from monitor.domain.errors import BaselineError
from monitor.domain.field import Attribute, Decision, Effect
from monitor.profile.codec import (
    grid_from_bytes,
    grid_to_bytes,
    profile_from_bytes,
    profile_to_bytes,
)
from monitor.profile.draft import GridDraft, attribute_grid
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.outcome_codes import group_codes
from monitor.profile.profile import merged

DECISION = Decision("d", ("true",), effect=Effect.HARMFUL)


def drafted(columns, attributes, strata=None):
    draft = GridDraft((), attributes, DECISION, None, strata=strata)
    for name, column in columns.items():
        draft.add_attribute(name, column)
    return draft.grid()


def named(attribute, column, counts=None):
    """Return the name of each row's group."""
    grid = attribute_grid(attribute, counts or {})
    codes, strays = group_codes(grid, column, len(column))
    names = [*grid.groups, "(unknown)", "(unmapped)"]
    return [names[code] for code in codes.tolist()], strays


def test_those_who_declined_are_a_group_apart_from_those_nobody_knows():
    attribute = Attribute(
        "sex", "sex", {"1": "m", "2": "f"}, unknown=("9",), declined=("8", "none of it")
    )
    found, strays = named(attribute, pa.array(["1", "2", "8", "9", None, "none of it", "7"]))
    assert found == ["m", "f", "(declined)", "(unknown)", "(unknown)", "(declined)", "(unmapped)"]
    assert strays == [("7", 1)]


def test_a_value_that_is_called_like_the_group_of_the_declined_is_not_in_it():
    attribute = Attribute("sex", "sex", declined=("x",))
    counts = {"(declined)": 5, "f": 3, "m": 2, "x": 1}
    found, strays = named(attribute, pa.array(["(declined)", "f", "m", "x"]), counts)
    assert found == ["(unmapped)", "f", "m", "(declined)"]
    assert strays == [("(declined)", 1)]


def test_bins_have_names_and_numbers_that_are_set_apart():
    attribute = Attribute(
        "age",
        "age",
        bins=(40.0, 62.0),
        labels=("young", "middle", "old"),
        unknown=("-1", "no number"),
        declined=("-2",),
    )
    column = pa.array([39.9, 40.0, 61, 62, -1, -2, None, float("nan"), float("-inf")])
    found, strays = named(attribute, column)
    unknown = ["(unknown)"]
    assert found == [
        "young",
        "middle",
        "middle",
        "old",
        *unknown,
        "(declined)",
        *unknown * 2,
        "young",
    ]
    assert strays == []
    assert named(attribute, pa.array([-1, -2, 5]))[0] == [*unknown, "(declined)", "young"]
    assert named(attribute, pa.array(["50", None]))[0] == unknown * 2


def test_numbers_that_mean_unknown_are_no_broken_data():
    grid = drafted({}, {"age": Attribute("age", "age", bins=(40.0,), unknown=("-1",))})
    builder = ProfileBuilder(grid)
    builder.add_outcomes(3, {"age": pa.array([-1, None, 50])}, None, None)
    assert not builder.unread.total()
    builder.add_outcomes(2, {"age": pa.array(["50", None])}, None, None)
    assert builder.unread == {"age": 1}


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (pa.array([1, 2, 3]), ["one", "two", "(unmapped)"]),
        (pa.array([1.0, 2.0, float("nan")]), ["one", "two", "(unknown)"]),
        (pa.array(["1", "1.0", "01"]), ["one", "(unmapped)", "(unmapped)"]),
        (pa.array([True, False, None]), ["(unmapped)", "(unmapped)", "(unknown)"]),
        (pa.array(["1", " 1", "1\n"]), ["one", "(unmapped)", "(unmapped)"]),
        (pa.array(["\u00e9", "e\u0301", ""]), ["composed", "(unmapped)", "(unmapped)"]),
        (pa.array([b"1", b"\xff", None]), ["one", "(unmapped)", "(unknown)"]),
        (pa.array([["1"], ["1", "2"], None]), ["(unknown)"] * 3),
        (pa.nulls(3), ["(unknown)"] * 3),
    ],
)
def test_one_rule_reads_values_of_every_kind(column, found):
    attribute = Attribute("a", "a", {"1": "one", "2": "two", "\u00e9": "composed"})
    assert named(attribute, column)[0] == found


@pytest.mark.slow
def test_very_many_values_are_counted_and_a_sample_of_them_named():
    grid = drafted({"sex": pa.array(["f", "m"])}, {"sex": Attribute("sex", "sex")})
    builder = ProfileBuilder(grid)
    builder.add_outcomes(5000, {"sex": pa.array([f"x{n}" for n in range(5000)])}, None, None)
    sample = builder.profile.outcomes.unmapped["sex"]
    assert (sample.rows, len(sample.counts), sample.full) == (5000, 512, True)
    assert sample.distinct == pytest.approx(5000, rel=0.15)
    assert builder.profile.outcomes.margin("sex").sum() == 5000


@pytest.mark.parametrize(
    "ages",
    [
        pa.array(range(18, 60)),
        pa.array(np.linspace(18, 60, 60)),
        pa.array(list(range(18, 60)) * 2).dictionary_encode(),
        pa.chunked_array([list(range(18, 30)), list(range(30, 42))]),
    ],
)
def test_an_amount_makes_no_groups_by_itself(ages):
    axes = {"age": Attribute("age", "years"), "sex": Attribute("sex", "sex")}
    told = "age has more than 20 different numbers in 'years': say under bins"
    with pytest.raises(BaselineError, match=told):
        drafted({"age": ages, "sex": pa.array(["f"])}, axes)
    with pytest.raises(BaselineError, match=told):
        drafted({"age": ages}, {"sex": axes["sex"]}, {"age": axes["age"]})
    binned = {"age": Attribute("age", "years", bins=(40.0,))}
    assert drafted({"age": ages}, binned).attributes[0].groups == ("<40", "40+")
    mapped = {"age": Attribute("age", "years", {"18": "eighteen"})}
    assert drafted({"age": ages}, mapped).attributes[0].groups == ("eighteen",)


def test_a_few_numbers_are_codes_and_many_texts_are_bounded():
    few = Attribute("code", "code", unknown=("99",), declined=("98",))
    grid = drafted({"code": pa.array([*range(20), 98, 99])}, {"code": few})
    assert len(grid.attributes[0].groups) == 21
    texts = pa.array([f"school {n}" for n in range(300)])
    grid = drafted({"s": texts}, {"s": Attribute("s", "s")})
    assert len(grid.attributes[0].groups) == 100


def strata_grid():
    return drafted(
        {"sex": pa.array(["f", "m"]), "product": pa.array(["card", "loan"])},
        {"sex": Attribute("sex", "sex")},
        {"product": Attribute("product", "product")},
    )


def test_strata_are_axes_of_the_same_table_and_no_populations():
    grid = strata_grid()
    assert [item.name for item in grid.attributes] == ["sex"]
    builder = ProfileBuilder(grid)
    columns = {
        "sex": pa.array(["f", "f", "m", None]),
        "product": pa.array(["card", "loan", "loan", "boat"]),
    }
    builder.add_outcomes(4, columns, pa.array([True, False, True, True]), None)
    table = builder.profile.outcomes
    assert table.attributes == ("sex", "product")
    # sex: f, m, unknown, unmapped; product: card, loan, unknown, unmapped
    assert table.margin("sex", "product").sum(axis=3).tolist() == [
        [[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0]],
        [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]],
    ]
    assert table.margin("product", "sex").tolist() == (
        table.margin("sex", "product").transpose(1, 0, 2, 3).tolist()
    )
    assert table.unmapped["product"].counts == {"boat": 1}


def test_strata_come_back_from_the_bytes_form_and_merge():
    grid = strata_grid()
    there = grid_from_bytes(grid_to_bytes(grid))
    assert list(map(asdict, there.strata)) == list(map(asdict, grid.strata))
    builder = ProfileBuilder(grid)
    builder.add_outcomes(1, {"sex": pa.array(["f"]), "product": pa.array(["card"])}, None, None)
    profile = profile_from_bytes(profile_to_bytes(builder.profile))
    assert merged([profile, profile]).outcomes.margin("sex", "product")[0, 0].sum() == 2


def test_the_rows_of_one_stratum_are_a_table_of_their_own():
    builder = ProfileBuilder(strata_grid())
    sexes, products = pa.array(["f", "m", "f", None]), pa.array(["card", "card", "loan", "card"])
    builder.add_outcomes(4, {"sex": sexes, "product": products}, None, None)
    whole = builder.profile.outcomes
    sizes = whole.margin("product").shape[0]
    parts = [whole.where("product", code) for code in range(sizes)]
    for code, part in enumerate(parts):
        assert part.margin("sex").tolist() == whole.margin("product", "sex")[code].tolist()
    assert sum(part.rows for part in parts) == whole.rows == 4

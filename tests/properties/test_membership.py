"""Nobody vanishes: each row is counted once, in whatever way rows are divided, ordered and merged."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.field import Attribute, Decision, Effect, Label
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.profile import merged

FEW = settings(max_examples=60, deadline=None, derandomize=True)

texts = st.none() | st.sampled_from(
    ["f", "m", "1", "1.0", "true", "", " ", "f ", "\u00e9", "e\u0301", "(unknown)"]
)
ATTRIBUTES = {
    "sex": Attribute("sex", "sex", {"f": "female", "m": "male"}, unknown=("",), declined=("1",)),
    "age": Attribute("age", "age", bins=(40.0, 62.0), unknown=("-1",), declined=("-2",)),
}
STRATA = {"product": Attribute("product", "product")}
COLUMNS = {
    "sex": texts.map(str) | texts,
    "age": st.none()
    | st.sampled_from([-2.0, -1.0, 0.0, 39.9, 40.0, 62.0, float("inf"), float("nan")]),
    "product": st.none() | st.sampled_from(["card", "loan", "boat"]),
    "decision": st.none() | st.booleans(),
    "label": st.none() | st.sampled_from([0, 1, 2]),
}
TYPES = {
    "sex": pa.string(),
    "age": pa.float64(),
    "product": pa.string(),
    "decision": pa.bool_(),
    "label": pa.int64(),
}
ROWS = st.lists(st.fixed_dictionaries(COLUMNS), max_size=40)


def grid_of(strata):
    decision = Decision("decision", ("true",), effect=Effect.HARMFUL)
    draft = GridDraft((), ATTRIBUTES, decision, Label("label", ("1",), ("0",)), strata=strata)
    for name in strata:
        draft.add_attribute(name, pa.array(["card", "loan"]))
    return draft.grid()


GRID = grid_of(STRATA)


def profile(rows, grid=GRID):
    builder = ProfileBuilder(grid)
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in TYPES.items()}
    builder.add_rows(len(rows), None, None)
    axes = {axis.name: columns[axis.name] for axis in grid.axes}
    builder.add_outcomes(len(rows), axes, columns["decision"], columns["label"])
    return builder.profile


def sex_of(value):
    return {"f": "female", "m": "male", "1": "(declined)", "": None, None: None}.get(value, "?")


def age_of(value):
    if value is None or np.isnan(value) or value == -1:
        return None
    return "(declined)" if value == -2 else ["<40", "40-61", "62+"][(value >= 40) + (value >= 62)]


READ = {"sex": sex_of, "age": age_of, "product": lambda value: "?" if value == "boat" else value}


@FEW
@given(rows=ROWS)
def test_rows_are_those_of_all_groups_and_of_unknown_and_unmapped_membership(rows):
    table = profile(rows).outcomes
    assert table.rows == len(rows)
    for names in ([], ["sex"], ["product", "sex"], ["sex", "age", "product"]):
        assert table.margin(*names).sum() == len(rows)
    for axis in GRID.axes:
        read = Counter(READ[axis.name](row[axis.name]) for row in rows)
        counted = table.margin(axis.name).sum(axis=(1, 2)).tolist()
        names = [*axis.groups, None, "?"]
        assert {name: n for name, n in zip(names, counted, strict=True) if n} == read
    assert table.unmapped["sex"].rows == sum(sex_of(row["sex"]) == "?" for row in rows)


@FEW
@given(
    rows=ROWS, cuts=st.sets(st.integers(0, 40), max_size=4), order=st.randoms(use_true_random=False)
)
def test_any_division_order_and_merge_give_the_same_bytes(rows, cuts, order):
    whole = profile_to_bytes(profile(rows))
    shuffled = list(rows)
    order.shuffle(shuffled)
    places = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    parts = [profile(shuffled[begin:end]) for begin, end in pairwise(places)]
    order.shuffle(parts)
    assert profile_to_bytes(merged(parts)) == whole
    assert profile_to_bytes(profile_from_bytes(whole)) == whole


@FEW
@given(rows=ROWS)
def test_strata_change_nothing_about_the_populations(rows):
    without = profile(rows, grid_of({})).outcomes
    assert without.attributes == ("sex", "age")
    with_strata = profile(rows).outcomes
    for names in ([], ["sex"], ["age", "sex"]):
        assert without.margin(*names).tolist() == with_strata.margin(*names).tolist()

import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, FieldRole, Label
from monitor.profile import codec
from monitor.profile.codec import (
    GRID_FORMAT,
    PROFILE_FORMAT,
    content_digest,
    grid_from_bytes,
    grid_to_bytes,
    profile_from_bytes,
    profile_to_bytes,
)
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.profile import merged

DATA = Path(__file__).with_name("data")
NAMES = ("plain", "a.b", "", "😀 score", "new\nline", "__name__", "x" * 300)


@pytest.fixture
def grid():
    fields = (
        *(Field(name, name, FieldKind.NUMERIC) for name in NAMES),
        Field("kind", "kind", FieldKind.CATEGORICAL),
        Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
    )
    attributes = {
        "sex": Attribute("sex", "sex", unknown=("?",)),
        "age": Attribute("age", "age", bins=(25.0, 65.5)),
    }
    draft = GridDraft(
        fields, attributes, Decision("d", at_least=0.5, effect=Effect.HARMFUL), Label("y", ("1",))
    )
    for name in NAMES:
        draft.add_field(name, pa.array(np.random.default_rng(len(name)).normal(size=500)))
    draft.add_field("kind", pa.array(["é", "\ud7ff", "", "nan"]))
    draft.add_field("score", pa.array([0.1, 0.9]))
    draft.add_attribute("sex", pa.array(["f", "m", "?"]))
    draft.add_columns([("sex", "string"), ("a\n", "double"), ("a\n", ""), ("y", "")])
    return draft.grid()


@pytest.fixture
def profile(grid):
    builder = ProfileBuilder(grid)
    builder.add_rows(3, None, None)
    for name in NAMES:
        builder.add_field(name, pa.array([1.0, float("inf"), None]), 3)
    builder.add_field("kind", pa.array(["é", "new", None]), 3)
    builder.add_field("score", None, 3)
    builder.add_outcomes(
        3, {"sex": pa.array(["f", "q", None]), "age": pa.array([1, 99, None])}, None, None
    )
    builder.add_pairs(builder.take_scores(), 3)
    return builder.profile


def test_a_grid_comes_back_as_it_went(grid):
    data = grid_to_bytes(grid)
    there = grid_from_bytes(data)
    assert grid_to_bytes(there) == data
    assert there.digest == grid.digest == content_digest(data)
    assert list(map(vars, there.attributes)) == list(map(vars, grid.attributes))
    assert (there.decision, there.label, there.score) == (grid.decision, grid.label, grid.score)
    assert (there.schema.columns, there.schema.complete) == (grid.schema.columns, True)
    assert there.schema.columns["a\n"].repeated


def test_a_grid_of_before_schemas_were_kept_calls_nothing_changed(grid, monkeypatch):
    pack = codec._pack

    def without_schema(form, header, arrays):
        return pack(form, {key: value for key, value in header.items() if key != "schema"}, arrays)

    monkeypatch.setattr(codec, "_pack", without_schema)
    there = grid_from_bytes(grid_to_bytes(grid))
    assert list(there.schema.differences([("new", "bool")])) == []
    for name in NAMES:
        assert there.fields[name].edges.tolist() == grid.fields[name].edges.tolist()


def test_a_profile_comes_back_as_it_went_and_can_be_added_to(profile):
    data = profile_to_bytes(profile)
    there = profile_from_bytes(data)
    assert profile_to_bytes(there) == data
    assert there.outcomes.unmapped["sex"].counts == {"q": 1}
    doubled = merged([there, profile])
    assert doubled.rows == 6
    assert (profile.rows, there.rows) == (3, 3)
    assert doubled.fields["kind"].values.sum() == 2


def test_scores_and_sums_over_pairs_come_back(grid, profile):
    there = grid_from_bytes(grid_to_bytes(grid))
    assert list(there.scores) == [*NAMES, "score"]
    for name, scores in grid.scores.items():
        assert there.scores[name].dtype == np.int8
        assert there.scores[name].tolist() == scores.tolist()
    pairs, back = profile.pairs, profile_from_bytes(profile_to_bytes(profile)).pairs
    assert pairs.rows[0, 0] == 1  # neither infinity nor null
    assert pairs.rows[0, -1] == 0  # there was no score
    for name in ("rows", "sums", "squares", "products"):
        assert getattr(back, name).tolist() == getattr(pairs, name).tolist()


def test_bytes_of_before_fields_were_counted_in_pairs_are_read_and_written_as_they_were():
    stored = (DATA / "grid_without_pairs.bin").read_bytes()
    grid = grid_from_bytes(stored)
    assert not grid.scores
    assert content_digest(grid_to_bytes(grid)) == grid.digest == content_digest(stored)
    stored = (DATA / "profile_without_pairs.bin").read_bytes()
    profile = profile_from_bytes(stored)
    assert (profile.rows, profile.grid) == (3, grid.digest)
    assert profile.fields["amount"].null == 1
    assert profile.pairs.fields == 0
    assert content_digest(profile_to_bytes(profile)) == content_digest(stored)
    assert merged([profile, ProfileBuilder(grid).profile]).rows == 3


def test_an_empty_profile_comes_back(grid):
    empty = ProfileBuilder(grid).profile
    assert profile_to_bytes(profile_from_bytes(profile_to_bytes(empty))) == profile_to_bytes(empty)


def test_the_digest_is_of_the_content_not_of_its_compression(grid):
    data = grid_to_bytes(grid)
    other = data[:4] + zlib.compress(zlib.decompress(data[4:]), 1)
    assert other != data
    assert content_digest(other) == content_digest(data)


@pytest.mark.parametrize("read", [grid_from_bytes, profile_from_bytes])
def test_other_layouts_and_other_bytes_are_refused(read, grid, profile):
    form = GRID_FORMAT if read is grid_from_bytes else PROFILE_FORMAT
    own, foreign = grid_to_bytes(grid), profile_to_bytes(profile)
    if form == PROFILE_FORMAT:
        own, foreign = foreign, own
    with pytest.raises(ValueError, match="is not read by this version"):
        read(form[:3] + b"9" + own[4:])
    for data in (foreign, b"", b"SQLite format 3"):
        with pytest.raises(ValueError, match="not a"):
            read(data)


def test_profiles_on_other_grids_are_not_added(grid, profile):
    other = ProfileBuilder(grid).profile
    other.grid = "another"
    with pytest.raises(ValueError, match="different grids"):
        profile.merge(other)
    with pytest.raises(ValueError, match="no profiles"):
        merged([])

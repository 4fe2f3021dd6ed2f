import zlib
from base64 import b64decode
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import asdict, replace

from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, FieldRole, Label
from monitor.profile import codec
from monitor.profile.codec import (
    GRID_FORMAT,
    PROFILE_FORMAT,
    grid_from_bytes,
    grid_to_bytes,
    profile_from_bytes,
    profile_to_bytes,
)
from monitor.profile.draft import GridDraft
from monitor.profile.grid import CategoricalGrid
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.packing import content_digest
from monitor.profile.profile import merged

DATA = Path(__file__).with_name("data")
GRID_OF_BEFORE = (
    "TU1HMXicXY8xS8NAGIbbrYuzxfEDt1iT1GINlmZSxFFwqREul0sbvCSaXJRaM0onXXVxlA46OEkR1G4Fpzq4+QOcxH+gl1xi"
    "xTu4h5f3uye5brFQ6AEKAtQNQWu1wCZHO5EsKzZivhuCBCemAlJLrRqG9KclVpsk7apdT1rV4DUgxgLHjBhJVDybvk8J8rKE"
    "fRq5SeglGtDSU4I9x7N4SBFLYBHshI7vgeZFlEpgO4Ra00s9wMRjJABNrch82glxQBgBzUY0JL82L3JJ4GCuDzGivJYry0tK"
    "VVYUeUWtqXVZifNZbvTdfZpKWBBNHRgx0va5BVHuOUQ0St8FJk8IjJgbKDIJzf80xB3iIiHMXxpL/+xxMucHPAHEhXwV050v"
    "tn0x1xiORwkf7weCd33By7ZgfV1wOD/6uK3Ujg++n8tbry+n55OmsHw1ixkzrZ59QRcoZbmkX71dry1+zujazebZ7vusLrwL"
    "gvUNwXJHcNIXfBqkbDyM9R8U77nA"
)
PROFILE_OF_BEFORE = (
    "TU1QMXiczZG9TgMxDMcrJCTEzMSYhSVCl1zvq2LgPUpV5S5OG5HmSpIrgqrvxsRL8CZMJDlKS0HqwoCXxP7ZfzvO4mQwWCNm"
    "DHuyaDQeo7suSYhoWg4WYXQjS4THZDLBO9Jp9zuyTWvgi1CcRCbg8bMSlNoV0vQ7td0iQrEH76XmPV0x1e0NRCeeI+ackXXn"
    "IEzufSFBcX9fB9VwsNqCdmiUYDSXszkapdf+KrVXkzyGVesTSYhqpmNEw4w5uYKp1EJq6eBb1PZep1S8LFsrfybbh46ZkErK"
    "a1IVwyyv6LAoaUUoRs9g2qCywfF5B2Puz9Z3yTBq3RxMDHXaAuhQ8/kNo7XXETFRMGUBI9M+RvlNANJYN4VVVA9yGM1MUEdV"
    "neclH1JS8IxwyBqSiCbPmhKKLKdpXbCi9gnZMMlTqBpCgfFSiLzmnLEMKv8Tih1q961p2MCcLf0uxilOJ2HqBVsuIbx1szkb"
    "9HYx+Fs7PfDPj/D/Ym/4Sr6+X74c4bd/1W+7l+0+PgAcv8js"
)
"""Written by the code of before segments, in base64."""

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
    builder.add_pairs([builder.take_scores()], 3)
    return builder.profile


def test_a_grid_comes_back_as_it_went(grid):
    data = grid_to_bytes(grid)
    there = grid_from_bytes(data)
    assert grid_to_bytes(there) == data
    assert there.digest == grid.digest == content_digest(data)
    assert list(map(asdict, there.attributes)) == list(map(asdict, grid.attributes))
    assert (there.decision, there.label, there.score) == (grid.decision, grid.label, grid.score)
    assert (there.schema.columns, there.schema.complete) == (grid.schema.columns, True)
    assert there.schema.columns["a\n"].repeated


PARTS = tuple(
    part
    for kind in (FieldKind.DATETIME, FieldKind.TEXT, FieldKind.EMBEDDING)
    for part in Field(f"a.b {kind}", f"{kind}", kind, zone="Asia/Kathmandu").in_parts()
)


def in_parts():
    """Return a grid with fields of every kind that has parts, and a profile on it."""
    columns = {
        "datetime": pa.array(["2024-01-01", "never", None]),
        "text": pa.array(["one two", "", None]),
        "embedding": pa.array([[1.0, 2.0], [1.0], None]),
    }
    times = np.full(3, 10**15)
    draft = GridDraft(PARTS, {}, None, None)
    for kind, column in columns.items():
        draft.add_parts(f"a.b {kind}", column, times)
    builder = ProfileBuilder(draft.grid())
    builder.add_rows(3, None, None)
    for kind, column in columns.items():
        names = [item.name for item in PARTS if item.column == kind]
        builder.add_parts(names, column, 3, times)
    builder.add_outcomes(3, {}, None, None)
    return draft.grid(), builder.profile


def test_parts_and_embeddings_come_back_as_they_went():
    grid, profile = in_parts()
    there = grid_from_bytes(grid_to_bytes(grid))
    assert there.digest == grid.digest
    assert there.derived == grid.derived
    assert set(there.derived) == {item.name for item in PARTS}
    assert [item.dimension for item in there.vectors.values()] == [2]
    data = profile_to_bytes(profile)
    back = profile_from_bytes(data)
    assert profile_to_bytes(back) == data
    assert repr(back.vectors) == repr(profile.vectors)
    assert {counts.rows for counts in back.fields.values()} == {3}
    assert {counts.missing for name, counts in back.fields.items() if "text" not in name} == {2}


def test_known_values_and_fixed_cells_come_back_as_they_went(grid):
    cells = CategoricalGrid(("a",), known=("b", "ü"), fixed=True)
    there = grid_from_bytes(grid_to_bytes(replace(grid, fields={**grid.fields, "kind": cells})))
    assert asdict(there.fields["kind"]) == asdict(cells)


def test_bytes_that_were_stored_before_there_were_parts_are_read_and_written_as_they_are():
    """The files were written by the version before."""
    data = (DATA / "grid_without_parts.bin").read_bytes()
    grid = grid_from_bytes(data)
    assert (grid.derived, grid.vectors) == ({}, {})
    assert content_digest(grid_to_bytes(grid)) == content_digest(data) == grid.digest
    data = (DATA / "profile_without_parts.bin").read_bytes()
    profile = profile_from_bytes(data)
    assert profile.grid == grid.digest
    assert profile.vectors == {}
    assert content_digest(profile_to_bytes(profile)) == content_digest(data)


def test_a_grid_of_before_schemas_were_kept_calls_nothing_changed(grid, monkeypatch):
    pack = codec.pack

    def without_schema(form, header, arrays):
        return pack(form, {key: value for key, value in header.items() if key != "schema"}, arrays)

    monkeypatch.setattr(codec, "pack", without_schema)
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


OLD_GRID = (
    "4d4d4731789c85903f48c34018c5dbc1d15d1c6f11216892122c4189930a8e824bad72bd7ca98797a4e62e42ad1d"
    "a593aeba384a873a388908fe999deae026d8b18baeaedee552b59397e1c7e37df7de77e9150b8516c249829b1cb9"
    "950ae2244e602b354d2bc0220e3932d051cd4246c52e55abc6980f7e1d94bf1894956f57e500c24224b4960a5071"
    "52d7e298018e72456296864ab474107273b60de403a19cc69132b1d891b7b8406e943236ba27a77dd9074100e4c7"
    "8aa08e053d005dd08839cd15b25055c6061498ffb7b18508440212e49a738eaca59c2420a41160c6c1407b34f265"
    "539486905022fb38c10cd4b455764ab6632f2c94ac926d9ab6d396f90cd78065a9a31d9be8ffad38d98510ff5e53"
    "0bb6d53bc306cb9611490ad9dcd85f2a8c4e31fb46476c9e4d2fdd769f14ef6f3a9ad775cdf355cdf28ce6edc4d3"
    "f06ace39dc7f7f9cda78793e3ebdf6744adf2be6d47a90eb41ae87b91e7a17af972bf39f1f9edb5b3fd97efbf274"
    "eee4b2ee99d59c5ad3ecd7351f3a1997eebacbdf8d32cede"
)
OLD_PROFILE = (
    "4d4d5031789cd5513d4fc330106d815fe2d9aa623b9f1512332b6ba82a27715a0bd709b6d30aaacc48ecfc1e7e15"
    "ccd869a02245ead281de7277efddc7f3f9733c1a6d01558a3e69304d5370df781e2af3aa601a4070cd630053329b"
    "c13dd348f337a5f34ab11f0643bc233bb86f6642ec7b0f79ddac3abafca66710506314cf1ac39c3e9b979c89c2c6"
    "db5da30b68a6993460ea41b0e48ba50d26510001976b2a78d1e1a2da38185b5852d941922da8e16b36e7b2e4921b"
    "f60bd5bbac11a20bea4af3c362fdd850e54ac92424899f2012fb491006318a217866aa7253dad68956daccd9ba93"
    "e98642b0504e1a088a1c85d8cb4994fb24f3182d5854247198f828a37944a28c0459e9790c2508e73821d86661c4"
    "6889112138b1e71274385b551bbbd9b70297b4b6525302893d5d2357b4ae995dbb6ddb516f97bdbfeafd78e02f46"
    "a7b5f191fc5cec5cde31d435fccfffaafbf6f5eee5e1ede3fd087f73aa7d5f2978a32d"
)
"""Stored by the version before scores were counted by decision and errors were summed."""


def test_a_profile_stored_before_errors_were_kept_is_read_without_them():
    grid = grid_from_bytes(bytes.fromhex(OLD_GRID))
    old = profile_from_bytes(bytes.fromhex(OLD_PROFILE))
    assert old.grid == grid.digest
    assert (old.rows, old.score_by_label.sum(axis=1).tolist()) == (4, [2, 2])
    assert (old.score_by_decision, old.errors) == (None, None)
    assert (old.labelled_by_decision, old.classes) == (None, None)
    assert content_digest(profile_to_bytes(old)) == content_digest(bytes.fromhex(OLD_PROFILE))


def test_a_week_of_which_a_day_was_stored_without_errors_has_none():
    grid = grid_from_bytes(bytes.fromhex(OLD_GRID))
    old = profile_from_bytes(bytes.fromhex(OLD_PROFILE))
    new = ProfileBuilder(grid)
    new.add_outcomes(1, {}, pa.array([1]), pa.array([1]), pa.array([0.75]))
    assert (new.profile.errors.rows, new.profile.score_by_decision.sum()) == (1, 1)
    for days in ([old, new.profile], [new.profile, old]):
        week = merged(days)
        assert (week.score_by_decision, week.errors) == (None, None)
        assert week.score_by_label.sum() == 5


def test_errors_come_back_as_they_went(grid):
    builder = ProfileBuilder(grid)
    labels, scores = pa.array([1, 0, None]), pa.array([0.1, 7.0, 0.9])
    builder.add_outcomes(3, {}, pa.array([0.4, 0.6, None]), labels, scores)
    there = profile_from_bytes(profile_to_bytes(builder.profile))
    assert there.errors == builder.profile.errors
    assert (there.errors.rows, there.errors.outside) == (1, 1)
    assert there.score_by_decision.tolist() == builder.profile.score_by_decision.tolist()


def test_bytes_of_before_segments_are_read_and_written_as_they_were():
    grid, profile = b64decode(GRID_OF_BEFORE), b64decode(PROFILE_OF_BEFORE)
    frozen, counted = grid_from_bytes(grid), profile_from_bytes(profile)
    assert (frozen.segments, counted.segments) == ((), {})
    assert frozen.digest == "9b668d4217d51de5c10fc65c8e75623b7a7b68d54063e9c12ead8ff6bddaa5e9"
    assert (counted.grid, counted.rows) == (frozen.digest, 20)
    assert content_digest(grid_to_bytes(frozen)) == content_digest(grid)
    assert content_digest(profile_to_bytes(counted)) == content_digest(profile)

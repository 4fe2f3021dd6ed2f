from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.sources.event_time import from_micros
from monitor.sources.footer import Footer, RowGroup, footer, leaf_columns, logical_type


def test_columns_are_found_by_their_place_whatever_they_are_called(tmp_path):
    nested = pa.array([{"p": 1, "q": [{"r": "s"}]}])
    table = pa.Table.from_arrays(
        [nested, pa.array([[1]]), pa.array([1]), pa.array([2]), pa.array([3]), pa.array([4])],
        names=["n", "l", "n.p", "a b", "twice", "twice"],
    )
    pq.write_table(table, tmp_path / "a.parquet")
    metadata = pq.read_metadata(tmp_path / "a.parquet")
    leaves = leaf_columns(metadata.schema.to_arrow_schema())
    assert leaves == {"n": (0, 1), "l": (2,), "n.p": (3,), "a b": (4,), "twice": (5,)}
    assert max(map(max, leaves.values())) < metadata.num_columns


@pytest.mark.parametrize(
    "kind",
    [pa.timestamp("s"), pa.timestamp("ns", "UTC"), pa.date32(), pa.date64(), pa.timestamp("us")],
)
def test_bounds_of_row_groups_come_from_statistics(tmp_path, kind):
    days = [date(1952, 3, day) for day in (1, 2, 3, 4)]
    column = pa.array(days, pa.date32()).cast(kind)
    pq.write_table(pa.table({"at": column}), tmp_path / "a.parquet", row_group_size=2)
    known = footer(pq.read_metadata(tmp_path / "a.parquet"), "at", "UTC")
    assert [tuple(map(from_micros, group.bounds)) for group in known.groups] == [
        (datetime(1952, 3, 1, tzinfo=UTC), datetime(1952, 3, 2, tzinfo=UTC)),
        (datetime(1952, 3, 3, tzinfo=UTC), datetime(1952, 3, 4, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("column", "options"),
    [
        (pa.array(["2005-06-01"]), {}),
        (pa.array([None], pa.timestamp("us")), {}),
        (pa.array([1], pa.timestamp("us")), {"write_statistics": False}),
        (pa.array([1], pa.timestamp("us")), {"use_deprecated_int96_timestamps": True}),
        (pa.array([{"a": 1}]), {}),
        (pa.array([5]), {}),
    ],
)
def test_a_footer_that_does_not_say_keeps_the_row_group(tmp_path, column, options):
    pq.write_table(pa.table({"at": column}), tmp_path / "a.parquet", **options)
    (group,) = footer(pq.read_metadata(tmp_path / "a.parquet"), "at", "UTC").groups
    assert group == RowGroup(1, None)
    assert group.may_hold(0, 1)


def test_a_row_group_is_kept_when_its_bounds_touch_the_window():
    group = RowGroup(5, (10, 20))
    assert [group.may_hold(*window) for window in [(0, 10), (0, 11), (20, 21), (21, 30)]] == [
        False,
        True,
        True,
        False,
    ]
    assert not RowGroup(0).may_hold(0, 100)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (pa.large_string(), "string"),
        (pa.string_view(), "string"),
        (pa.dictionary(pa.int8(), pa.large_binary()), "binary"),
        (pa.timestamp("ns", "Europe/Paris"), "timestamp with zone"),
        (pa.timestamp("s"), "timestamp without zone"),
        (pa.date64(), "date"),
        (pa.null(), ""),
        (pa.int8(), "int8"),
        (pa.decimal128(5, 2), "decimal128(5, 2)"),
    ],
)
def test_a_type_is_told_by_what_it_means(kind, told):
    assert logical_type(kind) == told


def test_a_type_of_thousands_of_fields_is_cut():
    kind = pa.struct([(f"field {number}", pa.int64()) for number in range(1000)])
    assert len(logical_type(kind)) == 201


def test_a_file_begins_after_an_instant_when_all_its_rows_are_known_to():
    late, early, silent, empty = RowGroup(1, (9, 9)), RowGroup(1, (1, 9)), RowGroup(1), RowGroup(0)
    assert Footer(frozenset(), (late, empty)).begins_after(8)
    for groups in [(late, early), (late, silent), (empty,), ()]:
        assert not Footer(frozenset(), groups).begins_after(8)

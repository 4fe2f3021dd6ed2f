import base64
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.parquet import encryption

from monitor.profile.instants import from_micros
from monitor.sources.footer import Footer, RowGroup, footer
from monitor.sources.layout import leaf_columns, logical_type
from tests.fuzz.compact import changed_numbers


def said(path, time="at", zone="UTC"):
    with pa.OSFile(str(path)) as handle:
        return footer(handle, time, zone)


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
    known = said(tmp_path / "a.parquet")
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
def test_a_footer_that_does_not_say_has_no_bounds(tmp_path, column, options):
    pq.write_table(pa.table({"at": column}), tmp_path / "a.parquet", **options)
    (group,) = said(tmp_path / "a.parquet").groups
    assert group == RowGroup(1, None)


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


TIMES = pa.array([5, 7, 9], pa.timestamp("us", "UTC"))


def test_a_column_is_found_among_others_of_its_name_and_texts_that_look_like_it(tmp_path):
    path = "\x19\x18\x02at"  # what a footer has before a column's statistics
    names = ["text", "at", "at", "at more"]
    columns = [pa.array([path] * 3), TIMES, pa.array([1, 2, 3]), TIMES]
    pq.write_table(pa.table(columns, names), tmp_path / "a.parquet")
    assert said(tmp_path / "a.parquet").groups == (RowGroup(3, (5, 9)),)


@pytest.mark.parametrize(
    ("names", "repeated"), [("abc", set()), ("aba", {"a"}), ("abba", {"a", "b"}), ("aA", set())]
)
def test_names_that_several_columns_have_are_known(tmp_path, names, repeated):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table([pa.array([1])] * len(names), names=list(names)), path)
    assert said(path).repeated == repeated


def test_a_column_with_a_long_name_is_found(tmp_path):
    name = "time " * 100
    pq.write_table(pa.table({name: TIMES}), tmp_path / "a.parquet", row_group_size=2)
    groups = said(tmp_path / "a.parquet", name).groups
    assert groups == (RowGroup(2, (5, 7)), RowGroup(1, (9, 9)))


def rewritten(path, old, new):
    """Replace bytes of the footer."""
    data = path.read_bytes()
    begin = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    footer_bytes = data[begin:-8].replace(old, new)
    assert footer_bytes != data[begin:-8]
    path.write_bytes(
        data[:begin] + footer_bytes + len(footer_bytes).to_bytes(4, "little") + data[-4:]
    )


@pytest.mark.parametrize("says", [b"\x00", b"\x03abc", b"\x09123456789"])
def test_statistics_of_another_width_say_nothing(tmp_path, says):
    # pyarrow's own account of them ends the process.
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"at": TIMES}), path, store_schema=False)
    rewritten(path, b"\x08" + (5).to_bytes(8, "little"), says)
    assert said(path).groups == (RowGroup(3, None),)


def test_statistics_that_contradict_themselves_say_nothing(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"at": TIMES}), path, store_schema=False)
    rewritten(path, b"\x08" + (5).to_bytes(8, "little"), b"\x08" + (10).to_bytes(8, "little"))
    assert said(path).groups == (RowGroup(3, None),)


def test_row_counts_that_contradict_each_other_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"at": TIMES}), path)
    path.write_bytes(changed_numbers(path.read_bytes(), {3: 4}, most=1))
    with pytest.raises(pa.ArrowInvalid, match="the footer says 4 rows"):
        said(path)


class Keys(encryption.KmsClient):
    def wrap_key(self, key, _):
        return base64.b64encode(key)

    def unwrap_key(self, wrapped, _):
        return base64.b64decode(wrapped)


def test_an_encrypted_time_under_a_plain_footer_says_nothing(tmp_path):
    # pyarrow's own account of the column ends the process.
    configuration = encryption.EncryptionConfiguration(
        footer_key="f", column_keys={"c": ["at"]}, plaintext_footer=True
    )
    factory = encryption.CryptoFactory(lambda _: Keys())
    keys = factory.file_encryption_properties(encryption.KmsConnectionConfig(), configuration)
    table = pa.table({"at": TIMES, "x": [1, 2, 3]})
    pq.write_table(table, tmp_path / "a.parquet", encryption_properties=keys)
    assert said(tmp_path / "a.parquet").groups == (RowGroup(3, None),)

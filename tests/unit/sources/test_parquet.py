import gc
import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.compute.local import LocalCompute
from monitor.domain.errors import BaselineError, SourceError
from monitor.domain.field import Field, FieldKind
from monitor.domain.window import Window
from monitor.profile import draft as draft_constants
from monitor.profile.codec import profile_to_bytes
from monitor.sources import drafting
from monitor.sources.location import Fault
from monitor.sources.parquet import ParquetSource
from monitor.sources.versions import NO_VERSION
from tests.fuzz.compact import Document, changed_numbers, varint


class Silent:
    def advance(self, rows):
        pass


def counted(source, window, version="1"):
    """Return the counts of a window, every version on the grid of one."""
    scan = source.scan(window)
    grid = source.draft(scan, version)
    grids = dict.fromkeys(source.versions(scan), grid)
    return LocalCompute().count(scan.tasks, source.counter(scan, grids), Silent())


def test_a_folder_is_counted(policy, rows, write, june):
    write("log/a.parquet", rows(6))
    write("log/deep/er/B.PARQUET", rows(4, datetime(2005, 6, 2, tzinfo=UTC)))
    source = ParquetSource(policy())
    total = counted(source, june)
    profile = total.profiles["1"]
    assert (total.read, profile.rows) == (10, 10)
    assert total.accounting().balances
    assert profile.fields["amount"].n == 10
    assert profile.fields["kind"].values.sum() == 10
    assert profile.outcomes.margin("sex").sum() == 10
    assert profile.outcomes.margin()[1].sum() == 4
    assert profile.score_by_label.sum(axis=1).tolist() == [5, 5]
    assert profile.first_event == june.start
    assert profile.last_event == total.last_event == datetime(2005, 6, 2, 3, tzinfo=UTC)


def test_the_manifest_names_files_that_may_hold_rows_of_the_window(policy, rows, write, june):
    path = write("log/a.parquet", rows())
    write("log/july.parquet", rows(start=june.end))
    source = ParquetSource(policy())
    (file,) = source.scan(june).manifest.files
    assert (file.path, file.size, file.rows) == ("a.parquet", path.stat().st_size, 10)
    assert file.modified == str(path.stat().st_mtime_ns)
    (july,) = source.scan(Window(june.end, june.end + timedelta(days=1))).tasks
    assert july.path == "july.parquet"


def test_row_groups_outside_the_window_are_not_read(policy, rows, write):
    write("log/a.parquet", rows(48), row_group_size=12)
    start = datetime(2005, 6, 1, 12, tzinfo=UTC)
    (task,) = ParquetSource(policy()).scan(Window(start, start + timedelta(hours=13))).tasks
    assert (task.row_groups, task.rows) == ((1, 2), 24)


def test_a_window_is_half_open_to_the_nanosecond(policy, rows, write):
    second = 1_117_584_000 * 10**9
    at = pa.array([second - 1, second, second + 10**9 - 1, second + 10**9], pa.int64())
    write("log/a.parquet", rows(4, at=at.view(pa.timestamp("ns", "UTC"))))
    start = datetime(2005, 6, 1, tzinfo=UTC)
    source = ParquetSource(policy())
    total = counted(source, Window(start, start + timedelta(seconds=1)))
    assert (total.read, total.profiles["1"].rows) == (2, 2)


def test_rows_without_a_time_are_rejected_with_the_reason(policy, rows, write, june):
    write("log/a.parquet", rows(3, at=["2005-06-02T00:00:00Z", None, "soon"]))
    total = counted(ParquetSource(policy()), june)
    assert total.read == 3
    assert dict(total.rejected) == {"no_event_time": 1, "bad_event_time": 1}
    assert total.accounting().balances


def test_an_empty_folder_has_no_tasks_no_versions_and_no_span(policy, tmp_path, june):
    (tmp_path / "log").mkdir()
    source = ParquetSource(policy())
    scan = source.scan(june)
    assert (scan.tasks, scan.manifest.files, source.versions(scan), source.survey().span) == (
        (),
        (),
        [],
        None,
    )
    with pytest.raises(BaselineError, match="version 1 has no rows"):
        source.draft(scan, "1")


def test_a_missing_folder_is_an_error_of_the_source_when_it_is_used(policy, june):
    source = ParquetSource(policy())
    with pytest.raises(SourceError, match="log"):
        source.scan(june)


def test_the_span_comes_from_footers_or_the_column(policy, rows, write):
    write("log/a.parquet", rows(3))
    write("log/b.parquet", rows(2, at=["1969-07-20T20:17:40Z", None]))
    source = ParquetSource(policy())
    first, last = source.survey().span
    assert first == datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC)
    assert last == datetime(2005, 6, 1, 2, tzinfo=UTC)
    assert source.survey().span == (first, last)


def test_versions_of_one_file_are_profiled_apart(policy, rows, write, june):
    write("log/a.parquet", rows(7, version=["1", "2", "1", None, "2", "1", ""]))
    source = ParquetSource(policy())
    assert source.versions(source.scan(june)) == [NO_VERSION, "1", "2"]
    total = counted(source, june)
    assert {version: profile.rows for version, profile in total.profiles.items()} == {
        "1": 3,
        "2": 2,
        NO_VERSION: 2,
    }
    assert total.profiles["2"].fields["amount"].high == 4.0
    assert total.profiles["1"].outcomes.margin("sex").sum() == 3


def test_rows_of_a_version_without_a_grid_are_rejected_by_number(policy, rows, write, june):
    write("log/a.parquet", rows(4, version=[1, 2, 2, 3]))
    source = ParquetSource(policy())
    scan = source.scan(june)
    count = source.counter(scan, {"1": source.draft(scan, "1")})
    total = LocalCompute().count(scan.tasks, count, Silent())
    assert dict(total.rejected) == {"no_baseline": 3}
    assert dict(total.unregistered) == {"2": 2, "3": 1}
    assert total.accounting().balances


def test_folder_keys_are_columns_and_the_file_wins(policy, rows, write, june):
    write("log/version=7/kind=x/a.parquet", rows(2, version=None, kind=None))
    write(
        "log/version=8/kind=x/sex=q/a.parquet", rows(2, version=["7", "7"], sex=None, id=["x", "y"])
    )
    source = ParquetSource(policy())
    assert source.versions(source.scan(june)) == ["7"]
    total = counted(source, june, version="7")
    scan = source.scan(june)
    grid = source.draft(scan, "7")
    assert grid.fields["kind"].values == ("x", "a", "b")
    assert grid.attributes[0].groups == ("f", "m", "q")
    assert total.profiles["7"].outcomes.margin("sex").sum(axis=(1, 2)).tolist() == [1, 1, 2, 0, 0]


def test_a_log_without_versions_has_the_default_one(policy, rows, write, june):
    write("log/a.parquet", rows())
    source = ParquetSource(policy(source={"version": "", "default_version": "lgbm-2014"}))
    assert source.versions(source.scan(june)) == ["lgbm-2014"]


def test_a_missing_column_is_absent_and_its_rows_are_counted(policy, rows, write, june):
    write("log/a.parquet", rows(4))
    write(
        "log/b.parquet", rows(3, amount=None, kind=None, sex=None, score=None, flag=None, id=None)
    )
    profile = counted(ParquetSource(policy()), june).profiles["1"]
    assert (profile.fields["amount"].absent, profile.fields["kind"].absent) == (3, 3)
    assert profile.outcomes.margin("sex")[2].sum() == 3
    assert profile.outcomes.margin()[2].sum() == 3
    assert profile.score_by_label.sum() == 4


def test_names_are_exact_and_the_first_of_two_is_meant(policy, rows, write, june):
    table = pa.table({**rows(3), "Amount": [9.0] * 3, "a.b (c)": [1.0, 2.0, 3.0]})
    table = table.append_column("amount", pa.array([99.0] * 3))
    pq.write_table(table, write("log/a.parquet", rows(1)))
    fields = (
        Field("amount", "amount", FieldKind.NUMERIC),
        Field("dotted", "a.b (c)", FieldKind.NUMERIC),
    )
    profile = counted(ParquetSource(policy(fields=fields)), june).profiles["1"]
    assert profile.fields["amount"].high == 2.0
    assert profile.fields["dotted"].high == 3.0


@pytest.mark.parametrize(
    "case",
    [
        (pa.array([{"a": 1}, None]), 1),
        (pa.array([[1.0], None]), 1),
        (pa.array(["1", None]), 1),
        (pa.nulls(2), 0),
        (pa.array([b"x", None]), 1),
    ],
)
def test_odd_types_count_as_invalid_and_stop_nothing(policy, rows, write, june, case):
    column, invalid = case
    write("log/a.parquet", rows(2, amount=column, kind=pa.array([[1], None])))
    profile = counted(ParquetSource(policy()), june).profiles["1"]
    assert profile.fields["amount"].invalid == invalid
    assert (profile.fields["kind"].invalid, profile.fields["kind"].null) == (1, 1)


def broken_in_its_data(path):
    content = bytearray(path.read_bytes())
    first = pq.read_metadata(path).row_group(0)
    for place in range(first.num_columns):
        column = first.column(place)
        begin = column.dictionary_page_offset or column.data_page_offset
        for at in range(begin, begin + 40):
            content[at] ^= 0xFF
    path.write_bytes(bytes(content))


def test_bad_files_are_named_and_stop_nothing(policy, rows, write, june, tmp_path):
    write("log/good.parquet", rows(5))
    (tmp_path / "log/empty.parquet").write_bytes(b"")
    write("log/timeless.parquet", rows(5, at=None))
    (tmp_path / "log/gone.parquet").symlink_to("/nonexistent")
    broken_in_its_data(write("log/torn.parquet", rows(200)))
    source = ParquetSource(policy())
    scan = source.scan(june)
    assert {file.path: file.reason for file in scan.manifest.unreadable} == {
        "empty.parquet": Fault.NOT_PARQUET,
        "gone.parquet": Fault.NOT_FOUND,
        "timeless.parquet": Fault.NO_EVENT_TIME_COLUMN,
    }
    total = counted(source, june)
    assert [(file.path, file.reason) for file in total.unreadable] == [
        ("torn.parquet", Fault.CORRUPT)
    ]
    assert (total.read, total.profiles["1"].rows) == (5, 5)


def test_a_file_that_changes_after_the_scan_is_left_out(policy, rows, write, june):
    write("log/a.parquet", rows(5))
    source = ParquetSource(policy())
    scan = source.scan(june)
    count = source.counter(scan, {"1": source.draft(scan, "1")})
    write("log/a.parquet", rows(50))
    total = LocalCompute().count(scan.tasks, count, Silent())
    assert (total.read, [file.reason for file in total.unreadable]) == (0, [Fault.CHANGED])


def test_footers_of_unchanged_files_are_read_once(policy, rows, write, june, monkeypatch):
    write("log/a.parquet", rows())
    write("log/b.parquet", rows())
    source = ParquetSource(policy())
    read = []
    real = pq.read_metadata
    monkeypatch.setattr(pq, "read_metadata", lambda handle: read.append(1) or real(handle))
    source.scan(june)
    source.scan(june)
    assert len(read) == 2
    write("log/b.parquet", rows(20))
    source.scan(june)
    assert len(read) == 3


def test_row_groups_of_no_rows_are_no_trouble(policy, rows, write, june, tmp_path):
    table = pa.table(rows(5))
    pq.write_table(table.slice(0, 0), write("log/none.parquet", rows(1)))
    with pq.ParquetWriter(tmp_path / "log/a.parquet", table.schema) as writer:
        for part in (table.slice(0, 0), table.slice(0, 3), table.slice(0, 0), table.slice(3)):
            writer.write_table(part)
    source = ParquetSource(policy())
    assert [task.path for task in source.scan(june).tasks] == ["a.parquet"]
    assert counted(source, june).read == 5


def test_int96_times_far_from_1970_do_not_wrap(policy, rows, write):
    start = datetime(1600, 1, 1, tzinfo=UTC)
    at = pa.array([start.replace(tzinfo=None)] * 2, pa.timestamp("us"))
    write("log/a.parquet", rows(2, at=at), use_deprecated_int96_timestamps=True)
    source = ParquetSource(policy())
    assert source.survey().span == (start, start)
    assert counted(source, Window(start, start + timedelta(days=1))).read == 2


def test_a_draft_samples_numbers_evenly_and_reads_every_category(
    policy, rows, write, june, monkeypatch
):
    for module in (draft_constants, drafting):
        monkeypatch.setattr(module, "SAMPLE_ROWS", 100)
    monkeypatch.setattr(drafting, "SAMPLE_BATCHES", 4)
    monkeypatch.setattr(drafting, "_READ_FOR_SAMPLE", 400)
    taken = []
    add = draft_constants.GridDraft.add_field

    def note(self, name, column):
        if name == "amount":
            taken.extend(column.to_pylist())
        add(self, name, column)

    monkeypatch.setattr(draft_constants.GridDraft, "add_field", note)
    for number in range(20):
        kind = ["rare" if number == 13 and row == 7 else "a" for row in range(30)]
        amount = [float(30 * number + row) for row in range(30)]
        write(f"log/{number:02}.parquet", rows(30, amount=amount, kind=kind))
    source = ParquetSource(policy())
    grid = source.draft(source.scan(june), "1")
    assert grid.fields["kind"].values == ("a", "rare")
    assert 70 <= len(taken) <= 100
    assert len(np.unique(np.diff(taken)[:5])) == 1  # every k-th row
    assert min(taken) < 30 and max(taken) > 560


def test_a_draft_leaves_out_a_file_that_breaks(policy, rows, write, june):
    write("log/good.parquet", rows(5))
    broken_in_its_data(write("log/aaa.parquet", rows(50, kind=["x"] * 50)))
    source = ParquetSource(policy())
    grid = source.draft(source.scan(june), "1")
    assert grid.fields["kind"].values == ("a", "b")
    assert len(grid.fields["amount"].edges) > 0


def test_two_fields_may_share_a_column(policy, rows, write, june):
    write("log/a.parquet", rows(4))
    fields = (
        Field("as_number", "amount", FieldKind.NUMERIC),
        Field("as_value", "amount", FieldKind.CATEGORICAL),
    )
    profile = counted(ParquetSource(policy(fields=fields)), june).profiles["1"]
    assert (profile.fields["as_number"].n, profile.fields["as_value"].n) == (4, 4)


def test_the_counting_function_travels_to_other_processes(policy, rows, write, june):
    write("log/a.parquet", rows(4))
    source = ParquetSource(policy())
    scan = source.scan(june)
    count = source.counter(scan, {"1": source.draft(scan, "1")})
    there = pickle.loads(pickle.dumps(count))  # noqa: S301  # our own bytes
    (task,) = scan.tasks
    here, away = count(task).profiles["1"], there(task).profiles["1"]
    assert profile_to_bytes(here) == profile_to_bytes(away)


def test_a_counter_that_is_complete_rejects_rows_that_repeat_another(policy, rows, write, june):
    write("log/a.parquet", rows(4))
    write("log/b.parquet", rows(4))
    source = ParquetSource(policy())
    scan = source.scan(june)
    count = source.counter(scan, {"1": source.draft(scan, "1")})
    total = LocalCompute().count(scan.tasks, count.complete(), Silent())
    assert total.accounting().balances
    assert (total.profiles["1"].rows, dict(total.rejected)) == (4, {"duplicate_id": 4})
    assert [file.profiled for file in total.accounting().files] == [0, 4]
    nameless = ParquetSource(policy(source={"id": ""}))
    assert nameless.counter(scan, {}).complete().duplicates.rows == {}


@pytest.mark.parametrize("encoding", ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "PLAIN"])
def test_text_in_any_encoding_is_counted(policy, rows, write, june, encoding):
    options = {"use_dictionary": False, "column_encoding": {"kind": encoding, "sex": encoding}}
    write("log/a.parquet", rows(10), **options)
    profile = counted(ParquetSource(policy()), june).profiles["1"]
    assert profile.fields["kind"].values.tolist() == [5, 5]
    assert profile.outcomes.margin("sex").sum(axis=(1, 2)).tolist() == [5, 5, 0, 0]


def left_out(policy, rows, write, june):
    """Return what is said of log/bad.parquet, beside a whole file."""
    write("log/good.parquet", rows(4))
    source = ParquetSource(policy())
    scan = source.scan(june)
    counted = LocalCompute().count(
        scan.tasks, source.counter(scan, {"1": source.draft(scan, "1")}), Silent()
    )
    assert counted.read == counted.profiles["1"].rows == 4
    ((path, reason, explanation),) = [
        (file.path, file.reason, file.explanation) for file in counted.unreadable
    ]
    assert (path, reason) == ("bad.parquet", Fault.CORRUPT)
    return explanation


def test_a_column_with_other_rows_than_the_footer_says_is_not_used(policy, rows, write, june):
    path = write("log/bad.parquet", rows(10))
    path.write_bytes(changed_numbers(path.read_bytes(), {10: 11}))
    assert "has 10 rows where the footer says 11" in left_out(policy, rows, write, june)


def test_codes_beyond_their_dictionary_are_not_used(policy, rows, write, june):
    path = write("log/bad.parquet", rows(10), compression="none")
    data = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(4)
    assert chunk.path_in_schema == "kind"
    two = varint(2, signed=True)
    header = Document(bytes(data), chunk.dictionary_page_offset)
    size = [item for item in header.numbers if data[item.begin : item.end] == two][-1]
    data[size.begin : size.end] = varint(1, signed=True)
    path.write_bytes(data)
    assert "out of bounds" in left_out(policy, rows, write, june)


def test_no_file_that_was_read_is_left_to_the_collector(policy, rows, write, june):
    for number in range(3):
        write(f"log/{number}.parquet", rows(6, datetime(2005, 6, 1 + number, tzinfo=UTC)))
    source = ParquetSource(policy())
    counted(source, june)  # what is made once and kept
    gc.collect()
    was = gc.get_debug()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        counted(source, june)
        gc.collect()
        left = [item for item in gc.garbage if type(item).__module__.startswith("pyarrow")]
    finally:
        gc.set_debug(was)
        gc.garbage.clear()
        gc.enable()
    assert left == []

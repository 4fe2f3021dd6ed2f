"""Small files that are counted together say what they say one by one."""

import os
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from msgspec.structs import replace

from monitor.compute.local import LocalCompute
from monitor.domain.policy import LabelTable
from monitor.engine.counting import bundled
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.sources import together
from monitor.sources.counting import CountFile
from monitor.sources.parquet import ParquetSource

FILES = 5


@pytest.fixture
def alone(monkeypatch):
    """The paths of files that were counted by themselves."""
    paths = []
    attempted = CountFile._attempted

    def noted(self, task):
        paths.append(task.path)
        return attempted(self, task)

    monkeypatch.setattr(CountFile, "_attempted", noted)
    return paths


@pytest.fixture
def both(policy, write, rows, june, progress, alone):
    """Count a log file by file and together; return both, and what was counted alone after all."""

    def count(source=(), grids=("1",), damage=None, **changes):
        log = ParquetSource(policy(source=source, **changes))
        baseline = {**rows(4), "amount": [0.0, 1.0, 2.0, 4.0]}
        write("baseline/a.parquet", baseline)
        wanted = replace(policy(), source=replace(policy().source, path="baseline"))
        drafting = ParquetSource(wanted)
        grid = drafting.draft(drafting.scan(june), "1")
        scan = log.scan(june)
        if damage is not None:
            damage()
        counter = log.counter(scan, dict.fromkeys(grids, grid)).complete()
        apart = LocalCompute().count(scan.tasks, counter, progress)
        alone.clear()
        at_once = LocalCompute().count(bundled(scan.tasks), counter, progress)
        return apart, at_once, sorted(alone)

    return count


def assert_same(apart, at_once):
    assert at_once.accounting() == apart.accounting()
    assert at_once.schema_changes == apart.schema_changes
    assert at_once.last_event == apart.last_event
    assert sorted(at_once.unreadable, key=str) == sorted(apart.unreadable, key=str)
    assert at_once.profiles.keys() == apart.profiles.keys()
    for version, profile in apart.profiles.items():
        mine, theirs = (
            profile_from_bytes(profile_to_bytes(p)) for p in (at_once.profiles[version], profile)
        )
        for name in ("amount", "score"):
            one, other = mine.fields[name], theirs.fields[name]
            assert one.sums == pytest.approx(other.sums, rel=1e-12, abs=1e-12)
            assert one.squares == pytest.approx(other.squares, rel=1e-12)
            one.sums, one.squares = other.sums, other.squares
        mine.errors = theirs.errors
        found, wanted = mine.group_scores, theirs.group_scores
        assert found.sums == pytest.approx(wanted.sums, rel=1e-12, abs=1e-12)
        found.sums = wanted.sums
        assert profile_to_bytes(mine) == profile_to_bytes(theirs)


def start(number):
    return datetime(2005, 6, 1 + number, tzinfo=UTC)


def test_files_of_one_form_are_counted_at_once(both, rows, write):
    for number in range(FILES):
        write(f"log/{number}.parquet", rows(8, start(number)))
    apart, at_once, alone = both()
    assert_same(apart, at_once)
    assert alone == []
    assert at_once.profiles["1"].rows == 8 * FILES


def test_rows_of_other_versions_and_times_are_left_out(both, rows, write, june):
    for number in range(FILES):
        write(
            f"log/{number}.parquet",
            rows(6, start(number), version=["1", "2", "3", None, "1", "3"]),
        )
    late = pa.array([june.start, june.end, None], pa.timestamp("us", "UTC"))
    write("log/late.parquet", rows(3, at=late))
    apart, at_once, alone = both(grids=("1", "2"))
    assert_same(apart, at_once)
    assert alone == []
    assert at_once.unregistered == {"3": 2 * FILES, "(none)": FILES}


def test_ids_that_come_twice_are_left_out(both, rows, write):
    for number in range(FILES):
        write(f"log/{number}.parquet", rows(4, start(number), id=["a", None, "b", str(number)]))
    apart, at_once, alone = both()
    assert_same(apart, at_once)
    assert alone == []
    assert at_once.profiles["1"].duplicates == 2 * (FILES - 1)


def test_labels_are_joined(both, rows, write):
    for number in range(FILES):
        write(f"log/{number}.parquet", rows(3, start(number), late=None))
    ids = [f"{int(start(number).timestamp())}-{row}" for number in range(FILES) for row in (0, 2)]
    known = pa.array([start(20)] * len(ids), pa.timestamp("us", "UTC"))
    write("labels/a.parquet", {"id": ids, "late": [0, 1] * FILES, "known": known})
    apart, at_once, alone = both(source={"labels": LabelTable("labels", "id", "known")})
    assert_same(apart, at_once)
    assert alone == []
    assert at_once.profiles["1"].outcomes.margin().sum(axis=0).tolist() == [FILES, FILES, FILES]


def test_a_broken_file_is_named_and_the_others_are_counted(both, rows, write):
    paths = [write(f"log/{number}.parquet", rows(8, start(number))) for number in range(FILES)]

    def damage():
        whole = paths[2].read_bytes()
        torn = bytearray(whole)
        torn[20:60] = bytes(40)
        stamp = paths[2].stat()
        paths[2].write_bytes(torn)
        os.utime(paths[2], ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    apart, at_once, alone = both(damage=damage)
    assert_same(apart, at_once)
    assert alone == ["2.parquet"]
    assert [file.path for file in at_once.unreadable] == ["2.parquet"]
    assert at_once.profiles["1"].rows == 8 * (FILES - 1)


def test_a_file_that_changed_is_named_and_the_others_are_counted(both, rows, write):
    for number in range(FILES):
        write(f"log/{number}.parquet", rows(8, start(number)))
    apart, at_once, alone = both(damage=lambda: write("log/1.parquet", rows(9, start(1))))
    assert_same(apart, at_once)
    assert alone == ["1.parquet"]


def test_values_that_are_no_numbers_are_told_of_their_file(both, rows, write):
    for number in range(FILES):
        amounts = ["1", "x", None] if number == 3 else [0.5, 1.0, 2.0]
        flags = ["true", "false", "maybe"] if number == 3 else [True, False, True]
        write(f"log/{number}.parquet", rows(3, start(number), amount=amounts, flag=flags))
    apart, at_once, _ = both()
    assert_same(apart, at_once)
    (named,) = [file for file in at_once.accounting().files if file.invalid]
    assert (named.path, named.invalid) == ("3.parquet", {"amount": 2, "flag": 1})


def test_a_value_that_is_no_outcome_is_told_of_its_file_among_files_of_its_form(both, rows, write):
    for number in range(FILES):
        flags = ["true", "false", "maybe" if number == 3 else "true"]
        write(f"log/{number}.parquet", rows(3, start(number), flag=flags))
    apart, at_once, alone = both()
    assert_same(apart, at_once)
    assert alone == []
    (named,) = [file for file in at_once.accounting().files if file.invalid]
    assert (named.path, named.invalid) == ("3.parquet", {"flag": 1})


def test_files_with_other_columns_are_counted_apart(both, rows, write):
    for number in range(FILES):
        changes = {"kind": None, "new": [1, 2, 3]} if number % 2 else {}
        write(f"log/{number}.parquet", rows(3, start(number), **changes))
    apart, at_once, alone = both()
    assert_same(apart, at_once)
    assert alone == []
    assert at_once.profiles["1"].fields["kind"].absent == 3 * (FILES // 2)
    assert {change.column for change in at_once.schema_changes} == {"kind", "new"}


def test_text_that_cannot_be_read_is_told_of_its_file(both, rows, write):
    for number in range(FILES):
        kinds = pa.array([b"a", b"\xff", b"b"] if number == 1 else [b"a", b"b", b"a"])
        text = pa.Array.from_buffers(pa.string(), 3, kinds.buffers())
        write(f"log/{number}.parquet", rows(3, start(number), kind=text), use_dictionary=False)
    apart, at_once, alone = both()
    assert_same(apart, at_once)
    assert "1.parquet" in alone
    assert [file.path for file in at_once.unreadable] == ["1.parquet"]


def test_memory_bounds_what_is_counted_at_once(both, rows, write, monkeypatch):
    monkeypatch.setattr(together, "BATCH_BYTES", 1)
    for number in range(FILES):
        write(f"log/{number}.parquet", rows(8, start(number)), row_group_size=3)
    apart, at_once, _ = both()
    assert_same(apart, at_once)


def test_folders_that_are_columns(both, rows, write):
    for number in range(FILES):
        folder = f"log/kind={'ab'[number % 2]}/sex=f"
        write(f"{folder}/{number}.parquet", rows(3, start(number), kind=None, sex=None))
    apart, at_once, alone = both()
    assert_same(apart, at_once)
    assert alone == []
    assert at_once.profiles["1"].fields["kind"].values.tolist() == [9, 6]


def test_progress_is_told_of_every_row(both, rows, write, progress):
    for number in range(FILES):
        write(f"log/{number}.parquet", rows(8, start(number)))
    both()
    assert progress.rows == 2 * 8 * FILES

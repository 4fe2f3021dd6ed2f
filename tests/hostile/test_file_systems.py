"""What lies in folders beside good files, and files that may not be read."""

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import pytest
from msgspec.structs import replace

from monitor.domain.errors import SourceError
from monitor.domain.manifest import LateChange
from monitor.domain.quarantine import retry
from monitor.engine.quarantine import decide
from monitor.governance.record import Actor
from monitor.sources.parquet import ParquetSource
from monitor.sources.reader import OpenFile
from tests.hostile.make_nasty import bind_socket, make, renamed, write

pytestmark = pytest.mark.slow

NOBODY = 65534


@contextmanager
def as_another_user():
    """Be a user whom permissions bind: root is not, anybody else is already."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder():
    """Return a folder that other users may enter, as those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="nasty-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


# ---------------------------------------------------------------------- cases of make_nasty


def test_x06_a_file_that_may_not_be_read_is_reported_and_stops_nothing(open_folder, rows, watch):
    watched = watch(make("x06-permission-denied", rows, open_folder))
    watched.model.run(start="2005-06-01", end="2005-07-01")  # imports what it needs, as root
    with as_another_user():
        assert watched.rows == 50
    (file,) = watched.run.manifest.unreadable
    assert (file.path, file.reason) == ("denied.parquet", "permission_denied")
    assert f"[Errno {errno.EACCES}]" in file.explanation
    assert watched.metric("window_files_unreadable") == 1
    if os.geteuid() == 0:  # and once it may be read, it is, as soon as somebody says so
        store, now = watched.model.outside.store, watched.model.outside.clock.now()
        somebody = (now, Actor("a test", "cli"))
        decide("nasty", file.path, lambda known: retry(known, "a test", "", now), store, somebody)
        assert watched.run_again().run.accounting.profiled == {"1": 100}


def test_x01_what_is_being_written_is_not_looked_at(nasty):
    assert [file.path for file in nasty("x01-being-written").run.manifest.files] == ["good.parquet"]


def test_x08_names_are_shown_as_they_are(nasty):
    paths = {file.path for file in nasty("x08-odd-file-names").run.manifest.files}
    assert {"new\nline.parquet", 'quote".parquet', "UPPER.PARQUET", "%41.parquet"} <= paths


def test_x10_folders_do_not_say_when_rows_were(nasty):
    watched = nasty("x10-hive-type-and-date-trouble")
    assert watched.rows == 250
    assert watched.changes == set()


def test_x13_what_holds_no_rows_is_passed_over(nasty):
    watched = nasty("x13-socket-and-readme")
    assert [file.path for file in watched.run.manifest.files] == ["good.parquet"]


# ---------------------------------------------------------------------- others of each kind


def test_a_folder_that_may_not_be_entered_is_reported(open_folder, rows, watch):
    log = open_folder / "log"
    write(rows.good, log / "good.parquet")
    write(rows.others, log / "shut" / "part.parquet").parent.chmod(0)
    watched = watch(log)
    watched.model.run(start="2005-08-01", end="2005-09-01")
    with as_another_user():
        assert watched.rows == 50
    assert watched.reported == {"shut/": "permission_denied"}


def test_a_log_that_may_not_be_listed_is_an_error_of_the_source(open_folder, rows, watch):
    log = open_folder / "log"
    write(rows.good, log / "good.parquet")
    watched = watch(log)
    assert watched.rows == 50
    log.chmod(0o000)
    with as_another_user(), pytest.raises(SourceError, match="Permission denied"):
        watched.run_again()


def test_a_pipe_does_not_make_the_daemon_wait(log, watch):
    os.mkfifo(log / "pipe.parquet")
    watched = watch(log)
    assert (watched.rows, watched.reported) == (50, {})


def test_a_log_that_is_a_pipe_or_a_socket_is_refused(tmp_path, watch):
    pipe = tmp_path / "pipe.parquet"
    os.mkfifo(pipe)
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        _ = watch(pipe).run
    bind_socket(tmp_path / "socket.parquet")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        _ = watch(tmp_path / "socket.parquet").run


def test_folders_that_hold_each_other_are_read_once(log, rows, watch):
    write(rows.others, log / "a" / "second.parquet")
    (log / "a" / "up").symlink_to(log)
    (log / "b").symlink_to(log / "a")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (100, {})


def test_a_link_to_what_the_log_lies_in_is_named_and_not_followed(tmp_path, rows, watch):
    log = tmp_path / "logs" / "credit"
    write(rows.good, log / "good.parquet")
    write(rows.others, tmp_path / "logs" / "churn" / "second.parquet")
    (log / "up").symlink_to("..")
    (log / "disk").symlink_to("/")
    watched = watch(log)
    assert watched.rows == 50
    assert watched.reported == {"disk": "link_out", "up": "link_out"}


def test_what_cannot_be_looked_into_may_hold_rows_and_is_named(log, watch):
    (log / "month=08").symlink_to("/mnt/of-yesterday/month=08")
    within = os.open(log, os.O_RDONLY)
    for _ in range(20):  # deeper than a path can name: one step at a time
        os.mkdir("d" * 250, dir_fd=within)
        deeper = os.open("d" * 250, os.O_RDONLY, dir_fd=within)
        os.close(within)
        within = deeper
    os.close(within)
    watched = watch(log)
    assert watched.rows == 50
    deep, link = sorted(watched.reported.items())
    assert deep[0].startswith("d" * 250) and deep[1] == "unreadable"
    assert link == ("month=08", "not_found")


def test_a_file_under_two_names_counts_once(log, watch):
    (log / "hard.parquet").hardlink_to(log / "good.parquet")
    (log / "soft.parquet").symlink_to(log / "good.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (50, {"duplicate_id": 100})


def test_a_name_that_is_not_utf8_is_reported(log, rows, watch):
    write(rows.others, log / "second.parquet").rename(log / os.fsdecode(b"na\xefve.parquet"))
    watched = watch(log)
    assert watched.rows == 50
    assert watched.reported == {"na\\xefve.parquet": "bad_name"}


def test_a_name_of_255_bytes_deep_down_is_read(log, rows, watch):
    deep = log.joinpath(*["d" * 100] * 10)
    write(rows.others, deep / ("n" * 247 + ".parquet"))
    assert watch(log).rows == 100


def test_a_file_that_is_gone_between_the_scan_and_the_count_is_named(log, rows, watch):
    write(renamed(rows.good, "g"), log / "going.parquet")
    watched = watch(log)
    source = ParquetSource(watched.model.policy)
    scan = source.scan(watched.model.window(*watched.period))
    (log / "going.parquet").unlink()
    counted = source.counter(scan, {})(scan.tasks[0])
    assert [(file.path, file.reason) for file in counted.unreadable] == [
        ("going.parquet", "changed")
    ]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_file_written_over_while_it_is_read_is_named(log, rows, watch, monkeypatch, threads):
    # As long as before, in the same place, with the same layout: nothing breaks, columns are mixed.
    first = rows.others.head(49)
    plain = {"compression": "none", "use_dictionary": False}
    path = write(first, log / "second.parquet", **plain)
    other, read = first.assign(score=first.score[::-1].to_numpy()), OpenFile.column
    size, written, lock = path.stat().st_size, [], Lock()

    def written_over(opened, chunk, name):
        with lock:  # several threads may read the column
            if name == "score" and chunk.rows == len(first) and not written:
                written.append(write(other, path, **plain).stat().st_size)
        return read(opened, chunk, name)

    watched = watch(log)
    source = ParquetSource(watched.model.policy)
    scan = source.scan(watched.model.window(*watched.period))
    grids = {"1": source.draft(scan, "1")}
    monkeypatch.setattr(OpenFile, "column", written_over)
    counter = source.counter(scan, grids)
    (task,) = [task for task in scan.tasks if task.path == "second.parquet"]
    counted = counter(replace(task, threads=threads))
    assert written == [size]
    assert counted.read == 0
    assert [(file.path, file.reason) for file in counted.unreadable] == [
        ("second.parquet", "changed")
    ]


def test_a_file_rewritten_behind_its_size_and_time_has_another_footer(log, rows, watch):
    plain = {"compression": "none", "use_dictionary": False}
    path = write(rows.others, log / "second.parquet", **plain)
    status, watched = path.stat(), watch(log)
    then = watched.run.manifest
    assert len({file.digest for file in then.files}) == 2
    write(rows.others.assign(score=rows.others.score / 2), path, **plain)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    now = ParquetSource(watched.model.policy).scan(watched.run.window).manifest
    assert now.digest == then.digest and path.stat().st_size == status.st_size
    assert LateChange.between(watched.run.window, then, now).rewritten == ("second.parquet",)


def test_a_file_cut_while_it_is_read_is_named(log, rows, watch):
    path = write(renamed(rows.good, "g"), log / "cut.parquet")
    watched = watch(log)
    source = ParquetSource(watched.model.policy)
    scan = source.scan(watched.model.window(*watched.period))
    os.truncate(path, path.stat().st_size // 2)
    counted = source.counter(scan, {})(scan.tasks[0])
    assert [file.path for file in counted.unreadable] == ["cut.parquet"]
    assert counted.read == 0

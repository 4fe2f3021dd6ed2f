"""Whose labels have come: ids of files against ids of a window, of any type."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.domain.manifest import LogFile
from monitor.domain.policy import SourceSpec
from monitor.domain.window import Window
from monitor.engine.counting import Task
from monitor.sources import arrivals
from monitor.sources.arrivals import Arrivals, added_since
from monitor.sources.location import FoundFile, parquet_folder
from monitor.sources.reader import LogView

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))


def named(path, rows=1):
    stat = path.stat()
    return LogFile(path.name, stat.st_size, str(stat.st_mtime_ns), rows)


@pytest.fixture
def concern(tmp_path):
    """Ask whether labels of some ids concern a day whose rows have others."""

    def asked(ids, labels, hours=None):
        hours = range(len(ids)) if hours is None else hours
        at = pa.array([START + timedelta(hours=hour) for hour in hours], pa.timestamp("us", "UTC"))
        log, came = tmp_path / "log.parquet", tmp_path / "came.parquet"
        pq.write_table(pa.table({"at": at, "id": ids}), log)
        pq.write_table(pa.table({"id": labels}), came)
        location = parquet_folder(str(tmp_path), ".")()
        view = LogView.of(location, SourceSpec(".", "at", id="id"), DAY)
        file = FoundFile(log.name, log.stat().st_size, str(log.stat().st_mtime_ns))
        tasks = [(Task(log.name, (0,), len(ids)), file)]
        return Arrivals(location, "id").concern(view, tasks, [named(came, len(labels))])

    return asked


@pytest.mark.parametrize(
    ("ids", "labels", "met"),
    [
        (["a", "b"], ["b", "z"], True),
        (["a", "b"], ["y", "z"], False),
        ([7, 8], ["8"], True),
        (["7", "8"], [8.0], True),
        ([7, 8], [9], False),
        (["a", None], pa.array([None, None], pa.string()), False),
        (["a", ""], ["", None], False),
    ],
)
def test_ids_meet_by_their_text_and_nothing_meets_nothing(concern, ids, labels, met):
    assert concern(pa.array(ids), pa.array(labels)) is met


def test_only_rows_of_the_window_are_asked(concern):
    assert concern(pa.array(["in", "out"]), pa.array(["out"]), hours=(1, 25)) is False
    assert concern(pa.array(["in", "out"]), pa.array(["in"]), hours=(1, 25)) is True


def test_what_is_too_much_or_cannot_be_read_may_concern_any_window(concern, monkeypatch, tmp_path):
    monkeypatch.setattr(arrivals, "MOST_IDS", 1)
    assert concern(pa.array(["a"]), pa.array(["y", "z"])) is True
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(b"PAR1")
    location = parquet_folder(str(tmp_path), ".")()
    view = LogView.of(location, SourceSpec(".", "at", id="id"), DAY)
    assert Arrivals(location, "id").concern(view, [], [named(torn)]) is True


def test_files_that_came_are_those_of_no_manifest_and_none_when_one_is_another():
    one, two = LogFile("a", 1, "1", 1), LogFile("b", 1, "1", 1)
    assert added_since([one], [one, two]) == [two]
    assert added_since([one], [one]) == []
    assert added_since([one, two], [one]) is None
    assert added_since([one], [LogFile("a", 1, "2", 1), two]) is None

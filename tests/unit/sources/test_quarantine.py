"""Files that the quarantine holds are not opened, and named all the same."""

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from monitor.domain.field import Label
from monitor.domain.policy import LabelTable
from monitor.domain.quarantine import FIRST_WAIT, Quarantine, drop
from monitor.domain.window import Window
from monitor.sources.location import Location
from monitor.sources.parquet import ParquetSource

NOW = datetime(2005, 7, 1, tzinfo=UTC)
NOTHING = Quarantine("m", NOW, {})


@pytest.fixture
def opened(monkeypatch):
    """Return the paths of files as they are opened."""
    paths = []
    real = Location.handle
    monkeypatch.setattr(
        Location, "handle", lambda self, file: paths.append(file.path) or real(self, file)
    )
    return paths


def torn(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PAR1 and then nothing")
    return path


def broken_in_its_data(path):
    """Overwrite what follows the magic bytes: the footer stays in order."""
    data = bytearray(path.read_bytes())
    length = pq.read_metadata(path).serialized_size
    data[4 : len(data) - length - 8] = b"\xff" * (len(data) - length - 12)
    path.write_bytes(data)
    return path


def taken_in(source, known=NOTHING):
    """Return the quarantine after a survey."""
    survey = source.survey(known)
    return known.after(known.changes((file.path, file) for file in survey.unreadable))


def count(source, scan):
    grid = source.draft(source.scan(scan.window), "1")
    counter = source.counter(scan, {"1": grid})
    return [counter(task) for task in scan.tasks]


@pytest.mark.slow
def test_thousands_of_torn_files_cost_no_footer_while_they_wait(
    policy, rows, write, june, tmp_path, opened
):
    write("log/good.parquet", rows())
    for number in range(3_000):
        torn(tmp_path / "log" / f"torn-{number:04}.parquet")
    source = ParquetSource(policy())
    known = taken_in(source)
    assert len(opened) == 3_001
    opened.clear()
    survey, scan = source.survey(known), source.scan(june, known)
    assert opened == []
    assert len(survey.unreadable) == len(scan.manifest.unreadable) == 3_000
    assert scan.manifest.digest == source.scan(june).manifest.digest


def test_a_file_is_tried_again_when_its_wait_is_over(policy, rows, write, tmp_path, opened):
    write("log/good.parquet", rows())
    torn(tmp_path / "log/torn.parquet")
    source = ParquetSource(policy())
    known = taken_in(source)
    opened.clear()
    source.survey(replace(known, at=NOW + FIRST_WAIT))
    assert opened == ["torn.parquet"]


def test_a_file_that_has_changed_is_tried_at_once_and_seen_whole(
    policy, rows, write, june, tmp_path
):
    torn(tmp_path / "log/a.parquet")
    source = ParquetSource(policy())
    known = taken_in(source)
    write("log/a.parquet", rows(3))
    survey = source.survey(known)
    assert survey.unreadable == ()
    first = datetime(2005, 6, 1, tzinfo=UTC)
    assert survey.whole == {"a.parquet": (first, first + timedelta(hours=2))}
    assert [file.path for file in source.scan(june, known).manifest.files] == ["a.parquet"]


def test_a_dropped_file_is_never_opened_though_it_is_mended(
    policy, rows, write, june, tmp_path, opened
):
    torn(tmp_path / "log/a.parquet")
    source = ParquetSource(policy())
    known = taken_in(source)
    known = known.after([drop(known.files["a.parquet"], "ada", "sent again")])
    write("log/a.parquet", rows(3))
    opened.clear()
    survey, scan = source.survey(known), source.scan(june, known)
    assert (opened, survey.whole, scan.tasks) == ([], {}, ())
    assert [file.reason for file in scan.manifest.unreadable] == ["dropped"]


def test_a_dropped_file_that_can_no_longer_be_placed_stays_dropped(
    policy, rows, write, june, tmp_path
):
    write("log/good.parquet", rows())
    broken_in_its_data(write("log/a.parquet", rows(50)))
    source = ParquetSource(policy())
    broken = [file for part in count(source, source.scan(june)) for file in part.unreadable]
    known = NOTHING.after(NOTHING.changes((file.path, file) for file in broken))
    known = known.after([drop(known.files["a.parquet"], "ada", "sent again")])
    torn(tmp_path / "log/a.parquet")
    (file,) = ParquetSource(policy()).scan(june, known).manifest.unreadable
    assert (file.reason, file.placed) == ("dropped", False)


def test_a_file_broken_in_its_data_is_named_in_its_own_windows_only(
    policy, rows, write, june, opened
):
    july = Window(june.end, june.end + timedelta(days=31))
    write("log/good.parquet", rows())
    broken_in_its_data(write("log/bad.parquet", rows(50)))
    source = ParquetSource(policy())
    counted = count(source, source.scan(june))
    broken = [file for part in counted for file in part.unreadable]
    assert [(file.path, file.reason, file.placed) for file in broken] == [
        ("bad.parquet", "corrupt", True)
    ]
    known = NOTHING.after(NOTHING.changes((file.path, file) for file in broken))
    opened.clear()
    assert list(source.scan(june, known).manifest.unreadable) == broken
    assert source.scan(july, known).manifest.unreadable == ()
    assert [task.path for task in source.scan(june, known).tasks] == ["good.parquet"]
    assert list(source.survey(known).unreadable) == broken
    assert opened == []


def test_a_file_broken_in_its_data_may_be_whole_once_its_wait_is_over(policy, rows, write, june):
    write("log/good.parquet", rows())
    broken_in_its_data(write("log/bad.parquet", rows(50)))
    source = ParquetSource(policy())
    broken = [file for part in count(source, source.scan(june)) for file in part.unreadable]
    known = NOTHING.after(NOTHING.changes((file.path, file) for file in broken))
    assert source.survey(known).whole == {}
    later = replace(known, at=NOW + FIRST_WAIT)
    assert list(source.survey(later).whole) == ["bad.parquet"]


def test_a_file_of_the_future_is_named_the_same_whether_it_is_tried_or_held(
    policy, rows, write, june
):
    class Clock:
        at = NOW

        def now(self):
            return self.at

    write("log/good.parquet", rows())
    write("log/future.parquet", rows(3, start=NOW + timedelta(days=2)))
    clock = Clock()
    source = ParquetSource(policy(), clock=clock)
    known = taken_in(source)
    assert [(path, file.reason) for path, file in known.files.items()] == [
        ("future.parquet", "future_event_time")
    ]
    tried, held = source.scan(june).manifest, source.scan(june, known).manifest
    assert tried == held
    assert [file.path for file in held.unreadable] == ["future.parquet"]
    clock.at = NOW + timedelta(days=3)
    assert list(source.survey(replace(known, at=clock.at)).whole) == ["future.parquet"]


def test_a_file_without_rows_is_whole_and_reaches_no_window(policy, rows, write, tmp_path):
    torn(tmp_path / "log/a.parquet")
    source = ParquetSource(policy())
    known = taken_in(source)
    write("log/a.parquet", rows(0))
    assert source.survey(known).whole == {"a.parquet": None}


def test_a_file_whose_footer_is_silent_reaches_what_is_read_of_it(policy, rows, write, tmp_path):
    torn(tmp_path / "log/a.parquet")
    source = ParquetSource(policy())
    known = taken_in(source)
    write("log/a.parquet", rows(3), write_statistics=False)
    first = datetime(2005, 6, 1, tzinfo=UTC)
    assert source.survey(known).whole == {"a.parquet": (first, first + timedelta(hours=2))}


def test_a_file_that_nothing_places_in_time_may_reach_any_window(policy, rows, write, tmp_path):
    torn(tmp_path / "log/a.parquet")
    source = ParquetSource(policy())
    known = taken_in(source)
    broken_in_its_data(write("log/a.parquet", rows(50), write_statistics=False))
    survey = source.survey(known)
    first, last = survey.whole["a.parquet"]
    assert (survey.span, first.year, last.year) == (None, 1, 9999)


def test_a_held_file_is_in_no_listing_and_is_not_opened_for_one(policy, rows, write, june, opened):
    write("log/good.parquet", rows())
    broken_in_its_data(write("log/bad.parquet", rows(50), write_statistics=False))
    source = ParquetSource(policy())
    before = source.scan(june)
    broken = [file for part in count(source, before) for file in part.unreadable]
    known = NOTHING.after(NOTHING.changes((file.path, file) for file in broken))
    source = ParquetSource(policy())
    source.survey(known)  # reads the footers
    opened.clear()
    scan = source.scan(june, known)
    assert source.listings([june], known) == {june: scan.listing}
    assert before.listing_of(scan.manifest) == scan.listing
    assert (list(scan.manifest.unreadable), opened) == (broken, [])


def test_a_folder_that_can_be_listed_again_is_whole_with_all_that_is_in_it(
    policy, rows, write, tmp_path
):
    write("log/good.parquet", rows())
    write("elsewhere/b.parquet", rows(5))
    link = tmp_path / "log" / "day.parquet"
    link.symlink_to(tmp_path / "nowhere")
    source = ParquetSource(policy())
    known = taken_in(source)
    assert list(known.files) == ["day.parquet"]
    link.unlink()
    link.symlink_to(tmp_path / "elsewhere")
    first = datetime(2005, 6, 1, tzinfo=UTC)
    whole = source.survey(known).whole
    assert whole == {"day.parquet": (first, first + timedelta(hours=4))}


def labelled(policy):
    return policy(
        source={"labels": LabelTable("labels", "id", "known")}, label=Label("late", ("1",))
    )


def test_label_files_wait_as_log_files_do(policy, rows, write, june, tmp_path, opened):
    write("log/a.parquet", rows())
    torn(tmp_path / "labels/l.parquet")
    source = ParquetSource(labelled(policy))
    known = taken_in(source)
    assert list(known.files) == ["labels/l.parquet"]
    opened.clear()
    (named,) = source.scan(june, known).manifest.unreadable
    assert (opened, named.path) == ([], "labels/l.parquet")
    later = [datetime(2005, 8, 1, tzinfo=UTC)] * 10
    write("labels/l.parquet", {"id": rows()["id"], "late": [0, 1] * 5, "known": later})
    first, last = source.survey(known).whole["labels/l.parquet"]
    assert (first.year, last) == (1, later[0])
    (file,) = source.scan(june, known).manifest.labels
    assert file.path == "l.parquet"


def test_a_label_file_broken_in_its_data_is_left_out_and_named(policy, rows, write, june):
    write("log/a.parquet", rows(50))
    known_at = [datetime(2005, 8, 1, tzinfo=UTC)] * 50
    labels = {"id": rows(50)["id"], "late": [0, 1] * 25, "known": known_at}
    broken_in_its_data(write("labels/l.parquet", labels))
    source = ParquetSource(labelled(policy))
    broken = [file for part in count(source, source.scan(june)) for file in part.unreadable]
    assert [(file.path, file.placed) for file in broken] == [("labels/l.parquet", True)]
    known = NOTHING.after(NOTHING.changes((file.path, file) for file in broken))
    manifest = source.scan(june, known).manifest
    assert (manifest.labels, list(manifest.unreadable)) == ((), broken)
    assert list(source.survey(known).unreadable) == broken
    assert list(source.survey(replace(known, at=NOW + FIRST_WAIT)).whole) == ["labels/l.parquet"]


def test_a_label_folder_that_is_not_there_yet_waits_and_is_whole_when_labels_come(
    policy, rows, write
):
    write("log/a.parquet", rows())
    source = ParquetSource(labelled(policy))
    known = taken_in(source)
    assert [(path, file.reason) for path, file in known.files.items()] == [("labels", "not_found")]
    at = [datetime(2005, 8, 1, tzinfo=UTC)] * 10
    write("labels/l.parquet", {"id": rows()["id"], "late": [0, 1] * 5, "known": at})
    assert list(source.survey(known).whole) == ["labels"]

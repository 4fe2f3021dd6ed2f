"""Files and labels that come after a window has been run: a real log, a real store."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from monitor.compute.local import LocalCompute
from monitor.domain.estimate import Estimate
from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, FieldRole, Label
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.policy import FieldLimit, LabelTable, Policy, SourceSpec
from monitor.domain.run import Outcome
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.check import check_due
from monitor.engine.lookback import Lookback
from monitor.engine.progress import Silent
from monitor.engine.register import Registration, register_baselines
from monitor.engine.run import Outside
from monitor.sources import arrivals
from monitor.sources.location import Location
from monitor.sources.parquet import ParquetSource
from monitor.store.sql import SqlStore

pytestmark = pytest.mark.slow

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ROWS = 240


class At:
    """A clock that stands where it is put."""

    def __init__(self, day):
        self.day = day

    def now(self):
        return FIRST + self.day * DAY


def day(place):
    return Window(FIRST + place * DAY, FIRST + (place + 1) * DAY)


class Deployment:
    """A log and a label table in a folder, and a store that remembers what was found."""

    def __init__(self, folder, **schedule):
        self.folder = folder
        for name in ("log", "labels"):
            (folder / name).mkdir(parents=True)
        self.policy = Policy(
            model="credit",
            source=SourceSpec(
                "log", "at", id="id", labels=LabelTable("labels", "id", "known", wait=30 * DAY)
            ),
            fields=(Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),),
            decision=Decision("flag", ("true",), effect=Effect.HARMFUL),
            label=Label("late", ("1",), ("0",)),
            attributes={"sex": Attribute("sex", "sex")},
            populations=(),
            schedule=Schedule(CalendarUnit.DAY, **schedule),
            limits={
                "auc_drop": FieldLimit(Limit(0.2, None, 1)),
                "label_coverage": FieldLimit(Limit(0.9, 0.5)),
                "accuracy": FieldLimit(Limit(0.5, None, 1)),
                "concept_drift": FieldLimit(Limit(0.05, None, 1)),
                "estimated_auc": FieldLimit(Limit(0.5, None, 1)),
            },
            band=Band(),
            min_label_coverage=0.9,
            text="model: credit",
            digest="d",
            directory=str(folder),
        )
        self.store = SqlStore("sqlite://")
        self.clock = At(0)
        self.outside = Outside(self.store, LocalCompute(), self.clock, "test")
        self.source = ParquetSource(self.policy)
        self.lookback = Lookback()

    def restart(self):
        self.source, self.lookback = ParquetSource(self.policy), Lookback()

    def write(self, place, name=None, rows=ROWS, first=0):
        at = [day(place).start + timedelta(minutes=6 * row) for row in range(rows)]
        table = {
            "id": [f"{place}-{first + row}" for row in range(rows)],
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "score": [(row % 10) / 10 for row in range(rows)],
            "flag": [row % 10 > 6 for row in range(rows)],
            "sex": ["fm"[row % 2] for row in range(rows)],
        }
        path = self.folder / "log" / f"{name or place}.parquet"
        pq.write_table(pa.table(table), path)

    def label(self, name, places, known, rows=ROWS, turn=1):
        ids = [f"{place}-{row}" for place in places for row in range(rows)]
        late = [int(row % 10 * turn % 10 + row % 3 > 6) for _ in places for row in range(rows)]
        at = pa.array([FIRST + known * DAY] * len(ids), pa.timestamp("us", "UTC"))
        path = self.folder / "labels" / f"{name}.parquet"
        pq.write_table(pa.table({"id": ids, "late": late, "known": at}), path)

    def register(self, days=2):
        window = Window(FIRST, FIRST + days * DAY)
        registration = Registration("a test", "the first days")
        register_baselines(
            self.policy,
            self.source,
            window,
            registration=registration,
            outside=self.outside,
            progress=Silent(),
        )

    def check(self, at):
        """Look at the log on a day; return the new revisions."""
        self.clock.day = at
        done = check_due(self.policy, self.source, self.outside, Silent(), self.lookback)
        return [
            ((ran.run.window.start - FIRST) // DAY, ran.committed.revision) for ran in list(done)
        ]

    def run(self, place, revision=None):
        return self.store.run("credit", day(place), revision)

    def reading(self, place, measure):
        (result,) = self.run(place).results
        return next(item.result for item in result.readings if item.measure == measure)

    def finding(self, place, measure):
        (result,) = self.run(place).results
        return next(item for item in result.findings if item.reading.measure == measure)


@pytest.fixture
def deployment(tmp_path):
    """Two days of baseline, labelled, and four further days that have been run."""
    made = Deployment(tmp_path)
    for place in range(6):
        made.write(place)
    made.label("baseline", [0, 1], known=1.5)
    made.register()
    assert made.check(6) == [(2, 1), (3, 1), (4, 1), (5, 1)]
    return made


def test_nothing_new_runs_nothing_again_and_reads_no_rows(deployment, monkeypatch):
    opened = []
    real = Location.handle
    monkeypatch.setattr(
        Location, "handle", lambda self, file: opened.append(file) or real(self, file)
    )
    assert deployment.check(6.1) == []
    assert opened == []
    deployment.restart()
    assert deployment.check(6.2) == []
    assert {file.path for file in opened} == {
        "baseline.parquet",
        *(f"{place}.parquet" for place in range(6)),
    }  # their footers


def test_the_log_is_listed_as_often_for_many_windows_as_for_one(deployment, monkeypatch):
    listed = []
    real = Location.listing
    monkeypatch.setattr(Location, "listing", lambda self: listed.append(self.root) or real(self))
    deployment.source.listings([day(2)])
    once = len(listed)
    deployment.source.listings([day(place) for place in range(400)])
    assert len(listed) == 2 * once == 4  # the log's folder and that of the labels


def test_a_listing_for_many_windows_is_the_scan_s(deployment):
    windows = [day(place) for place in range(8)]
    found = deployment.source.listings(windows)
    assert found == {window: deployment.source.scan(window).listing for window in windows}
    assert len({listing.log for listing in found.values()}) == 7  # two days without files


def test_a_late_file_makes_a_new_revision_of_its_window_and_keeps_the_old_one(deployment):
    deployment.write(3, "late", rows=60, first=1000)
    assert deployment.check(6.1) == [(3, 2)]
    assert deployment.check(6.2) == []
    assert deployment.run(3).accounting.read == ROWS + 60
    assert deployment.run(3, 1).accounting.read == ROWS
    deployment.restart()
    assert deployment.check(6.3) == []


def test_a_rewritten_and_a_removed_file_are_changes_too(deployment):
    deployment.write(5, "more", rows=60, first=1000)
    assert deployment.check(6.1) == [(5, 2)]
    deployment.write(4, rows=100)
    (deployment.folder / "log" / "5.parquet").unlink()
    assert deployment.check(6.2) == [(4, 2), (5, 3)]
    assert deployment.run(4).accounting.read == 100
    assert deployment.run(5).accounting.read == 60


def test_a_window_of_whose_files_none_is_left_keeps_its_result(deployment):
    file = deployment.folder / "log" / "5.parquet"
    away = file.rename(file.with_name("5.parquet.being-written"))
    deployment.label("5", [5], 6)
    assert deployment.check(6.1) == []
    assert deployment.run(5).outcome is Outcome.COMPLETED
    assert [str(change) for change in deployment.lookback.told()] == [
        "added: 5.parquet (labels); removed: 5.parquet"
    ]
    deployment.restart()
    assert deployment.check(6.2) == []
    away.rename(file)
    assert deployment.check(6.3) == [(5, 2)]  # its labels


def test_a_log_whose_disk_is_not_mounted_changes_no_result(deployment):
    log = deployment.folder / "log"
    away = log.rename(deployment.folder / "elsewhere")
    log.mkdir()
    assert deployment.check(6.1) == []
    assert len(deployment.lookback.closed) == 4
    deployment.restart()
    assert deployment.check(7.1) == [(6, 1)]
    assert deployment.run(6).outcome is Outcome.NO_DATA
    log.rmdir()
    away.rename(log)
    deployment.write(6)
    assert deployment.check(7.2) == [(6, 2)]
    assert not deployment.lookback.closed


def test_a_file_that_is_not_whole_yet_reopens_nothing_until_it_is(deployment):
    path = deployment.folder / "log" / "late.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    assert deployment.check(6.1) == []
    deployment.write(3, "late", rows=60, first=1000)
    assert deployment.check(6.2) == [(3, 2)]


def test_a_window_without_data_is_run_again_once_some_come_however_old_it_is(tmp_path):
    made = Deployment(tmp_path, reopen=timedelta(0))
    for place in (0, 1, 2, 4, 9):
        made.write(place)
    made.register()
    made.check(10)
    assert made.run(3).outcome is Outcome.NO_DATA
    assert made.check(10.1) == []  # that the log has gone on is no news
    made.write(3)
    assert made.check(10.2) == [(3, 2)]
    assert made.run(3).outcome is Outcome.COMPLETED


def test_what_comes_too_late_is_told_once_counted_always_and_changes_no_result(tmp_path):
    made = Deployment(tmp_path, reopen=2 * DAY)
    for place in range(8):
        made.write(place)
    made.register()
    made.check(8)
    made.write(3, "late", rows=60, first=1000)
    made.write(2, rows=100)
    made.write(7, "fresh", rows=60, first=1000)
    assert made.check(8.1) == [(7, 2)]
    told = made.lookback.told()
    assert [(change.window, change.added, change.rewritten) for change in told] == [
        (day(2), (), ("2.parquet",)),
        (day(3), ("late.parquet",), ()),
    ]
    assert str(told[1]) == "added: late.parquet"
    assert made.check(8.2) == [] and made.lookback.told() == []
    assert (len(made.lookback.closed), made.lookback.late_files) == (2, 2)
    made.restart()
    assert made.check(8.3) == []
    assert len(made.lookback.told()) == 2
    (made.folder / "log" / "late.parquet").unlink()
    made.check(8.4)
    assert (len(made.lookback.closed), made.lookback.late_files) == (1, 1)


def test_a_log_that_has_ended_stays_open_for_what_comes_late(deployment):
    deployment.write(5, "late", rows=60, first=1000)
    assert (5, 2) in deployment.check(60)


def test_lateness_counts_before_a_window_grows_old(tmp_path):
    made = Deployment(tmp_path, reopen=DAY, lateness=DAY)
    for place in range(7):
        made.write(place)
    made.register()
    made.check(6)
    made.write(4, "late", rows=60, first=1000)
    made.write(3, "later", rows=60, first=1000)
    assert made.check(6.1) == [(4, 2)]
    assert set(made.lookback.closed) == {day(3)}


def test_late_files_in_any_order_give_the_same_store(tmp_path):
    def history(folder, order):
        made = Deployment(folder)
        for place in range(6):
            made.write(place)
        made.label("baseline", [0, 1], known=1.5)
        made.register()
        for name, place in order:
            made.write(place, name, rows=30, first=ord(name) * 100)
        made.check(6)
        return made

    late = [("a", 2), ("b", 3), ("c", 2), ("d", 5)]
    one, other = history(tmp_path / "one", late), history(tmp_path / "other", late[::-1])
    stepwise = history(tmp_path / "stepwise", [])
    for name, place in late:
        stepwise.write(place, name, rows=30, first=ord(name) * 100)
        stepwise.check(6.1)
    for place in range(2, 6):
        results = [made.run(place).results for made in (one, other, stepwise)]
        assert results[0] == results[1] == results[2]


def test_labels_that_arrive_make_a_revision_of_their_windows_alone(deployment):
    assert deployment.run(3).accounting.labels.labelled == 0
    deployment.label("tuesday", [3], known=7)
    assert deployment.check(6.1) == [(3, 2)]
    assert isinstance(deployment.reading(3, "auc_drop"), Estimate)
    assert deployment.run(3).accounting.labels.labelled == ROWS
    assert deployment.check(6.2) == []
    deployment.restart()
    assert deployment.check(6.3) == []  # looked at again, and found to be the same


def test_labels_of_other_windows_cost_the_ids_and_no_revision(deployment, monkeypatch):
    deployment.label("tuesday", [3], known=7)
    deployment.check(6.1)
    deployment.label("wednesday", [4], known=8)
    read = []
    real = Location.open
    monkeypatch.setattr(
        Location, "open", lambda self, file: read.append(file.path) or real(self, file)
    )
    assert deployment.check(6.4) == [(4, 2)]
    assert read.count("4.parquet") == 4  # whether it is meant, ids for labels and rows, columns
    assert all(read.count(f"{place}.parquet") == 1 for place in (2, 3, 5))
    assert read.count("tuesday.parquet") == 1  # no window is joined anew but that one
    read.clear()
    deployment.label("friday", [20], known=8)
    assert deployment.check(6.5) == []
    assert read.count("friday.parquet") == 1
    assert not {"tuesday.parquet", "wednesday.parquet"} & set(read)


def test_of_many_labels_at_once_it_is_not_asked_whose_they_are(deployment, monkeypatch):
    monkeypatch.setattr(arrivals, "MOST_IDS", 300)
    deployment.label("tuesday", [3, 20], known=7)
    assert deployment.check(6.1) == [(3, 2)]
    deployment.label("wednesday", [4], known=8)
    assert deployment.check(6.2) == [(4, 2)]


def test_labels_that_were_left_for_others_count_as_soon_as_they_are_of_the_window(deployment):
    deployment.label("others", [20], known=7)
    assert deployment.check(6.1) == []
    deployment.label("others", [20, 3], known=7)  # written again
    assert deployment.check(6.2) == [(3, 2)]
    (deployment.folder / "labels" / "others.parquet").unlink()
    assert deployment.check(6.3) == [(3, 3)]
    assert deployment.run(3).accounting.labels.labelled == 0
    deployment.label("torn", [4], known=7)
    path = deployment.folder / "labels" / "torn.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert deployment.check(6.4) == []
    path.write_bytes(whole)
    assert deployment.check(6.5) == [(4, 2)]
    deployment.restart()
    assert deployment.check(6.6) == []


def test_the_same_labels_in_other_files_are_no_news(deployment):
    deployment.label("tuesday", [3], known=7)
    deployment.check(6.1)
    deployment.label("tuesday", [3, 2], known=7)
    assert deployment.check(6.2) == [(2, 2)]
    deployment.label("compacted", [0, 1, 2, 3], known=7)
    for name in ("tuesday", "baseline"):
        (deployment.folder / "labels" / f"{name}.parquet").unlink()
    assert deployment.check(6.3) == []


def test_a_label_table_with_event_times_is_asked_only_for_its_own_windows(deployment):
    table = replace(deployment.policy.source.labels, event_time="made")
    source = replace(deployment.policy.source, labels=table)
    deployment.policy = replace(deployment.policy, source=source, digest="e")
    deployment.restart()
    for place in range(6):
        path = deployment.folder / "labels" / f"of-{place}.parquet"
        made = pa.array([day(place).start + timedelta(minutes=1)], pa.timestamp("us", "UTC"))
        known = pa.array([FIRST + 7 * DAY], pa.timestamp("us", "UTC"))
        pq.write_table(
            pa.table({"id": [f"{place}-0"], "late": [1], "known": known, "made": made}), path
        )
    (deployment.folder / "labels" / "baseline.parquet").unlink()
    scan = deployment.source.scan(day(3))
    assert [file.path for file in scan.manifest.labels] == ["of-3.parquet"]


def test_after_the_wait_labels_reopen_nothing(deployment):
    for place in (36, 37):
        deployment.write(place)
    deployment.check(38)
    deployment.label("very late", [3], known=37)
    assert deployment.check(38.1) == []
    assert deployment.run(3).accounting.labels.labelled == 0


def test_nothing_is_judged_by_a_few_early_labels(deployment):
    waiting = deployment.finding(3, "label_coverage")
    assert (waiting.verdict, waiting.reading.result.value) == (Verdict.CRITICAL, 0)
    deployment.label("early", [3], known=7, rows=200)
    assert deployment.check(6.1) == [(3, 2)]
    found = deployment.finding(3, "auc_drop")
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, Reason.NO_LABELS)
    assert found.explanation == (
        "waiting for labels: 83.3% of 240 rows have one, and 90.0% are needed"
    )
    assert isinstance(found.reading.result, Estimate)  # measured, and shown
    assert deployment.finding(3, "label_coverage").verdict is Verdict.WARNING
    deployment.label("rest", [3], known=8)
    assert deployment.check(6.4) == [(3, 3)]
    assert deployment.finding(3, "auc_drop").verdict is Verdict.OK
    assert deployment.finding(3, "label_coverage").verdict is Verdict.OK


def test_performance_waits_for_its_labels_and_an_estimate_does_not(deployment):
    for measure in ("accuracy", "concept_drift", "auc_drop"):
        assert deployment.finding(3, measure).reason is Reason.NO_LABELS
    assert deployment.finding(3, "estimated_auc").verdict is Verdict.OK
    before = deployment.reading(3, "estimated_auc")
    deployment.label("early", [3], known=7, rows=200)
    deployment.check(6.1)
    for measure in ("accuracy", "concept_drift"):
        found = deployment.finding(3, measure)
        assert (found.verdict, found.reason) == (Verdict.UNKNOWN, Reason.NO_LABELS)
    assert deployment.reading(3, "estimated_auc") == before
    deployment.label("rest", [3], known=8)
    deployment.check(6.4)
    assert deployment.finding(3, "accuracy").verdict is Verdict.OK
    assert deployment.finding(3, "concept_drift").verdict is Verdict.OK


def test_concept_drift_is_found_when_the_labels_arrive(deployment):
    deployment.label("other", [3], known=7, turn=7)  # the same scores, other outcomes
    deployment.check(6.1)
    found = deployment.finding(3, "concept_drift")
    assert found.verdict is Verdict.WARNING
    assert found.reading.result.then == pytest.approx(deployment.reading(2, "estimated_auc").then)
    assert found.reading.result.now < found.reading.result.then


def test_a_run_that_fails_is_tried_again_at_the_next_check(deployment, monkeypatch):
    deployment.write(3, "late", rows=60, first=1000)
    monkeypatch.setattr(
        deployment.store, "commit", lambda *_: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        deployment.check(6.1)
    monkeypatch.undo()
    assert deployment.check(6.2) == [(3, 2)]

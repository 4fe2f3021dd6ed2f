"""Checks of a log on disk, with a real store and a clock that is moved by hand."""

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from monitor.app import read_policy, source_of
from monitor.compute.local import LocalCompute
from monitor.domain.errors import BaselineError, StoreError
from monitor.domain.quarantine import FIRST_WAIT, LONGEST_WAIT, drop, retry
from monitor.domain.window import Window
from monitor.engine.check import check_due, run_windows
from monitor.engine.lookback import Lookback
from monitor.engine.progress import Silent
from monitor.engine.quarantine import decide
from monitor.engine.register import Registration, register_baselines
from monitor.engine.run import Outside
from monitor.governance.record import Actor
from monitor.store.sql import SqlStore
from tests.e2e.deployment import MODEL, write_day

pytestmark = pytest.mark.slow

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PERSON = Actor("ada", "cli")


class HandClock:
    def __init__(self):
        self.at = FIRST + 20 * DAY

    def now(self):
        return self.at


class Bench:
    """Four baseline days and three to check."""

    def __init__(self, folder):
        self.log = folder / "log"
        (folder / "models").mkdir()
        model = folder / "models" / "credit.yaml"
        model.write_text(MODEL.format(name="credit", end="2024-01-08"))
        self.policy = read_policy(model)
        for place in range(7):
            write_day(self.path(place), FIRST + place * DAY, rows=200)
        # A window without any rows is due again by itself.
        write_day(self.log / "also.parquet", FIRST + 5 * DAY, rows=100)
        self.clock = HandClock()
        self.store = SqlStore("sqlite://")
        self.outside = Outside(self.store, LocalCompute(), self.clock, "test")

    def path(self, place):
        return self.log / f"{FIRST + place * DAY:%Y-%m-%d}.parquet"

    def register(self):
        register_baselines(
            self.policy,
            source_of(self.policy),
            Window(FIRST, FIRST + 4 * DAY),
            registration=Registration("ada", "first"),
            outside=self.outside,
            progress=Silent(),
        )

    def close(self):
        """Close every window as soon as it is due."""
        schedule = replace(self.policy.schedule, reopen=timedelta(0))
        self.policy = replace(self.policy, schedule=schedule)
        write_day(self.path(8), FIRST + 8 * DAY, rows=200)  # else the last window stays open

    def check(self, wait=timedelta(0), lookback=None):
        """Check as a process that has just been started, unless it is told what one remembers.

        Return what was run, by day and rows.
        """
        self.clock.at += wait
        ran = check_due(self.policy, source_of(self.policy), self.outside, Silent(), lookback)
        return [
            (item.run.window.start.day, item.committed.revision, item.run.accounting.read)
            for item in ran
        ]

    def known(self, name):
        return self.store.quarantine("credit")[name]

    def missing(self, place):
        window = Window(FIRST + place * DAY, FIRST + (place + 1) * DAY)
        return [file.path for file in self.store.run("credit", window).manifest.unreadable]


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    made.register()
    return made


def tear(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return whole


def break_data(path):
    whole = path.read_bytes()
    data = bytearray(whole)
    length = pq.read_metadata(path).serialized_size
    data[4 : len(data) - length - 8] = b"\xff" * (len(data) - length - 12)
    path.write_bytes(data)
    return whole


def test_a_torn_file_is_taken_in_and_the_window_it_belongs_to_is_run_again(bench):
    whole = tear(bench.path(5))
    assert bench.check() == [(5, 1, 200), (6, 1, 100), (7, 1, 200)]
    name = bench.path(5).name
    assert (bench.known(name).state, bench.known(name).reason) == ("waiting", "not_parquet")
    assert bench.missing(4) == bench.missing(5) == [name]
    bench.path(5).write_bytes(whole)
    assert bench.check(timedelta(seconds=1)) == [(6, 2, 300)]
    assert bench.known(name).state == "released"
    assert bench.missing(5) == []
    assert bench.missing(4) == [name]  # nobody knew better, and nothing was missing
    assert bench.check(LONGEST_WAIT) == []


def test_waits_grow_while_nobody_mends_the_file(bench):
    tear(bench.path(5))
    bench.check()
    name = bench.path(5).name
    tries = []
    for _ in range(8):
        bench.check(FIRST_WAIT / 2)
        tries.append(bench.known(name).attempts)
    assert tries == [1, 2, 2, 2, 2, 3, 3, 3]


def test_a_file_broken_in_its_data_is_read_again_only_when_its_wait_is_over(bench):
    whole = break_data(bench.path(5))
    assert bench.check() == [(5, 1, 200), (6, 1, 100), (7, 1, 200)]
    name = bench.path(5).name
    assert bench.known(name).placed
    assert (bench.missing(4), bench.missing(5)) == ([], [name])
    assert bench.check(FIRST_WAIT / 2) == []
    assert bench.check(FIRST_WAIT / 2) == []  # tried, and the same again: no new revision
    assert bench.known(name).attempts == 2
    assert bench.check(FIRST_WAIT) == []
    bench.path(5).write_bytes(whole)
    assert bench.check() == [(6, 2, 300)]
    assert bench.known(name).state == "released"


def test_a_file_that_breaks_for_two_windows_is_read_for_the_first_alone(bench):
    table = [pq.read_table(bench.path(place)) for place in (4, 5)]
    bench.path(4).unlink()
    with pq.ParquetWriter(bench.path(5), table[0].schema) as writer:
        for part in table:
            writer.write_table(part)
    whole = break_data(bench.path(5))
    assert bench.check() == [(5, 1, 0), (6, 1, 100), (7, 1, 200)]
    assert bench.known(bench.path(5).name).attempts == 1
    assert bench.missing(4) == bench.missing(5) == [bench.path(5).name]
    bench.path(5).write_bytes(whole)
    assert bench.check(timedelta(seconds=1)) == [(5, 2, 200), (6, 2, 300)]


def test_a_check_that_is_killed_half_way_goes_on_with_the_windows_that_are_left(bench):
    tables = [pq.read_table(bench.path(place)) for place in (4, 5)]
    bench.path(4).unlink()
    with pq.ParquetWriter(bench.path(5), tables[0].schema) as writer:
        for part in tables:
            writer.write_table(part)
    whole = tear(bench.path(5))
    bench.check()
    bench.path(5).write_bytes(whole)
    half_way = check_due(bench.policy, source_of(bench.policy), bench.outside, Silent())
    assert next(half_way).run.window.start.day == 5
    half_way.close()
    assert bench.known(bench.path(5).name).state == "waiting"
    assert bench.check() == [(6, 2, 300)]
    assert bench.known(bench.path(5).name).state == "released"


def test_the_order_of_mending_and_checking_does_not_change_the_last_result(bench, tmp_path):
    whole = tear(bench.path(5))
    bench.check()
    bench.path(5).write_bytes(whole)
    bench.check()
    (tmp_path / "other").mkdir()
    other = Bench(tmp_path / "other")
    other.register()
    other.check()
    window = Window(FIRST + 5 * DAY, FIRST + 6 * DAY)
    results = [it.store.run("credit", window).results for it in (bench, other)]
    assert results[0] == results[1]


def test_a_deleted_file_is_gone_and_a_hidden_one_is_not(bench):
    tear(bench.path(5))
    bench.check()
    name = bench.path(5).name
    bench.path(5).unlink()
    bench.check(timedelta(seconds=1))
    assert bench.known(name).state == "gone"


def test_a_file_whose_folder_cannot_be_listed_is_not_gone(bench, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    folder = bench.log / "day.parquet"
    folder.symlink_to(tmp_path / "elsewhere")
    bench.check()
    folder.unlink()
    folder.symlink_to(tmp_path / "nowhere")
    bench.check(timedelta(seconds=1))
    assert bench.known("day.parquet").state == "waiting"
    assert bench.known("day.parquet/torn.parquet").state == "waiting"


def test_a_dropped_file_is_left_out_though_it_is_mended_until_it_is_taken_back(bench):
    whole = tear(bench.path(5))
    bench.check()
    name = bench.path(5).name
    decide(
        "credit",
        name,
        lambda file: drop(file, "ada", "lost"),
        bench.store,
        (bench.clock.at, PERSON),
    )
    bench.path(5).write_bytes(whole)
    assert bench.check(LONGEST_WAIT) == []
    assert bench.known(name).state == "dropped"
    decide(
        "credit",
        name,
        lambda file: retry(file, "bob", "", bench.clock.at),
        bench.store,
        (bench.clock.at, PERSON),
    )
    assert bench.check(timedelta(seconds=1)) == [(6, 2, 300)]
    assert bench.known(name).state == "released"


def test_a_decision_made_during_a_check_stands(bench):
    whole = tear(bench.path(4))
    bench.check()
    name = bench.path(4).name
    bench.path(4).write_bytes(whole)
    running = check_due(bench.policy, source_of(bench.policy), bench.outside, Silent())
    next(running)
    decide(
        "credit",
        name,
        lambda file: drop(file, "ada", "lost"),
        bench.store,
        (bench.clock.at, PERSON),
    )
    assert list(running) == []
    assert bench.known(name).state == "dropped"


def test_a_closed_window_is_run_again_when_the_file_it_lacks_can_be_used(bench):
    bench.close()
    lookback = Lookback()
    torn, broken = bench.path(4), bench.path(5)
    whole = tear(torn), break_data(broken)
    bench.check(lookback=lookback)
    assert bench.check(FIRST_WAIT, lookback=lookback) == []  # tried once more
    assert bench.known(broken.name).attempts == 2
    assert bench.check(FIRST_WAIT / 2, lookback=lookback) == []
    assert (lookback.closed, lookback.told()) == ({}, [])  # nothing has come too late
    torn.write_bytes(whole[0])
    broken.write_bytes(whole[1])
    assert bench.check(timedelta(seconds=1), lookback=lookback) == [(5, 2, 200), (6, 2, 300)]
    assert {bench.known(path.name).state for path in (torn, broken)} == {"released"}
    assert bench.check(LONGEST_WAIT, lookback=lookback) == []
    assert (lookback.closed, lookback.told()) == ({}, [])


def test_a_file_that_broke_after_its_window_was_closed_came_too_late(bench):
    bench.check()
    bench.close()
    lookback = Lookback()
    whole = tear(bench.path(5))
    assert bench.check(lookback=lookback) == []
    assert [change.removed for change in lookback.told()] == [(bench.path(5).name,)]
    assert bench.known(bench.path(5).name).state == "waiting"
    bench.path(5).write_bytes(whole)
    assert bench.check(timedelta(seconds=1), lookback=lookback) == []
    assert [change.rewritten for change in lookback.told()] == [(bench.path(5).name,)]
    assert bench.known(bench.path(5).name).state == "released"  # no result lacks it


def test_a_back_fill_takes_in_and_releases_as_well(bench):
    whole = tear(bench.path(5))
    window = Window(FIRST + 5 * DAY, FIRST + 6 * DAY)

    def fill():
        source = source_of(bench.policy)
        return list(run_windows(bench.policy, source, [window], bench.outside, Silent()))

    fill()
    assert bench.known(bench.path(5).name).state == "waiting"
    bench.path(5).write_bytes(whole)
    (ran,) = fill()
    assert ran.committed.revision == 2
    assert bench.known(bench.path(5).name).state == "released"


def test_files_are_taken_in_before_a_baseline_is_missed(tmp_path):
    bench = Bench(tmp_path)
    tear(bench.path(5))
    with pytest.raises(BaselineError):
        bench.check()
    assert bench.known(bench.path(5).name).state == "waiting"


def test_windows_of_an_earlier_schedule_are_history(bench):
    whole = tear(bench.path(5))
    two_days = Window(FIRST + 4 * DAY, FIRST + 6 * DAY)
    source = source_of(bench.policy)
    list(run_windows(bench.policy, source, [two_days], bench.outside, Silent()))
    bench.path(5).write_bytes(whole)
    assert bench.check() == [(5, 1, 200), (6, 1, 300), (7, 1, 200)]
    assert bench.known(bench.path(5).name).state == "released"
    assert bench.store.revisions("credit", two_days)[-1].number == 1


def test_nothing_is_decided_about_a_file_that_nobody_knows(bench):
    with pytest.raises(ValueError, match="not in quarantine"):
        decide(
            "credit",
            "a.parquet",
            lambda file: drop(file, "ada", "lost"),
            bench.store,
            (bench.clock.at, PERSON),
        )


def test_a_decision_that_is_overtaken_again_and_again_says_so(bench):
    tear(bench.path(5))
    bench.check()
    name = bench.path(5).name

    def overtaken(file):
        bench.store.note([retry(file, "somebody else", "", bench.clock.at)])
        return drop(file, "ada", "lost")

    with pytest.raises(StoreError, match="another process; nothing was decided"):
        decide("credit", name, overtaken, bench.store, (bench.clock.at, PERSON))

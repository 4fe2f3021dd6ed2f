import logging
import time
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from monitor.domain.errors import StoreError
from monitor.domain.lease import NEVER_HELD, Replica
from monitor.scheduling.leadership import ASKED, AgreedClock, Leadership

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)
TTL = timedelta(seconds=15)
ADA, BOB = Replica("ada", "m1"), Replica("bob", "m1")


class Times:
    """One time that passes, as three clocks tell it: the store's, ours, and one that never jumps."""

    def __init__(self, off=timedelta(0)):
        self.passed = timedelta(0)
        self.off = off

    def now(self):
        return NOON + self.passed + self.off

    def monotonic(self):
        return 1e6 + self.passed.total_seconds()

    def pass_by(self, seconds):
        self.passed += timedelta(seconds=seconds)


class Leases:
    """The lease of a store in memory, which may be slow or away."""

    def __init__(self, times):
        self.times = times
        self.lease = NEVER_HELD
        self.takes = 0.0
        self.away = False

    def ask(self, replica, ttl):
        self.times.pass_by(self.takes / 2)
        if self.away:
            raise StoreError("away")
        present = NOON + self.times.passed
        self.lease = self.lease.asked_for(replica, present, ttl)
        self.times.pass_by(self.takes / 2)
        return self.lease, present

    def release(self, term):
        if self.away:
            raise StoreError("away")
        if self.lease.term == term:
            self.lease = self.lease.released(NOON + self.times.passed)


def two(off=timedelta(0)):
    times = Times(off)
    leases = Leases(times)
    replicas = [Leadership(leases, each, TTL, times, times.monotonic) for each in (ADA, BOB)]
    return times, leases, *replicas


def test_the_first_that_asks_leads_and_the_other_stands_by():
    _, _, ada, bob = two()
    assert ada.term is None
    assert ada.ask() is True
    assert bob.ask() is False
    assert ada.ask() is False, "the same term goes on"
    assert ada.term.token == 1
    assert bob.term is None
    assert (ada.told().leads, bob.told().leads) == (True, False)
    assert ada.told().lease.holder == bob.told().lease.holder == "ada"


def test_it_believes_that_it_leads_no_longer_than_the_store_does():
    times, leases, ada, bob = two()
    leases.takes = 4  # seconds; the store counts from the middle of them
    ada.ask()
    leases.takes = 0
    times.pass_by(TTL.total_seconds() - 4)
    assert ada.term is None
    assert not leases.lease.is_free(NOON + times.passed)
    assert bob.ask() is False
    times.pass_by(2)
    assert bob.ask() is True
    assert bob.term.token == 2


def test_a_term_that_nobody_took_goes_on_after_the_store_was_away():
    times, leases, ada, _ = two()
    ada.ask()
    leases.away = True
    times.pass_by(100)
    with pytest.raises(StoreError):
        ada.ask()
    assert ada.term is None
    leases.away = False
    assert ada.ask() is False
    assert ada.term.token == 1


def test_a_refused_write_ends_the_term_at_once():
    _, _, ada, _ = two()
    ada.ask()
    ada.refused(ada.term)
    assert ada.term is None
    assert ada.told().refused == 1


def test_a_write_of_an_earlier_term_that_is_refused_ends_no_later_one():
    times, _, ada, bob = two()
    ada.ask()
    first = ada.term
    times.pass_by(20)
    bob.ask()
    times.pass_by(20)
    ada.ask()
    ada.refused(first)
    assert ada.term.token == 3
    assert ada.told().takeovers == 2


def test_stopped_it_gives_the_lease_back():
    _, _, ada, bob = two()
    ada.ask()
    ada.stop()
    assert ada.term is None
    assert bob.ask() is True


def test_stopped_while_the_store_is_away_it_says_that_the_lease_is_not_released(caplog):
    _, leases, ada, _ = two()
    ada.ask()
    leases.away = True
    ada.stop()
    assert "expires by itself" in caplog.text


def test_stopped_while_another_leads_it_leaves_that_ones_lease():
    _, leases, ada, bob = two()
    ada.ask()
    bob.ask()
    bob.stop()
    assert leases.lease.holder == "ada"


@pytest.mark.parametrize("hours", [5, -5])
def test_a_clock_that_is_off_is_set_right_by_the_stores_and_said_once(hours, caplog):
    off = timedelta(hours=hours)
    times, _, ada, _ = two(off)
    for _ in range(3):
        ada.ask()
        times.pass_by(5)
    assert ada.told().skew == -off
    assert AgreedClock(times, ada).now() == NOON + times.passed
    assert caplog.text.count("this machine's clock differs") == 1


def test_clocks_that_agree_as_far_as_one_can_tell_are_left_alone():
    times, leases, ada, _ = two(timedelta(seconds=0.9))
    ada.ask()
    assert AgreedClock(times, ada).now() == times.now()
    times.off, leases.takes = timedelta(seconds=1.5), 4
    ada.ask()
    assert ada.told().skew == timedelta(0), "the answer took longer than the clocks differ"


@pytest.mark.slow
def test_it_asks_in_a_thread_tells_when_a_term_begins_and_survives_a_store_that_is_away(caplog):
    caplog.set_level(logging.INFO)
    times = Times()
    leases = Leases(times)
    leases.lease = leases.lease.asked_for(BOB, NOON, TTL)
    ttl = timedelta(seconds=0.3)
    ada = Leadership(leases, ADA, ttl, times)
    began, ended = Event(), Event()
    ada.ask()
    ada.start(began.set, ended.set)
    assert not began.wait(2 * ttl.total_seconds() / ASKED)
    leases.away = True
    until(lambda: ada.told().failures >= 2)
    assert not ada.told().reachable
    times.pass_by(TTL.total_seconds())
    leases.away = False
    assert began.wait(60)
    assert ada.told().leads and ada.told().reachable
    assert not ended.is_set()
    ada.stop()
    assert ended.wait(60)
    assert leases.lease.holder == ""
    assert caplog.text.count("the store cannot be asked") == 1
    assert caplog.text.count("can be asked for the lease again") == 1
    assert "standing by: bob leads in term 1" in caplog.text
    assert "leading in term 2, as ada" in caplog.text


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.01)

"""Threads that bring batches together, and threads that fail."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

from monitor.sources.meeting import AHEAD, Meeting


def scores(name):
    return [{name: np.zeros(1, np.int8)}]


def test_the_last_who_brings_a_batch_gets_all_of_it():
    meeting = Meeting(3)
    assert meeting.bring(0, scores("a")) is None
    assert meeting.bring(0, scores("b")) is None
    (united,) = meeting.bring(0, scores("c"))
    assert sorted(united) == ["a", "b", "c"]


def test_one_thread_waits_for_nobody():
    meeting = Meeting(1)
    for batch in range(5):
        assert meeting.bring(batch, scores("a")) is not None


def test_a_fast_thread_waits_for_a_slow_one():
    meeting, ahead = Meeting(2), Event()

    def fast():
        with meeting:
            for batch in range(AHEAD + 2):
                if batch == AHEAD + 1:
                    ahead.set()
                meeting.bring(batch, scores("a"))
        return "done"

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(fast)
        assert ahead.wait(10)
        assert not running.done()
        for batch in range(AHEAD + 2):
            meeting.bring(batch, scores("b"))
        assert running.result(10) == "done"


def test_a_thread_that_fails_sets_the_others_free_and_is_the_one_that_is_heard():
    meeting = Meeting(2)

    def waiting():
        with meeting:
            for batch in range(AHEAD + 2):
                meeting.bring(batch, scores("a"))

    def failing():
        with meeting:
            raise OSError("the disk is gone")

    with ThreadPoolExecutor(2) as threads:
        waits, fails = threads.submit(waiting), threads.submit(failing)
        with pytest.raises(OSError, match="the disk is gone"):
            fails.result(10)
        assert waits.result(10) is None

"""Threads that bring batches together, and threads that fail."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

from monitor.profile.kernel import BatchScores
from monitor.sources.meeting import AHEAD, Meeting, Shared


def scores(name):
    return [BatchScores([name], np.zeros((1, 1), np.int8))]


def test_what_is_shared_is_made_once_and_seen_by_all():
    made = []

    def items():
        for number in range(200):
            made.append(number)
            yield number

    shared = Shared(items(), 4)
    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(lambda part: list(shared.part(part)), range(4)))
    assert seen == [list(range(200))] * 4
    assert made == list(range(200))


def test_who_makes_what_cannot_be_made_hears_of_it_and_the_others_end():
    def items():
        yield 0
        raise ValueError("torn")

    shared = Shared(items(), 2)
    one, other = shared.part(0), shared.part(1)
    assert (next(one), next(other)) == (0, 0)
    with pytest.raises(ValueError, match="torn"):
        next(one)
    assert list(other) == []


def test_a_batch_can_be_taken_once_all_have_brought_it():
    meeting = Meeting(3)
    for name in "ab":
        meeting.bring(0, scores(name))
        assert meeting.take() == []
    meeting.bring(0, scores("c"))
    ((batch, (of_profile,)),) = meeting.take()
    assert batch == 0
    assert [part.names for part in of_profile] == [["a"], ["b"], ["c"]]
    assert meeting.take() == []


def test_batches_are_taken_in_their_order():
    meeting = Meeting(2)
    for name in "ab":
        for batch in range(AHEAD):
            meeting.bring(batch, scores(name))
    assert [batch for batch, _ in meeting.take()] == list(range(AHEAD))


def test_who_takes_waits_for_those_who_bring():
    meeting = Meeting(2)
    meeting.bring(0, scores("a"))
    with ThreadPoolExecutor(1) as threads:
        taking = threads.submit(meeting.take, 1)
        meeting.bring(0, scores("b"))
        assert [batch for batch, _ in taking.result(60)] == [0]


def test_one_thread_waits_for_nobody():
    meeting = Meeting(1)
    for batch in range(5):
        meeting.bring(batch, scores("a"))
        assert len(meeting.take(batch + 1)) == 1


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
        assert ahead.wait(60)
        assert not running.done()
        for batch in range(AHEAD + 2):
            meeting.bring(batch, scores("b"))
        assert running.result(60) == "done"


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
            fails.result(60)
        assert waits.result(60) is None

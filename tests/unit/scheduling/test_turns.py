from threading import Thread

import pytest

from monitor.scheduling.turns import Turns
from tests.unit.scheduling.test_checks import until


@pytest.fixture
def begin():
    """Return a function that begins a thread; all of them have ended in the end."""
    begun = []

    def thread(work):
        begun.append(Thread(target=work))
        begun[-1].start()

    yield thread
    for each in begun:
        each.join(60)
        assert not each.is_alive()


def test_whoever_passes_on_goes_behind_those_who_wait(begin):
    turns, done = Turns(1), []

    def work(name):
        assert turns.take()
        done.append(name)
        turns.give_back()

    assert turns.take()
    for number, name in enumerate(("b", "c"), 1):
        begin(lambda name=name: work(name))
        until(lambda number=number: len(turns._waiting) == number)
    turns.pass_on()
    assert done == ["b", "c"]
    turns.pass_on()  # nobody waits: at once
    turns.give_back()


def test_no_more_work_at_once_than_there_are_places(begin):
    turns, most, at_work = Turns(2), [], []

    def work(name):
        for _ in range(20):
            assert turns.take()
            at_work.append(name)
            most.append(len(at_work))
            at_work.remove(name)
            turns.give_back()

    for name in range(5):
        begin(lambda name=name: work(name))
    until(lambda: len(most) == 100)
    assert max(most) <= 2


def test_at_the_end_nobody_waits_and_nobody_is_let_in(begin):
    turns, told = Turns(1), []
    assert turns.take()
    begin(lambda: told.append(turns.take()))
    until(lambda: len(turns._waiting) == 1)
    turns.end()
    until(lambda: told == [False])
    turns.pass_on()
    turns.give_back()
    assert not turns.take()

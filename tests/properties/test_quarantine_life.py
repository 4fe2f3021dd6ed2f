"""The life of a quarantined file: any sights and decisions, in any order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.manifest import UnreadableFile
from monitor.domain.quarantine import (
    FIRST_WAIT,
    LONGEST_WAIT,
    QuarantineState,
    Sight,
    advance,
    drop,
    retry,
)

START = datetime(2005, 6, 1, tzinfo=UTC)
BROKEN = st.builds(
    UnreadableFile,
    st.just("a.parquet"),
    st.sampled_from(["not_parquet", "corrupt", "permission_denied"]),
    st.text(max_size=5),
    st.integers(0, 2),
    st.sampled_from(["", "1", "2"]),
    placed=st.booleans(),
)
SIGHTS = BROKEN | st.sampled_from(Sight)
DECISIONS = st.sampled_from(["drop", "retry"])
STEPS = st.lists(
    st.tuples(st.timedeltas(timedelta(0), timedelta(days=2)), SIGHTS | DECISIONS), max_size=30
)


def step(file, what, at):
    if what == "drop":
        return drop(file, "ada", "why") if file is not None and file.inside else file
    if what == "retry":
        return retry(file, "ada", "why", at) if file is not None and file.inside else file
    return advance("m", file, what, at)


def lives(steps):
    """Yield each state with the one before it, what happened, and when."""
    file, at = None, START
    for elapsed, what in steps:
        at += elapsed
        after = step(file, what, at)
        yield file, what, at, after
        file = after


@given(STEPS)
def test_every_state_makes_sense(steps):
    for _, _, at, file in lives(steps):
        if file is None:
            continue
        assert (file.next_try is not None) == (file.state is QuarantineState.WAITING)
        assert file.first_seen <= file.last_tried <= at
        assert file.times >= 1 and file.attempts >= 0
        if file.next_try is not None and file.attempts:
            wait = file.next_try - file.last_tried
            assert FIRST_WAIT <= wait <= LONGEST_WAIT


@given(STEPS)
def test_every_change_is_numbered_and_nothing_else_is(steps):
    for before, _, _, after in lives(steps):
        if before is not None:
            assert after.change - before.change == (after != before)


@given(STEPS)
def test_only_a_person_ends_a_drop(steps):
    for before, what, _, after in lives(steps):
        if before is not None and before.state is QuarantineState.DROPPED:
            assert after == before or what in {"drop", "retry"}


@given(STEPS)
def test_a_file_that_is_unusable_is_in_quarantine_and_counted_when_it_comes_in(steps):
    for before, what, _, after in lives(steps):
        if isinstance(what, UnreadableFile):
            assert after.inside
            was_inside = before is not None and before.inside
            times = 0 if before is None else before.times
            assert after.times == times + (not was_inside)


@given(STEPS, SIGHTS)
def test_the_same_sight_twice_at_once_is_one_sight(steps, seen):
    file, at = None, START
    for _, _, moment, after in lives(steps):
        file, at = after, moment
    once = advance("m", file, seen, at)
    assert advance("m", once, seen, at) == once


@given(BROKEN, st.integers(1, 40))
def test_a_file_that_nobody_mends_is_tried_ever_more_rarely(seen, checks):
    at, file, waits = START, None, []
    for _ in range(checks):
        file = advance("m", file, seen, at)
        waits.append(file.next_try - at)
        at = file.next_try
    assert waits == sorted(waits)
    assert file.attempts == checks

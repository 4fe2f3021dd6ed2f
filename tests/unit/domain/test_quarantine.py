from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from monitor.domain.manifest import UnreadableFile
from monitor.domain.quarantine import (
    FIRST_WAIT,
    LONGEST_WAIT,
    Quarantine,
    QuarantinedFile,
    QuarantineState,
    Sight,
    advance,
    drop,
    retry,
    wait_after,
)

NOW = datetime(2005, 6, 1, tzinfo=UTC)
TORN = UnreadableFile("a.parquet", "not_parquet", "no footer", 100, "1")
GROWN = replace(TORN, size=200, modified="2")
DENIED = replace(TORN, reason="permission_denied")
LATER = NOW + FIRST_WAIT


def waiting():
    return advance("m", None, TORN, NOW)


def dropped():
    return drop(waiting(), "ada", "the rows were sent again")


def test_a_file_that_cannot_be_used_waits_for_its_next_try():
    assert waiting() == QuarantinedFile(
        model="m",
        path="a.parquet",
        size=100,
        modified="1",
        reason="not_parquet",
        explanation="no footer",
        placed=False,
        state=QuarantineState.WAITING,
        first_seen=NOW,
        last_tried=NOW,
        attempts=1,
        next_try=LATER,
    )


def test_a_file_that_was_not_tried_stays_as_it_is():
    assert advance("m", waiting(), TORN, LATER - timedelta(microseconds=1)) == waiting()


def test_a_file_that_fails_again_waits_twice_as_long():
    again = advance("m", waiting(), DENIED, LATER)
    assert (again.attempts, again.next_try) == (2, LATER + 2 * FIRST_WAIT)
    assert (again.reason, again.first_seen, again.last_tried) == ("permission_denied", NOW, LATER)
    assert again.change == 2


def test_a_file_that_changed_is_tried_at_once_and_its_waits_begin_anew():
    tired = replace(waiting(), attempts=7, next_try=NOW + LONGEST_WAIT)
    assert not tired.held(GROWN.size, GROWN.modified, NOW)
    changed = advance("m", tired, GROWN, NOW)
    assert (changed.size, changed.modified) == (200, "2")
    assert (changed.attempts, changed.next_try, changed.first_seen) == (1, LATER, NOW)


def test_a_file_that_is_whole_is_released_and_may_break_again():
    released = advance("m", waiting(), Sight.WHOLE, LATER)
    assert (released.state, released.next_try, released.last_tried) == ("released", None, LATER)
    assert not released.inside
    again = advance("m", released, GROWN, LATER)
    assert (again.state, again.times, again.first_seen) == ("waiting", 2, LATER)
    assert again.change == released.change + 1


def test_a_file_that_was_deleted_is_gone():
    gone = advance("m", waiting(), Sight.GONE, LATER)
    assert (gone.state, gone.last_tried) == ("gone", NOW)
    assert advance("m", gone, Sight.WHOLE, LATER) == gone


@pytest.mark.parametrize("seen", [TORN, GROWN, DENIED, Sight.WHOLE, Sight.GONE])
def test_a_dropped_file_stays_dropped_whatever_becomes_of_it(seen):
    assert advance("m", dropped(), seen, NOW + timedelta(days=999)) == dropped()
    assert dropped().held(1, "another", NOW + timedelta(days=999))


def test_a_dropped_file_is_named_with_who_and_why():
    named = dropped().unreadable
    assert named.reason == "dropped"
    assert named.explanation == (
        "dropped by ada: the rows were sent again (not_parquet: no footer)"
    )


def test_a_waiting_file_is_named_as_it_was_when_it_was_tried():
    assert waiting().unreadable == TORN


def test_a_person_can_take_a_dropped_file_back():
    back = retry(dropped(), "bob", "it was mended", LATER)
    assert (back.state, back.next_try, back.by, back.why) == (
        "waiting",
        LATER,
        "bob",
        "it was mended",
    )
    assert not back.held(back.size, back.modified, LATER)
    assert advance("m", back, TORN, LATER).next_try == LATER + FIRST_WAIT


@pytest.mark.parametrize("sight", list(Sight))
def test_nothing_is_decided_about_a_file_outside(sight):
    outside = advance("m", waiting(), sight, LATER)
    with pytest.raises(ValueError, match="not in quarantine"):
        drop(outside, "ada", "why")
    with pytest.raises(ValueError, match="not in quarantine"):
        retry(outside, "ada", "why", LATER)


@pytest.mark.parametrize("sight", list(Sight))
def test_a_file_that_is_not_known_is_quarantined_only_when_it_cannot_be_used(sight):
    assert advance("m", None, sight, NOW) is None


def test_waits_double_up_to_a_cap():
    waits = [wait_after(attempts) for attempts in range(1, 12)]
    assert waits[:4] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT, 8 * FIRST_WAIT]
    assert waits[-1] == wait_after(10**9) == LONGEST_WAIT


def test_a_quarantine_holds_what_waits_and_names_it():
    known = Quarantine("m", NOW, {TORN.path: waiting()})
    assert known.held("a.parquet", 100, "1") == TORN
    assert known.held("a.parquet", 200, "2") is None
    assert known.held("b.parquet", 100, "1") is None
    assert replace(known, at=LATER).held("a.parquet", 100, "1") is None


def test_only_what_changed_is_told():
    known = Quarantine("m", NOW, {TORN.path: waiting()})
    other = replace(TORN, path="b.parquet")
    changed = known.changes([(TORN.path, TORN), (other.path, other), ("c.parquet", Sight.GONE)])
    assert [file.path for file in changed] == ["b.parquet"]
    assert list(known.after(changed).files) == ["a.parquet", "b.parquet"]

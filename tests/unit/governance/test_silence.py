"""Times in which nobody wrote to a log: told by the program, and by the verifier beside it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor import audit_verify
from monitor.governance.events import EventType
from monitor.governance.merkle import leaf_hash
from monitor.governance.record import FIRST, AuditEvent, record_at
from monitor.governance.silence import PROMISED, Silence, silences

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
BEAT, REST, RUN = EventType.LOG_HEARTBEAT, EventType.LOG_RESTED, EventType.RUN_COMPLETED


def log_of(*records):
    """Return the bodies of records of some kinds, each at so many minutes."""
    bodies, previous = [], FIRST
    for place, (kind, minute) in enumerate(records):
        at = BEGIN + timedelta(minutes=minute)
        body = record_at("prod", place, previous, at, AuditEvent(kind, "log")).body
        previous = leaf_hash(body)
        bodies.append(body)
    return bodies


def found(*records, now=None):
    instant = None if now is None else BEGIN + timedelta(minutes=now)
    told = silences(log_of(*records), instant)
    return told and [
        ((one.since - BEGIN) // MINUTE, one.length // MINUTE, one.planned, one.ended)
        for one in told
    ]


MINUTE = timedelta(minutes=1)


def test_a_log_that_a_daemon_keeps_is_not_silent_for_longer_than_it_promises():
    assert found((BEAT, 0), (BEAT, 60), (RUN, 65), (BEAT, 120)) == ()
    assert found((BEAT, 0), (BEAT, 65)) == ()


def test_a_longer_time_is_a_silence_and_whoever_wrote_in_between_ends_it():
    assert found((BEAT, 0), (RUN, 66), (BEAT, 300)) == [
        (0, 66, False, True),
        (66, 234, False, True),
    ]


def test_what_comes_after_a_daemon_was_told_to_end_is_planned_until_one_leads_again():
    told = found((BEAT, 0), (REST, 10), (RUN, 400), (RUN, 700), (BEAT, 800), (BEAT, 1000))
    assert told == [
        (10, 390, True, True),
        (400, 300, True, True),
        (700, 100, True, True),
        (800, 200, False, True),
    ]


def test_the_newest_record_may_be_long_ago():
    assert found((BEAT, 0), now=65) == ()
    assert found((BEAT, 0), now=66) == [(0, 66, False, False)]
    assert found((BEAT, 0), (REST, 1), now=500) == [(1, 499, True, False)]


def test_of_a_log_that_no_daemon_kept_nothing_was_promised():
    assert found((RUN, 0), (RUN, 9000)) is None
    assert found((RUN, 0), (RUN, 9000), (BEAT, 9001)) == ()


def test_what_is_no_record_is_told_elsewhere_and_breaks_no_silence():
    bodies = log_of((BEAT, 0), (RUN, 100), (BEAT, 300))
    bodies[1] = b"{}"
    (one,) = silences(bodies, None)
    assert one == Silence(BEGIN, BEGIN + timedelta(minutes=300), planned=False)


@given(st.lists(st.tuples(st.sampled_from([BEAT, REST, RUN]), st.integers(0, 200)), max_size=12))
def test_the_verifier_beside_it_tells_the_same(steps):
    minute, records = 0, []
    for kind, later in steps:
        minute += later
        records.append((kind, minute))
    bodies = log_of(*records)
    told = list(audit_verify._silent([body.decode() for body in bodies]))
    expected = silences(bodies, None) or ()
    assert len(told) == len(expected)
    for text, one in zip(told, expected, strict=True):
        assert text.startswith(f"silent from {one.since} until {one.until}, {one.length}")
        assert text.endswith("was told to end") is one.planned


def test_both_verifiers_promise_the_same():
    assert audit_verify.PROMISED == PROMISED

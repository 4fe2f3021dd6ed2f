from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.lease import NEVER_HELD, Replica, Term

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)
TTL = timedelta(seconds=15)
ADA, BOB = Replica("ada", "m1"), Replica("bob", "m1")


def test_a_lease_that_nobody_ever_had_is_taken_in_term_one():
    lease = NEVER_HELD.asked_for(ADA, NOON, TTL)
    assert lease.term == Term("ada", 1)
    assert (lease.machine, lease.acquired, lease.expires) == ("m1", NOON, NOON + TTL)


def test_its_holder_renews_it_and_keeps_the_term():
    lease = NEVER_HELD.asked_for(ADA, NOON, TTL)
    later = NOON + timedelta(seconds=5)
    renewed = lease.asked_for(ADA, later, TTL)
    assert renewed.term == lease.term
    assert (renewed.acquired, renewed.renewed, renewed.expires) == (NOON, later, later + TTL)


def test_another_waits_until_it_expires_and_takes_it_then():
    lease = NEVER_HELD.asked_for(ADA, NOON, TTL)
    assert lease.asked_for(BOB, NOON + TTL - timedelta(microseconds=1), TTL) is lease
    assert lease.asked_for(BOB, NOON + TTL, TTL).term == Term("bob", 2)


def test_one_that_has_expired_and_that_nobody_took_is_the_holders_still():
    lease = NEVER_HELD.asked_for(ADA, NOON, TTL)
    assert lease.asked_for(ADA, NOON + 9 * TTL, TTL).term == lease.term


def test_one_that_was_released_is_free_at_once_and_its_term_is_over():
    lease = NEVER_HELD.asked_for(ADA, NOON, TTL).released(NOON)
    assert lease.is_free(NOON)
    assert lease.term != Term("ada", 1)
    assert lease.asked_for(BOB, NOON, TTL).term == Term("bob", 2)
    assert lease.asked_for(ADA, NOON, TTL).term == Term("ada", 2)


STEPS = st.tuples(
    st.sampled_from([ADA, BOB, Replica("eve", "m2")]), st.integers(0, 30), st.booleans()
)


@given(st.lists(STEPS, max_size=40))
def test_a_token_belongs_to_one_replica_and_terms_do_not_overlap(steps):
    lease, now = NEVER_HELD, NOON
    holders = {}
    for replica, seconds, gives_up in steps:
        now += timedelta(seconds=seconds)
        before, lease = lease, lease.asked_for(replica, now, TTL)
        assert lease.token >= before.token
        assert holders.setdefault(lease.token, lease.holder) == lease.holder
        if lease.holder != before.holder:
            assert lease.token == before.token + 1
            assert before.is_free(now)
        assert not lease.is_free(now)
        if gives_up and lease.holder == replica.name:
            lease = lease.released(now)

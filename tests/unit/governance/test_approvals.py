"""Who must agree, and whose word does not count."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.approval import ApprovalKind, ApprovalRule, Party, Seat
from monitor.domain.role import Role
from monitor.governance.approvals import (
    Involved,
    NotAllowedError,
    Request,
    RequestState,
    Vote,
    open_seats,
    state_of,
    voted,
    withdrawn,
)

AT = datetime(2026, 9, 1, 9, tzinfo=UTC)
RULE = ApprovalRule(
    ApprovalKind.ACTIVATE_VERSION,
    (Seat(Role.VALIDATOR), Seat(Role.ACCOUNTABLE)),
    frozenset({Party.REQUESTER, Party.BUILDERS}),
    timedelta(days=90),
)
BOUND = {"model": "sha256:m", "policy": "sha256:p", "report": "sha256:r"}
REQUEST = Request(RULE.kind, "model/credit/version/3", "olga", AT, BOUND, "validated in August")
INVOLVED = Involved(
    {
        "vera": frozenset({Role.VALIDATOR}),
        "head": frozenset({Role.ACCOUNTABLE}),
        "both": frozenset({Role.VALIDATOR, Role.ACCOUNTABLE}),
        "dana": frozenset({Role.VALIDATOR}),
        "olga": frozenset({Role.OWNER, Role.ACCOUNTABLE}),
        "admin": frozenset({Role.ADMIN}),
    },
    {Party.BUILDERS: frozenset({"dana", "eli"}), Party.OWNER: frozenset({"olga"})},
)


def yes(person, role, hours=1, account=""):
    return Vote(account or person, person, role, granted=True, at=AT + timedelta(hours=hours))


def cast(*votes, request=REQUEST):
    for vote in votes:
        request = voted(request, vote, RULE, INVOLVED, BOUND)
    return request


def state(request, days=1.0, found=BOUND):
    return state_of(request, RULE, AT + timedelta(days=days), found)


def test_it_is_granted_when_every_seat_is_taken():
    once = cast(yes("vera", Role.VALIDATOR))
    assert state(once) is RequestState.PENDING
    assert open_seats(once, RULE) == Counter({Role.ACCOUNTABLE: 1})
    twice = cast(yes("head", Role.ACCOUNTABLE, 2), request=once)
    assert state(twice) is RequestState.GRANTED


@pytest.mark.parametrize(
    ("vote", "reason"),
    [
        (yes("olga", Role.ACCOUNTABLE), "olga is who asked for it"),
        (yes("dana", Role.VALIDATOR), "dana is one of those who built the model"),
        (yes("vera", Role.ACCOUNTABLE), "vera is not accountable of this model"),
        (yes("nobody", Role.VALIDATOR), "nobody is not validator of this model"),
        (yes("admin", Role.ADMIN), "nobody is wanted as admin"),
        (replace(yes("vera", Role.VALIDATOR), granted=False), "a no needs a reason"),
        (replace(yes("admin", Role.ADMIN), granted=False, reason="x"), "a admin has no say"),
    ],
)
def test_whose_word_does_not_count(vote, reason):
    with pytest.raises(NotAllowedError, match=reason):
        cast(vote)


def test_one_person_takes_one_seat_whatever_roles_they_have():
    with pytest.raises(NotAllowedError, match="one person takes one seat"):
        cast(yes("both", Role.VALIDATOR), yes("both", Role.ACCOUNTABLE))


def test_two_accounts_of_one_person_are_one_person():
    with pytest.raises(NotAllowedError, match="one person takes one seat"):
        cast(
            yes("both", Role.VALIDATOR, account="oidc|1"),
            yes("both", Role.ACCOUNTABLE, account="token|2"),
        )


def test_a_second_vote_for_a_taken_seat_is_not_wanted():
    with pytest.raises(NotAllowedError, match="nobody is wanted as validator"):
        cast(yes("vera", Role.VALIDATOR), yes("both", Role.VALIDATOR))


def test_every_reason_is_told_at_once():
    request = replace(REQUEST, requested_by="dana")
    with pytest.raises(NotAllowedError) as refused:
        cast(yes("dana", Role.ACCOUNTABLE), request=request)
    assert refused.value.reasons == (
        "dana is not accountable of this model",
        "dana is who asked for it, whose word does not count here",
        "dana is one of those who built the model, whose word does not count here",
    )


def test_one_no_ends_it():
    no = Vote("vera", "vera", Role.VALIDATOR, granted=False, at=AT, reason="no stress test")
    ended = cast(no)
    assert state(ended) is RequestState.REJECTED
    with pytest.raises(NotAllowedError, match="the request is rejected: votes on it are over"):
        cast(yes("head", Role.ACCOUNTABLE), request=ended)


GRANTED = cast(yes("vera", Role.VALIDATOR), yes("head", Role.ACCOUNTABLE, 24))


@pytest.mark.parametrize("name", BOUND)
@pytest.mark.parametrize("request_", [REQUEST, GRANTED], ids=["pending", "granted"])
def test_another_digest_of_anything_it_is_bound_to_voids_it(name, request_):
    assert state(request_, found={**BOUND, name: "sha256:other"}) is RequestState.VOIDED
    gone = {each: digest for each, digest in BOUND.items() if each != name}
    assert state(request_, found=gone) is RequestState.VOIDED


def test_a_void_request_takes_no_votes():
    with pytest.raises(NotAllowedError, match="the request is voided"):
        voted(REQUEST, yes("vera", Role.VALIDATOR), RULE, INVOLVED, {})


def test_a_grant_holds_so_many_days_after_its_last_vote():
    assert state(GRANTED, 90.99) is RequestState.GRANTED
    assert state(GRANTED, 91) is RequestState.EXPIRED
    for_good = replace(RULE, expires=None)
    assert state_of(GRANTED, for_good, AT + timedelta(9999), BOUND) is RequestState.GRANTED


def test_a_request_waits_so_long_and_no_longer():
    assert state(REQUEST, 29.99) is RequestState.PENDING
    assert state(REQUEST, 30) is RequestState.EXPIRED
    with pytest.raises(NotAllowedError, match="the request is expired"):
        cast(yes("vera", Role.VALIDATOR, 24 * 30))


def test_only_who_asked_takes_it_back():
    with pytest.raises(NotAllowedError, match="only olga can take back"):
        withdrawn(REQUEST, "head", AT)
    assert state(withdrawn(REQUEST, "olga", AT)) is RequestState.WITHDRAWN


@pytest.mark.parametrize(
    ("seats", "message"),
    [
        ((), "at least one person"),
        ((Seat(Role.VALIDATOR, 0),), "at least one person"),
        ((Seat(Role.ADMIN),), "admin cannot approve"),
        ((Seat(Role.OWNER), Seat(Role.SYSTEM)), "owner, system cannot approve"),
    ],
)
def test_rules_that_are_none(seats, message):
    with pytest.raises(ValueError, match=message):
        ApprovalRule(ApprovalKind.WAIVER, seats)


votes = st.builds(
    Vote,
    st.just("account"),
    st.sampled_from(sorted(INVOLVED.roles)),
    st.sampled_from(Role),
    st.booleans(),
    st.integers(0, 24 * 40).map(lambda hours: AT + timedelta(hours=hours)),
    st.sampled_from(["", "because"]),
)


@given(st.lists(votes, max_size=12))
def test_whatever_is_said_a_grant_takes_distinct_people_who_are_none_of_the_excluded(said):
    request = REQUEST
    for vote in said:
        with suppress(NotAllowedError):
            request = voted(request, vote, RULE, INVOLVED, BOUND)
    people = [vote.person for vote in request.votes]
    assert len(set(people)) == len(people)
    assert not {"olga", "dana"} & set(people)
    if state(request, 40) is RequestState.GRANTED:
        assert {vote.role for vote in request.votes} == {Role.VALIDATOR, Role.ACCOUNTABLE}
        assert all(vote.role in INVOLVED.roles[vote.person] for vote in request.votes)


def test_who_proposes_a_policy_is_its_author_for_nobody_knows_who_typed_it():
    rule = replace(RULE, exclude=frozenset({Party.AUTHOR}))
    said = yes("olga", Role.ACCOUNTABLE)
    with pytest.raises(NotAllowedError, match="who wrote the change"):
        voted(REQUEST, said, rule, INVOLVED, BOUND)

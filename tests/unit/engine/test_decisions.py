"""What people decide: allowed or refused by one rule, stored with who they are."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from monitor.domain.errors import RefusedError
from monitor.domain.governance import Accountability, Governance
from monitor.domain.quarantine import QuarantineState
from monitor.engine.decisions import (
    LONGEST,
    MOST_WORDS,
    Said,
    drop_file,
    mute,
    retry_file,
    unmute,
)
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Method, Who
from monitor.governance.record import record_of
from monitor.store.sql import SqlStore
from monitor.store.tables import AUDIT_RECORDS
from tests.stored import FIRST, a_policy, a_quarantined

NOW = FIRST + timedelta(days=30)
PEOPLE = Governance(accountability=Accountability(operators=("olga",), owners=("omar",)))
FINDING = "0123456789abcdef"


@pytest.fixture
def store():
    opened = SqlStore("sqlite://")
    yield opened
    opened.close()


@pytest.fixture
def policy():
    return replace(a_policy(), governance=PEOPLE)


def said(who="olga", why="a known outage", *, at=NOW, method=Method.OIDC, **more):
    return Said(Who(who, method, **more), at, why)


def recorded(store):
    with store._engine.connect() as connection:
        bodies = connection.scalars(
            AUDIT_RECORDS.select().with_only_columns(AUDIT_RECORDS.c.body)
        ).all()
    return [record_of(body.encode()).event for body in bodies]


def test_a_mute_is_stored_and_recorded_with_who_decided_it(store, policy):
    mute(store, policy, FINDING, NOW + LONGEST, said(id="oidc|https://login|7"))
    assert store.mutes(policy.model)[FINDING].by == "olga"
    event = recorded(store)[-1]
    assert (event.type, event.actor.id, event.actor.method) == (
        "alert.muted",
        "oidc|https://login|7",
        "oidc",
    )


def test_a_mute_is_ended_by_another_who_may(store, policy):
    mute(store, policy, FINDING, NOW + LONGEST, said())
    unmute(store, policy, FINDING, said("omar", at=NOW + timedelta(hours=1)))
    assert not store.mutes(policy.model)[FINDING].holds(NOW + timedelta(hours=2))
    assert recorded(store)[-1].type == "alert.unmuted"


@pytest.mark.parametrize("until", [timedelta(0), timedelta(seconds=-1), LONGEST + timedelta(1)])
def test_a_mute_that_ends_too_late_or_never_began_is_refused_with_every_reason(
    store, policy, until
):
    with pytest.raises(RefusedError) as refused:
        mute(store, policy, FINDING, NOW + until, said(why=" "))
    assert len(refused.value.reasons) == 2
    assert not store.mutes(policy.model)


def test_what_is_not_muted_is_not_unmuted(store, policy):
    with pytest.raises(RefusedError, match="is not muted"):
        unmute(store, policy, FINDING, said())


def test_nobody_decides_what_is_not_up_to_them_and_nothing_is_written(store, policy):
    file = a_quarantined()
    store.note([file])
    before = len(recorded(store))
    for decide in (
        lambda: mute(store, policy, FINDING, NOW + LONGEST, said("vera")),
        lambda: unmute(store, policy, FINDING, said("vera")),
        lambda: retry_file(store, policy, file.path, said("vera")),
        lambda: drop_file(store, policy, file.path, said("vera")),
    ):
        with pytest.raises(NotAllowedError, match="vera is nothing for the model"):
            decide()
    assert len(recorded(store)) == before


def test_a_file_is_dropped_and_taken_back(store, policy):
    file = a_quarantined()
    store.note([file])
    drop_file(store, policy, file.path, said(why="a test file"))
    assert store.quarantine(policy.model)[file.path].state is QuarantineState.DROPPED
    retry_file(store, policy, file.path, said("omar", why="", method=Method.CLI))
    assert store.quarantine(policy.model)[file.path].state is QuarantineState.WAITING
    assert [(event.actor.id, event.actor.method) for event in recorded(store)[-2:]] == [
        ("olga", "oidc"),
        ("omar", "cli"),
    ]


def test_what_is_seen_of_a_file_after_a_decision_is_the_daemons(store, policy):
    file = a_quarantined()
    store.note([file])
    drop_file(store, policy, file.path, said())
    dropped = store.quarantine(policy.model)[file.path]
    store.note([replace(dropped, state=QuarantineState.GONE, change=dropped.change + 1)])
    assert recorded(store)[-1].actor.id == "daemon"


@pytest.mark.parametrize("why", ["", "x" * (MOST_WORDS + 1)])
def test_a_file_that_is_not_there_and_words_that_are_none_are_told_together(store, policy, why):
    with pytest.raises(RefusedError) as refused:
        drop_file(store, policy, "a.parquet", said(why=why))
    assert len(refused.value.reasons) == 2


def test_a_name_that_unicode_does_not_have_is_recorded_escaped(store, policy):
    nobody = replace(policy, governance=Governance())
    mute(store, nobody, FINDING, NOW + LONGEST, said("a\udc80", method=Method.CLI))
    assert recorded(store)[-1].actor.id == "a\\udc80"

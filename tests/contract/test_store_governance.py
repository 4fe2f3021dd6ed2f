"""What versions may do, in every kind of database: written with its record, and made again from it."""

import threading
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine, text

from monitor.domain.errors import FencedError, StoreError
from monitor.domain.governance import Rung
from monitor.domain.lease import Term
from monitor.engine.governing import identity_changed, settle
from monitor.governance.acts import ask_waiver, close_case, submit, take_away, vote
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action
from monitor.governance.cases import Disposition
from monitor.governance.events import EventType
from monitor.governance.record import record_of
from monitor.governance.standing import Event, State
from monitor.store.audit_store import AuditStore
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from tests.decided import GOVERNED, NOW, act, approved, broken
from tests.stored import DAY, a_baseline, a_run


def replayed(url):
    store = AuditStore(url)
    try:
        return store.replayed(), store.compared()
    finally:
        store.close()


def kinds(url):
    store = AuditStore(url)
    try:
        return [record_of(body).event for log in store.logs() for body in log.bodies]
    finally:
        store.close()


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request, tmp_path):
    """Return the URL of a database with the schema, and nothing in it."""
    found = f"sqlite:///{tmp_path / 'modelmon.db'}"
    if request.param == "postgres":
        found = request.getfixturevalue("postgres_url")
    upgrade(found)
    return found


def test_what_is_written_is_what_is_read(stores):
    approved(stores.writer)
    for store in (stores.writer, stores.reader):
        standing = store.standings("credit")["1"]
        assert (standing.state, standing.sequence, standing.by) == (State.APPROVED, 2, "head")
        assert (standing.since, standing.event) == (NOW, Event.APPROVED)
        (request,) = store.requests("credit")
        assert (request.number, request.requested_by, request.at) == (1, "olga", NOW)
        assert request.reason == "ready \x00\ud800"
        assert [(item.person, item.granted, item.at) for item in request.votes] == [
            ("vera", True, NOW),
            ("head", True, NOW),
        ]
        assert store.standing_changes() == 3
        assert store.standings("fraud") == {}


def test_a_run_and_a_baseline_make_a_version_known(stores):
    stores.writer.register(a_baseline("1"))
    stores.writer.register(a_baseline("2"))
    run = a_run()
    stores.writer.commit(run, replace(GOVERNED, digest=run.policy))
    known = stores.reader.standings("credit")
    assert {name: (item.state, item.since) for name, item in known.items()} == {
        version: (State.REGISTERED, a_baseline(version).registered_at) for version in ("1", "2")
    }
    stores.writer.register(replace(a_baseline("1", "other"), model="other"))
    assert stores.reader.known_models() == {"credit", "other"}


def test_a_run_takes_the_authority_away_that_its_alerts_cost(stores):
    approved(stores.writer)
    until = broken(stores.writer)
    standing = stores.reader.standings("credit")["1"]
    assert (standing.state, standing.event) == (State.HELD, Event.HOLD_BREACHED)
    assert (standing.since, standing.by) == (until, "daemon")
    (case,) = stores.reader.cases("credit")
    assert (case.cause, case.accountable, case.rung) == ("drift", "head", Rung.HOLD)
    assert (case.opened_at, case.deadline) == (until, until + DAY)
    changed = stores.writer.changes()
    assert not settle(GOVERNED, stores.writer, until)
    assert stores.writer.changes() == changed
    assert settle(GOVERNED, stores.writer, until + DAY)
    assert stores.reader.cases("credit")[0].escalated == 1


def test_a_waiver_is_read_as_it_was_written_and_ends_by_the_clock(stores):
    approved(stores.writer)
    ends = NOW + timedelta(days=14)
    arguments = ("drift", "1", ends, "a campaign", "each is looked at")
    act(stores.writer, "olga", Action.ASK_WAIVER, ask_waiver, *arguments)
    act(stores.writer, "gina", Action.APPROVE_WAIVER, vote, 2, "for now", granted=True)
    until = broken(stores.writer)
    (waiver,) = stores.reader.waivers("credit")
    assert (waiver.limit, waiver.starts, waiver.ends) == ("drift", NOW, ends)
    assert (waiver.approved_by, waiver.control) == (("gina",), "each is looked at")
    assert stores.reader.standings("credit")["1"].state is State.APPROVED
    settle(GOVERNED, stores.writer, max(until, ends))
    assert stores.reader.standings("credit")["1"].state is State.HELD
    assert stores.reader.waivers("credit")[0].ended_at == ends


def test_another_registry_s_word_holds_a_version_that_acts_and_no_other(store):
    approved(store)
    why = "the alias champion was moved past the workflow"
    assert identity_changed(GOVERNED, store, "1", why, NOW)
    standing = store.standings("credit")["1"]
    assert (standing.state, standing.event, standing.reason) == (
        State.HELD,
        Event.IDENTITY_CHANGED,
        why,
    )
    assert [case.cause for case in store.cases("credit")] == ["identity"]
    assert not identity_changed(GOVERNED, store, "1", why, NOW)
    assert not identity_changed(GOVERNED, store, "9", why, NOW)


def test_a_refusal_is_recorded_and_changes_nothing_else(url):
    store = SqlStore(url)
    store.register(a_baseline("1"))
    act(store, "olga", Action.SUBMIT, submit, "1", {}, "ready")
    before = store.requests("credit")
    with pytest.raises(NotAllowedError) as refused:
        act(store, "head2", Action.APPROVE_VERSION, vote, 1, "", granted=False)
    assert refused.value.reasons == ("a no needs a reason",)
    with pytest.raises(NotAllowedError, match="olga is owner for the model credit"):
        act(store, "olga", Action.APPROVE_VERSION, vote, 1, "", granted=True)
    assert store.requests("credit") == before
    denied = [event for event in kinds(url) if event.type is EventType.ACCESS_DENIED]
    assert [(event.actor.id, event.data["action"]) for event in denied] == [
        ("head2", "approve_version"),
        ("olga", "approve_version"),
    ]
    assert denied[0].data["reasons"] == ["a no needs a reason"]
    store.close()


def test_the_stored_state_is_what_the_log_adds_up_to(url):
    store = SqlStore(url)
    approved(store)
    until = broken(store)
    act(store, "sre", Action.STOP, take_away, "1", Event.STOPPED, "odd", now=until)
    act(
        store,
        "head",
        Action.CLOSE_CASE,
        close_case,
        1,
        Disposition.ROLL_BACK,
        "2 decides",
        "sha-evidence",
        now=until,
    )
    store.close()
    assert replayed(url) == ((4, ()), [])
    moves = [event for event in kinds(url) if event.type is EventType.STATE_CHANGED]
    assert {event.policy for event in moves} == {GOVERNED.digest}
    assert [event.data["before"] for event in moves] == [
        "registered",
        "pending",
        "approved",
        "held",
    ]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE modelmon_standings SET state = 'approved' WHERE version = '1'",
            "standing 1 of credit: state is 'approved', and the log says 'held'",
        ),
        ("DELETE FROM modelmon_cases", "case 1 of credit: the log has it, and the store does not"),
        (
            "UPDATE modelmon_requests SET number = 7",
            "request 7 of credit: the store has it, and the log never recorded it",
        ),
    ],
)
def test_what_was_changed_past_the_log_is_found(url, statement, told):
    store = SqlStore(url)
    approved(store)
    broken(store)
    store.close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
    (_, differ), flaws = replayed(url)
    assert told in differ
    assert told in [flaw.explanation for flaw in flaws]


def test_a_change_whose_record_cannot_be_written_does_not_happen(url):
    store = SqlStore(url)
    approved(store)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE modelmon_audit_records RENAME TO gone"))
    with pytest.raises(StoreError):
        act(store, "sre", Action.STOP, take_away, "1", Event.STOPPED, "odd")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO modelmon_audit_records"))
    engine.dispose()
    assert store.standings("credit")["1"].state is State.APPROVED
    store.close()


def test_a_replica_that_no_longer_leads_changes_nothing(url):
    store = SqlStore(url)
    approved(store)
    fenced = store.under(Term("nobody", 7))
    with pytest.raises(FencedError):
        settle(GOVERNED, fenced, NOW + 365 * DAY)
    assert store.standings("credit")["1"].state is State.APPROVED
    store.close()


def test_two_who_decide_at_once_decide_one_after_the_other(url):
    store = SqlStore(url)
    approved(store)
    ends, refused = [], []

    def stop(person):
        try:
            ends.append(act(store, person, Action.STOP, take_away, "1", Event.STOPPED, "odd"))
        except NotAllowedError as error:
            refused.append(error)

    threads = [threading.Thread(target=stop, args=(name,)) for name in ("sre", "head", "gina")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ends), len(refused)) == (1, 2)
    assert store.standings("credit")["1"].sequence == 3
    store.close()
    assert replayed(url)[0][1] == ()

"""What is remembered of registries, on each kind of database and between two processes."""

from datetime import timedelta

from msgspec.structs import replace
from sqlalchemy import select

from monitor.domain.registry import Errand, ErrandKind, Origin
from monitor.engine.registry import Look, Observed
from monitor.governance.record import record_of
from monitor.governance.registry_changes import digest_of
from monitor.governance.registry_events import errand_ended, snapshot_taken
from monitor.store.tables import AUDIT_RECORDS
from tests.registries import AT, LINEAGE, a_model, a_version

NASTY = "champion\x00\ud800 \\u0041"
MODEL = a_model(a_version("1", tags={"monitor.state": NASTY}), a_version("2"), champion="2")


def look(model=MODEL, at=AT):
    return Look(at, model, digest_of(model))


def errand(key="a", kind=ErrandKind.STATE, **more):
    return Errand(key, "credit", kind, "1", {"monitor.state": "held"}, AT, AT, **more)


def observed(**more):
    origins = (Origin("credit", "1", NASTY, LINEAGE, AT),)
    happened = (snapshot_taken("credit", AT, "credit-approval", digest_of(MODEL), "policy-1"),)
    return replace(Observed("credit", None, look(), happened, origins, (errand(),)), **more)


def events(store):
    query = select(AUDIT_RECORDS.c.body).order_by(AUDIT_RECORDS.c.sequence)
    with store._engine.connect() as connection:
        return [record_of(body.encode()).event for body in connection.scalars(query)]


def test_nothing_is_known_of_a_registry_that_was_never_looked_at(stores):
    assert stores.reader.look("credit") is None
    assert stores.reader.origins("credit") == {}
    assert stores.reader.waiting(tuple(ErrandKind)) == []
    assert stores.reader.backlog().oldest is None


def test_a_look_and_all_that_follows_from_it_are_given_back_as_they_were(stores):
    assert stores.writer.observe(observed())
    assert stores.reader.look("credit") == look()
    assert stores.reader.origins("credit")["1"].lineage == LINEAGE
    assert stores.reader.errands("credit", (ErrandKind.STATE,)) == [errand()]
    assert stores.reader.errands("credit", (ErrandKind.ALIAS,)) == []
    assert stores.reader.look("fraud") is None


def test_a_look_that_was_compared_with_an_older_one_is_not_stored_nor_what_follows(stores):
    assert stores.writer.observe(observed())
    later = observed(look=look(a_model()), errands=(errand("b"),))
    assert not stores.writer.observe(later)
    assert stores.reader.look("credit") == look()
    assert [each.key for each in stores.reader.waiting((ErrandKind.STATE,))] == ["a"]
    assert stores.writer.observe(replace(later, before=look().digest))
    assert stores.reader.look("credit").found == a_model()


def test_a_model_that_was_not_there_is_another_thing_than_one_that_was_not_looked_for(stores):
    assert stores.writer.observe(observed(look=look(None)))
    assert stores.reader.look("credit") == Look(AT, None, "")


def test_an_errand_waits_until_it_is_settled_and_never_comes_back(stores):
    stores.writer.send([errand("a"), errand("b", ErrandKind.RESULTS)])
    (first,) = stores.reader.waiting((ErrandKind.STATE,))
    later = AT + timedelta(minutes=1)
    tried = replace(first, attempts=1, error=NASTY, due_at=later)
    failed = errand_ended(tried, AT, taken=False, told=NASTY)
    stores.writer.settle(tried, (failed,))
    (again,) = stores.reader.waiting((ErrandKind.STATE,))
    assert (again.attempts, again.due_at, again.done_at) == (1, later, None)
    stores.writer.settle(replace(again, done_at=later), ())
    assert stores.reader.waiting((ErrandKind.STATE,)) == []
    assert stores.writer.send([errand("a")]) == 0
    backlog = stores.reader.backlog()
    assert (backlog.waiting, backlog.oldest) == (1, AT)
    assert [each.key for each in stores.reader.waiting((ErrandKind.RESULTS,), 5)] == ["b"]


def test_an_outage_is_recorded_when_it_begins_and_when_it_ends(stores):
    where, later = "https://mlflow.example", AT + timedelta(hours=3)
    assert stores.reader.outage(where) is None
    assert not stores.writer.note_outage(where, AT, "")  # never lost, so not found again
    assert stores.writer.note_outage(where, AT, NASTY)
    assert stores.reader.outage(where) == AT
    assert not stores.writer.note_outage(where, later, "still away")
    assert stores.reader.outage("https://another.example") is None
    stores.writer.send([errand("a")])
    assert stores.writer.note_outage(where, later, "")
    assert stores.reader.outage(where) is None
    assert not stores.writer.note_outage(where, later, "")
    ours = [each for each in events(stores.writer) if each.subject == f"registry/{where}"]
    assert [each.type.value for each in ours] == ["registry.unreachable", "registry.reachable"]
    assert ours[0].data == {"told": "champion\x00\\ud800 \\u0041"}
    assert ours[1].data == {"unreachable_since": AT.isoformat(), "waiting": 1}

"""What follows from a look at a registry: what is stored, held, put back and mirrored."""

import pytest
from msgspec.structs import replace

from monitor.domain.errors import RegistryError
from monitor.domain.governance import OnOutsideMove
from monitor.domain.registry import ErrandKind, RunStage
from monitor.engine.errands import deliver
from monitor.engine.registry_poll import poll
from monitor.governance.events import EventType
from monitor.governance.record import record_of
from monitor.store.sql import SqlStore
from monitor.store.tables import AUDIT_RECORDS
from tests.registries import (
    LINEAGE,
    Connected,
    MemoryRegistry,
    a_model,
    a_state,
    a_version,
    governed,
)


@pytest.fixture
def at():
    store = SqlStore("sqlite://")
    registry = MemoryRegistry(a_model(a_version("1"), a_version("2"), champion="2"))
    connected = Connected(registry, store)
    connected.authority.set(a_state("1"), a_state("2", sequence=2))
    yield connected
    store.close()


def look(at, policy=None):
    policy = policy or governed()
    at.clock.pass_by(seconds=30)
    return poll(policy, policy.governance.registry, at.link)


def settled(at, policy=None):
    """Look and deliver until nothing is left to be told."""
    look(at, policy)
    assert deliver(at.delivery()) > 0
    return look(at, policy)


def events(at, *kinds):
    with at.store._engine.connect() as connection:
        bodies = connection.scalars(AUDIT_RECORDS.select().with_only_columns(AUDIT_RECORDS.c.body))
        found = [record_of(body.encode()).event for body in bodies]
    return [each for each in found if each.type in kinds]


def test_the_first_look_is_stored_with_where_each_version_came_from(at):
    look(at)
    seen = events(at, EventType.REGISTRY_VERSION_SEEN)
    assert [each.subject for each in seen] == ["model/credit/version/1", "model/credit/version/2"]
    assert seen[0].data["origin"]["data"] == [{"digest": "d1f0", "name": "applications"}]
    assert at.store.origins("credit")["2"].lineage == LINEAGE
    assert at.store.look("credit").found == at.registry.model


def test_a_look_that_finds_nothing_new_writes_nothing(at):
    settled(at)
    before = at.store.changes(), len(events(at, *EventType))
    look(at)
    assert (at.store.changes(), len(events(at, *EventType))) == before


def test_tags_mirror_how_each_version_stands(at):
    settled(at)
    tags = at.registry.model.version("2").tags
    assert tags == {
        "monitor.state": "approved",
        "monitor.state_seq": "2",
        "monitor.policy_digest": "policy-1",
    }


def test_a_version_that_is_held_loses_the_alias_to_the_last_one_approved(at):
    settled(at)
    at.authority.set(a_state("2", "held", sequence=3))
    settled(at)
    assert at.registry.model.aliases == {"champion": "1"}
    assert at.registry.model.version("2").tags["monitor.state"] == "held"
    assert events(at, EventType.REGISTRY_ALIAS_MOVED_OUTSIDE) == []
    assert at.authority.held == []


def test_where_no_other_version_may_act_the_alias_is_removed(at):
    settled(at)
    at.authority.set(a_state("2", "held", sequence=3), a_state("1", "retired", sequence=2))
    settled(at)
    assert at.registry.model.aliases == {}


def test_a_scientist_who_serves_an_unapproved_version_is_noticed_within_one_look(at):
    settled(at)
    at.registry.put(a_version("3", tags={"monitor.state": "approved"}))
    at.registry.point("champion", "3")
    found = look(at)
    assert found.outside == "3"
    (event,) = events(at, EventType.REGISTRY_ALIAS_MOVED_OUTSIDE)
    assert event.data == {
        "what": "alias_moved_outside",
        "name": "champion",
        "before": "2",
        "after": "3",
        "consequence": "hold",
    }
    (tampered,) = events(at, EventType.REGISTRY_TAG_TAMPERED)
    assert tampered.data["after"] == "approved"
    assert [version for version, _ in at.authority.held] == ["2"]  # 3 never could act


def test_an_alert_holds_nothing_and_goes_on_being_told(at):
    policy = governed(on_move=OnOutsideMove.ALERT)
    settled(at, policy)
    at.registry.put(a_version("3"))
    at.registry.point("champion", "3")
    assert look(at, policy).outside == "3"
    assert look(at, policy).outside == "3"
    assert len(events(at, EventType.REGISTRY_ALIAS_MOVED_OUTSIDE)) == 1
    assert at.authority.held == []
    assert at.registry.model.aliases == {"champion": "3"}


def test_a_move_is_reverted_so_many_times_an_hour_and_then_the_model_is_held(at):
    policy = governed(on_move=OnOutsideMove.REVERT)
    settled(at, policy)
    at.registry.put(a_version("3"))
    for _ in range(3):
        at.registry.point("champion", "3")
        settled(at, policy)
        assert at.registry.model.aliases == {"champion": "2"}
        assert at.authority.held == []
    at.registry.point("champion", "3")
    look(at, policy)
    assert [version for version, _ in at.authority.held] == ["2"]
    followed = events(at, EventType.REGISTRY_ALIAS_MOVED_OUTSIDE)
    assert [each.data["consequence"] for each in followed] == ["revert"] * 3 + ["hold"]


def test_an_hour_later_a_move_is_reverted_again(at):
    policy = governed(on_move=OnOutsideMove.REVERT)
    settled(at, policy)
    at.registry.put(a_version("3"))
    for _ in range(5):
        at.registry.point("champion", "3")
        settled(at, policy)
        at.clock.pass_by(minutes=30)
    assert at.authority.held == []
    assert at.registry.model.aliases == {"champion": "2"}


def test_an_alias_that_is_moved_back_onto_a_held_version_is_noticed(at):
    settled(at)
    at.authority.set(a_state("2", "held", sequence=3))
    look(at)
    deliver(at.delivery())
    at.registry.point("champion", "2")  # before anybody has looked again
    look(at)
    (event,) = events(at, EventType.REGISTRY_ALIAS_MOVED_OUTSIDE)
    assert (event.data["before"], event.data["after"]) == ("2", "2")
    assert [version for version, _ in at.authority.held] == ["1"]


def test_an_alias_that_waits_to_be_taken_away_was_moved_by_nobody(at):
    settled(at)
    at.authority.set(a_state("2", "held", sequence=3))
    at.authority.known["1"] = replace(at.authority.known["1"], state="held", acts=False)
    at.registry.stubborn = True  # such as one that lets us write and not remove
    for _ in range(4):
        found = look(at)
        deliver(at.delivery(), at_once=True)
        assert (found.changes, found.outside) == ((), "2")
    assert events(at, EventType.REGISTRY_ALIAS_MOVED_OUTSIDE) == []
    assert at.authority.held == []
    at.registry.stubborn = False
    deliver(at.delivery(), at_once=True)
    assert look(at).outside == ""


def test_a_tag_of_ours_that_others_write_is_written_again(at):
    settled(at)
    at.registry.put(a_version("1", tags={"monitor.state": "retired", "monitor.mine": "yes"}))
    settled(at)
    assert at.registry.model.version("1").tags["monitor.state"] == "approved"
    assert "monitor.mine" not in at.registry.model.version("1").tags
    told = [each.data for each in events(at, EventType.REGISTRY_TAG_TAMPERED)]
    assert {each["name"] for each in told} >= {"monitor.state", "monitor.mine"}


def test_who_writes_tags_again_and_again_is_told_of_and_not_fought(at):
    settled(at)
    for number in range(6):
        at.registry.put(a_version("1", tags={"monitor.state": f"mine {number}"}))
        look(at)
        deliver(at.delivery())
    assert at.registry.model.version("1").tags == {"monitor.state": "mine 5"}
    followed = events(at, EventType.REGISTRY_TAG_TAMPERED)
    assert {each.data["consequence"] for each in followed[-2:]} == {"alert"}


def test_a_state_that_others_claim_for_a_version_without_a_standing_is_removed(at):
    settled(at)
    at.registry.put(a_version("3", tags={"monitor.state": "approved"}))
    assert look(at).outside == ""
    deliver(at.delivery())
    assert at.registry.model.version("3").tags == {}
    look(at)
    before = len(at.registry.told)
    look(at)
    deliver(at.delivery())
    assert len(at.registry.told) == before
    claimed = events(at, EventType.REGISTRY_TAG_TAMPERED)
    assert [each.data["after"] for each in claimed if each.subject.endswith("/3")] == ["approved"]


def test_a_claim_that_was_left_for_an_hour_is_removed_after_it(at):
    settled(at)
    for number in range(6):
        at.registry.put(a_version("3", tags={"monitor.state": f"mine {number}"}))
        look(at)
        deliver(at.delivery())
    assert at.registry.model.version("3").tags == {"monitor.state": "mine 5"}
    at.clock.pass_by(hours=1)
    settled(at)
    assert at.registry.model.version("3").tags == {}


def test_a_state_that_comes_back_is_told_again(at):
    settled(at)
    for policy in ("policy-2", "policy-1", "policy-2"):
        at.authority.set(replace(a_state("1"), policy=policy))
        settled(at)
        assert at.registry.model.version("1").tags["monitor.policy_digest"] == policy


def test_an_approved_version_that_names_something_else_is_held_whatever_the_policy_says(at):
    policy = governed(on_move=OnOutsideMove.ALERT)
    settled(at, policy)
    at.registry.put(a_version("1", run="r9"))
    look(at, policy)
    assert [version for version, _ in at.authority.held] == ["1"]
    (event,) = events(at, EventType.REGISTRY_IDENTITY_CHANGED)
    assert event.data["consequence"] == "hold"
    assert at.store.origins("credit")["1"].seen_at == at.clock.now()


def test_an_approved_version_that_was_deleted_is_held(at):
    settled(at)
    at.registry.model = a_model(a_version("2", tags=at.registry.model.version("2").tags))
    look(at)
    assert [version for version, _ in at.authority.held] == ["1"]
    assert len(events(at, EventType.REGISTRY_VERSION_DELETED)) == 1


def test_a_deleted_run_is_told_and_holds_nothing(at):
    settled(at)
    was = at.registry.model.version("2")
    at.registry.put(a_version("2", tags=was.tags, stage=RunStage.DELETED))
    look(at)
    (event,) = events(at, EventType.REGISTRY_IDENTITY_CHANGED)
    assert event.data["what"] == "run_deleted"
    assert at.authority.held == []


def test_a_registry_that_cannot_be_asked_stores_nothing(at):
    at.registry.down = True
    with pytest.raises(RegistryError):
        look(at)
    assert at.store.look("credit") is None


def test_a_model_that_the_registry_does_not_have_is_stored_as_that(at):
    at.registry.model = None
    look(at)
    (event,) = events(at, EventType.REGISTRY_SNAPSHOT)
    assert event.data["there"] is False
    assert at.store.waiting(tuple(ErrandKind)) == []


def test_of_two_that_look_at_once_one_stores_what_it_saw(at):
    policy = governed()
    link, late = at.link, at.store.look("credit")
    poll(policy, policy.governance.registry, link)
    at.store.look = lambda _: late  # what the other one had read before
    poll(policy, policy.governance.registry, link)
    assert len(events(at, EventType.REGISTRY_SNAPSHOT)) == 1


def test_a_tag_of_any_content_is_stored_and_told(at):
    settled(at)
    nasty = "approved\x00\ud800" + "x" * 100_000
    at.registry.put(a_version("1", tags={"monitor.state": nasty}))
    settled(at)
    tampered = events(at, EventType.REGISTRY_TAG_TAMPERED)
    (event,) = (each for each in tampered if each.data["name"] == "monitor.state")
    assert event.data["after"].startswith("approved\x00\\ud800xxx")
    assert len(event.data["after"]) < 1100
    assert at.registry.model.version("1").tags["monitor.state"] == "approved"

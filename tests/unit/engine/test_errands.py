"""What a registry is to be told: nothing is lost, nothing is told in the wrong order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.errors import PrunedError
from monitor.domain.registry import Errand, ErrandKind
from monitor.engine.errands import deliver
from monitor.engine.registry import MonitoringRun
from monitor.store.sql import SqlStore
from tests.registries import AT, Connected, MemoryRegistry, a_model, a_version


@pytest.fixture
def at():
    store = SqlStore("sqlite://")
    yield connected_to(store)
    store.close()


def connected_to(store):
    return Connected(MemoryRegistry(a_model(a_version("1"), a_version("2"), champion="2")), store)


def state(key, version="1", model="credit", **tags):
    return Errand(key, model, ErrandKind.STATE, version, tags, AT, AT)


def alias(key="demote", version="2", to="1"):
    payload = {"alias": "champion", "to": to}
    return Errand(key, "credit", ErrandKind.ALIAS, version, payload, AT, AT)


def window(key):
    return Errand(key, "credit", ErrandKind.RESULTS, "", {}, AT, AT)


def test_an_errand_is_sent_once_whoever_asks_for_it_again(at):
    assert at.store.send([state("a", seq="1"), state("b", "2")]) == 2
    assert at.store.send([state("a", seq="2"), state("c")]) == 1
    assert [each.key for each in at.store.waiting(tuple(ErrandKind))] == ["a", "b", "c"]


def test_a_registry_that_is_down_delays_and_loses_nothing(at):
    at.store.send([state("a", seq="1"), alias(), window("w")])
    at.registry.down = True
    assert deliver(at.delivery()) == 0
    backlog = at.store.backlog()
    assert (backlog.waiting, backlog.oldest) == (3, AT)
    at.registry.down = False
    at.clock.pass_by(seconds=5)
    assert deliver(at.delivery()) == 3
    assert at.registry.model.aliases == {"champion": "1"}
    assert at.registry.told == [("1", {"seq": "1"})]
    assert at.store.backlog().waiting == 0
    assert at.store.backlog().oldest is None


def test_a_registry_that_is_down_is_tried_once_and_then_left_alone_for_longer_and_longer(at):
    at.store.send([state("a"), state("b", "2")])
    at.registry.down = True
    waits = []
    for _ in range(9):
        deliver(at.delivery(), at_once=True)
        first, second = at.store.waiting((ErrandKind.STATE,))
        waits.append((first.due_at - at.clock.now()).total_seconds())
        assert second.attempts == 0
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_registry_that_is_back_is_told_at_once(at):
    at.store.send([state("a")])
    at.registry.down = True
    for _ in range(8):
        deliver(at.delivery(), at_once=True)
    at.registry.down = False
    assert deliver(at.delivery()) == 0
    assert deliver(at.delivery(), at_once=True) == 1


def test_an_errand_that_is_refused_holds_up_no_other(at):
    at.store.send([state("a", "1"), state("b", "2")])
    at.registry.refuses = "1"
    assert deliver(at.delivery()) == 1
    (left,) = at.store.waiting((ErrandKind.STATE,))
    assert (left.key, left.attempts, left.error) == ("a", 1, "no")


def test_an_older_state_never_overwrites_a_newer_one(at):
    at.store.send([state("a", state="approved")])
    at.registry.down = True
    deliver(at.delivery())
    at.store.send([state("b", state="held")])
    at.registry.down = False
    at.clock.pass_by(minutes=10)
    deliver(at.delivery())
    assert at.registry.told == [("1", {"state": "held"})]
    assert at.store.waiting(tuple(ErrandKind)) == []


def test_an_alias_that_was_moved_by_others_meanwhile_is_left_as_it_is(at):
    at.store.send([alias()])
    at.registry.put(a_version("3"))
    at.registry.point("champion", "3")
    assert deliver(at.delivery()) == 1
    assert at.registry.model.aliases == {"champion": "3"}


def test_an_alias_that_does_not_stay_moved_is_tried_again(at):
    at.store.send([alias()])
    at.registry.stubborn = True
    assert deliver(at.delivery()) == 0
    (left,) = at.store.waiting((ErrandKind.ALIAS,))
    assert "names 2 again" in left.error


def test_errands_of_a_model_that_is_in_no_registry_any_more_wait(at):
    at.store.send([state("a", model="fraud")])
    assert deliver(at.delivery()) == 0
    assert at.store.backlog().waiting == 1


def test_authority_is_taken_before_results_are_told_however_many_wait(at):
    at.store.send([window(f"w{number}") for number in range(70)])
    at.store.send([alias()])
    made = []

    def results(errand):
        made.append((errand.key, dict(at.registry.model.aliases)))
        return [MonitoringRun("credit", "1", "2026-09", AT, "w", "m")]

    assert deliver(at.delivery(results)) == 51
    assert made[0] == ("w0", {"champion": "1"})


def test_windows_wait_once_something_else_is_due_and_one_of_them_goes_all_the_same(at):
    at.store.send([window(f"r{number}") for number in range(5)])
    delivery = replace(at.delivery(lambda _: ()), enough=lambda: True)
    assert deliver(delivery) == 1
    at.store.send([state("s")])
    assert deliver(delivery) == 2
    assert len(at.store.waiting((ErrandKind.RESULTS,))) == 3


def test_results_that_were_pruned_before_they_were_told_are_given_up_and_hold_up_nothing(at):
    at.store.send([window("r1"), window("r2")])

    def results(errand):
        if errand.key == "r1":
            raise PrunedError("the results of 2026-08-01 were pruned")
        return ()

    assert deliver(at.delivery(results)) == 1
    assert at.store.waiting(tuple(ErrandKind)) == []
    assert [each.error for each in at.store.errands("credit", (ErrandKind.RESULTS,))] == [
        "the results of 2026-08-01 were pruned",
        "",
    ]


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(st.sampled_from(["send", "down", "up", "deliver", "wait"]), max_size=25))
def test_after_any_outages_the_registry_ends_with_the_last_state_that_was_sent(steps):
    store = SqlStore("sqlite://")
    at, sent = connected_to(store), 0
    for step in steps:
        match step:
            case "send":
                sent += 1
                store.send([state(f"s{sent}", state=f"state {sent}")])
            case "down" | "up":
                at.registry.down = step == "down"
            case "deliver":
                deliver(at.delivery())
            case _:
                at.clock.pass_by(minutes=6)
    at.registry.down = False
    at.clock.pass_by(minutes=6)
    deliver(at.delivery())
    told = [tags["state"] for _, tags in at.registry.told]
    assert told == sorted(set(told), key=lambda text: int(text.split()[1]))
    assert told[-1:] == ([f"state {sent}"] if sent else [])
    assert store.backlog().waiting == 0
    store.close()

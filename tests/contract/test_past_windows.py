"""A model as its stored windows showed it, on each kind of database."""

from msgspec.structs import replace

from monitor.domain.run import Outcome
from monitor.engine.by_window import past_windows, snapshots
from tests.stored import a_filled, a_policy, a_run, a_window, an_empty_run


def shown(store, span=None):
    return list(snapshots(past_windows(a_policy(), store, span), store))


def test_nothing_stored_is_nothing_shown(store):
    past = past_windows(a_policy(), store, None)
    assert (past.heads, past.before, past.left_out) == ((), None, ())
    assert shown(store) == []


def test_windows_come_in_their_order_with_their_newest_revision(store):
    a_filled(store, days=0)
    store.commit(a_run(1), a_policy())
    store.commit(a_run(0), a_policy())
    store.commit(a_run(0, policy="policy-2"), a_policy("policy-2"))
    found = shown(store)
    assert [(item.latest.window, item.revision) for item in found] == [
        (a_window(0), 2),
        (a_window(1), 1),
    ]
    assert found[0].latest == a_run(0, policy="policy-2")
    assert all(item.alarms.found[item.latest.window] for item in found)


def test_a_window_of_a_former_schedule_is_named_and_left_out(store):
    a_filled(store, days=2)
    store.commit(a_run(0, days=2), a_policy())
    past = past_windows(a_policy(), store, None)
    assert [head.window for head in past.heads] == [a_window(0), a_window(1)]
    assert past.left_out == (a_window(0, days=2),)


def test_a_period_has_the_windows_that_lie_in_it_wholly(store):
    a_filled(store, days=4)
    found = shown(store, a_window(1, days=2))
    assert [item.latest.window for item in found] == [a_window(1), a_window(2)]
    assert (
        shown(store, replace(a_window(1), end=a_window(1).end - (a_window(1).duration / 2))) == []
    )


def test_silence_shows_what_was_judged_last_also_before_the_period(store):
    a_filled(store, days=1)
    store.commit(an_empty_run(1), a_policy())
    store.commit(an_empty_run(2), a_policy())
    (item,) = shown(store, a_window(2))
    assert item.latest.outcome is Outcome.NO_DATA
    assert item.judged == a_run(0)

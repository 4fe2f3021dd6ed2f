"""Which policies were in force, on each kind of database."""

from tests.stored import a_baseline, a_policy, a_run


def commit(store, day, policy):
    store.commit(a_run(day, policy=policy), a_policy(policy))


def test_nothing_is_in_force_before_the_first_run(store):
    assert store.last_policy("credit") == ""
    assert list(store.policies("credit")) == []


def test_policies_are_in_the_order_of_their_first_run_and_the_last_one_judged_last(store):
    for version in ("1", "2"):
        store.register(a_baseline(version))
    for day, policy in enumerate(("first", "second", "first")):
        commit(store, day, policy)
    used = store.policies("credit")
    assert [(item.digest, item.runs) for item in used] == [("first", 2), ("second", 1)]
    assert all(item.first <= item.last for item in used)
    assert used[0].last == max(item.last for item in used)
    assert store.last_policy("credit") == "first"
    assert store.last_policy("debit") == ""


def test_a_window_that_is_run_late_counts_by_when_it_was_stored(store):
    for version in ("1", "2"):
        store.register(a_baseline(version))
    commit(store, 5, "first")
    commit(store, 1, "second")
    assert store.last_policy("credit") == "second"
    assert [item.digest for item in store.policies("credit")] == ["first", "second"]

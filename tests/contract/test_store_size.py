"""How much room a store takes, on each kind of database."""

from tests.stored import a_filled, a_policy, a_run


def test_a_store_with_more_in_it_takes_more_room(store):
    a_filled(store, days=1)
    before = store.size()
    assert before > 0
    for day in range(1, 30):
        store.commit(a_run(day), a_policy())
    assert store.size() >= before + 29 * 2_000

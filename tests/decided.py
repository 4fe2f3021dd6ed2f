"""A version that people approved, and that a window may hold, in any store."""

from msgspec.structs import replace

from monitor.domain.governance import RiskLimit, Rung
from monitor.engine.governing import decide
from monitor.governance.acts import submit, vote
from monitor.governance.authorisation import Action
from monitor.governance.standing import State
from tests.ledgers import GOVERNANCE, POLICY, who
from tests.lives import told
from tests.stored import DAY, FIRST, a_baseline

NOW = FIRST + 10 * DAY
LIMITS = (RiskLimit("drift", Rung.HOLD, frozenset({"psi"})),)
GOVERNED = replace(POLICY, governance=replace(GOVERNANCE, limits=LIMITS, review=None))


def act(store, by, action, what, *arguments, now=NOW, policy=GOVERNED, **named):
    return decide(
        policy,
        store,
        who(by),
        action,
        lambda book, there, speaker: what(book, there, speaker, *arguments, **named),
        now,
    )


def approved(store):
    store.register(a_baseline("1"))
    act(store, "olga", Action.SUBMIT, submit, "1", {"model": "sha-é\ud800"}, "ready \x00\ud800")
    act(store, "vera", Action.APPROVE_VERSION, vote, 1, "seen", granted=True)
    act(store, "head", Action.APPROVE_VERSION, vote, 1, "", granted=True)
    assert store.standings("credit")["1"].state is State.APPROVED


def broken(store):
    """Store a window beyond a critical limit, whose alert fires; return when that became known."""
    run = replace(told(20, "co", policy=GOVERNED.digest), finished=FIRST + 21 * DAY)
    store.commit(run, GOVERNED)
    return run.finished

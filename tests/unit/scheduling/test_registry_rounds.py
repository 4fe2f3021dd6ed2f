"""Round after round: what is looked at, what is told, and what is known of it meanwhile."""

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from monitor.domain.errors import RegistryError
from monitor.domain.governance import RegistryEntry, Rung
from monitor.domain.lease import Term
from monitor.domain.registry import ErrandKind
from monitor.engine.governing import decide
from monitor.engine.mirrored import StoredAuthority
from monitor.governance.acts import submit, take_away, vote
from monitor.governance.authorisation import Action
from monitor.governance.record import record_of
from monitor.governance.standing import Event, State
from monitor.scheduling.registry_rounds import Registered, RegistryRounds
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import AUDIT_RECORDS
from tests.ledgers import GOVERNANCE, LADDER, POLICY, who
from tests.registries import Hands, MemoryRegistry, a_model, a_version
from tests.stored import a_baseline, a_run

HOLD = replace(LADDER[Rung.HOLD], demote_alias="champion")
GOVERNED = replace(
    POLICY,
    governance=replace(
        GOVERNANCE,
        limits=GOVERNANCE.limits[:1],
        review=None,
        consequences={**LADDER, Rung.HOLD: HOLD},
        registry=RegistryEntry("credit-approval", "champion"),
    ),
)


@dataclass
class World:
    registry: MemoryRegistry
    store: SqlStore
    clock: Hands
    term: Term | None
    rounds: RegistryRounds = None
    policies: dict = field(default_factory=lambda: {"credit": GOVERNED})

    def act(self, by, action, what, *arguments, **named):
        def acted(book, there, speaker):
            what(book, there, speaker, *arguments, **named)

        decide(GOVERNED, self.store, who(by), action, acted, self.clock.now())

    def approve(self, version, number):
        self.store.register(a_baseline(version))
        self.act("olga", Action.SUBMIT, submit, version, {"model": "sha"}, "ready")
        self.act("vera", Action.APPROVE_VERSION, vote, number, "seen", granted=True)
        self.act("head", Action.APPROVE_VERSION, vote, number, "seen", granted=True)

    def round(self):
        self.clock.pass_by(seconds=30)
        self.rounds.round()
        return self.rounds.told()

    def tags(self, version):
        return self.registry.model.version(version).tags


class Anyone(SqlStore):
    """A store that is written in any term: the lease has tests of its own."""

    def under(self, _term):
        return self


@pytest.fixture
def world(tmp_path):
    url = f"sqlite:///{tmp_path / 'modelmon.db'}"  # rounds have a thread of their own
    upgrade(url)
    store = Anyone(url)
    registry = MemoryRegistry(a_model(a_version("1"), a_version("2"), champion="1"))
    made = World(registry, store, Hands(), Term("me", 1))
    about = Registered(
        registry=registry,
        store=store,
        authority=lambda under: StoredAuthority(under, made.clock),
        clock=made.clock,
        policies=lambda: made.policies,
        term=lambda: made.term,
        reverts=3,
    )
    made.rounds = RegistryRounds(about, timedelta(seconds=30))
    yield made
    store.close()


def test_a_standing_is_mirrored_with_its_end_and_its_case(world):
    world.approve("1", 1)
    found = world.round()
    assert (found.up, found.waiting, found.models, found.outside) == (
        True,
        0,
        {"credit": True},
        {"credit": False},
    )
    tags = world.tags("1")
    assert tags["monitor.state"] == "approved"
    assert tags["monitor.policy_digest"] == GOVERNED.digest
    assert tags["monitor.approved_until"].startswith("2026-11-30")  # ninety days
    assert "monitor.case" not in tags


@pytest.mark.slow
def test_a_version_that_was_held_loses_its_alias_and_shows_its_case(world):
    world.approve("1", 1)
    world.approve("2", 2)
    world.round()
    world.act("sre", Action.HOLD, take_away, "1", Event.HELD, "looks wrong")
    world.round()
    assert world.registry.model.aliases == {"champion": "2"}
    assert world.tags("1")["monitor.state"] == "held"
    assert world.tags("1")["monitor.case"] == "1"


@pytest.mark.slow
def test_a_served_version_that_nobody_approved_holds_the_one_that_was_served(world):
    world.approve("1", 1)
    world.round()
    world.registry.point("champion", "2")
    found = world.round()
    assert found.outside == {"credit": True}
    standing = world.store.standings("credit")["1"]
    assert (standing.state, standing.event) == (State.HELD, Event.IDENTITY_CHANGED)
    assert "past the workflow" in standing.reason
    (case,) = world.store.cases("credit")
    assert case.open and case.accountable == "head"
    assert world.tags("1")["monitor.state"] == "held"
    world.round()
    assert len(world.store.cases("credit")) == 1


@pytest.mark.slow
def test_rounds_write_nothing_once_all_is_told(world):
    world.approve("1", 1)
    world.round()
    world.round()
    before = world.store.changes(), len(world.registry.told)
    world.round()
    assert (world.store.changes(), len(world.registry.told)) == before


@pytest.mark.slow
def test_a_registry_that_is_away_delays_what_it_is_told_and_is_told_all_when_it_is_back(world):
    world.approve("1", 1)
    world.round()
    world.registry.down = True
    world.store.register(a_baseline("2"))
    world.store.commit(a_run(policy=GOVERNED.digest), GOVERNED)
    for _ in range(4):
        found = world.round()
    assert (found.up, found.waiting) == (False, 1)
    assert found.oldest_seconds == 90
    world.registry.down = False
    found = world.round()
    assert (found.up, found.waiting, found.oldest_seconds) == (True, 0, 0)
    assert {version for version, *_ in world.registry.runs} == {"1", "2"}


def outages(world):
    with world.store._engine.connect() as connection:
        bodies = connection.scalars(
            select(AUDIT_RECORDS.c.body)
            .where(AUDIT_RECORDS.c.subject.startswith("registry/"))
            .order_by(AUDIT_RECORDS.c.sequence)
        )
        found = [record_of(body.encode()).event for body in bodies]
    return [(each.type.value, dict(each.data)) for each in found]


def test_an_outage_is_in_the_audit_log_once_also_over_a_restart_and_so_is_its_end(world):
    world.approve("1", 1)
    assert world.round().unreachable_seconds == 0
    world.registry.down = True
    world.round()
    began = world.clock.now()
    assert world.round().unreachable_seconds == 30
    world.rounds = RegistryRounds(world.rounds._about, timedelta(seconds=30))
    found = world.round()
    assert (found.up, found.unreachable_seconds) == (False, 60)
    world.registry.down = False
    assert world.round().unreachable_seconds == 0
    world.round()
    assert outages(world) == [
        ("registry.unreachable", {"told": "credit: the registry cannot be asked"}),
        ("registry.reachable", {"unreachable_since": began.isoformat(), "waiting": 0}),
    ]


@pytest.mark.slow
def test_a_served_version_that_may_not_act_stays_known_while_the_registry_is_away(world):
    world.approve("1", 1)
    world.round()
    world.registry.point("champion", "2")
    world.round()
    world.registry.down = True
    assert world.round().outside == {"credit": True}


def test_a_model_that_is_declined_is_said_and_the_others_are_looked_at_and_told(world):
    other = replace(GOVERNED, model="fraud")
    world.policies = {"fraud": other, "credit": GOVERNED}
    world.approve("1", 1)
    snapshot = world.registry.snapshot
    entry = replace(GOVERNED.governance.registry, name="fraud")
    governance = replace(GOVERNED.governance, registry=entry)
    world.policies["fraud"] = replace(other, governance=governance)

    def declined(name, looked_at):
        if name == "fraud":
            raise RegistryError("403 PERMISSION_DENIED")
        return snapshot(name, looked_at)

    world.registry.snapshot = declined
    found = world.round()
    assert (found.up, found.looked_at, found.models) == (False, None, {"credit": True})
    assert world.tags("1")["monitor.state"] == "approved"
    assert outages(world) == [
        ("registry.unreachable", {"told": "fraud: 403 PERMISSION_DENIED"}),
    ]


def test_where_no_model_is_in_the_registry_nothing_is_said_of_it(world):
    world.policies = {}
    assert world.round() is None


@pytest.mark.slow
def test_a_moved_alias_is_noticed_within_one_round_however_much_the_registry_is_to_be_told(world):
    world.approve("1", 1)
    world.round()
    world.store.register(a_baseline("2"))
    for day in range(20):
        world.store.commit(a_run(day, policy=GOVERNED.digest), GOVERNED)
    moved, noticed = [], []
    record, snapshot = world.registry.record, world.registry.snapshot

    def slowly(run):
        time.sleep(0.3)
        if not moved:
            world.registry.point("champion", "2")
            moved.append(time.monotonic())
        return record(run)

    def looked(name, versions):
        found = snapshot(name, versions)
        if moved and not noticed and found.aliases["champion"] == "2":
            noticed.append(len(world.registry.runs))
        return found

    world.registry.record, world.registry.snapshot = slowly, looked
    world.rounds = RegistryRounds(world.rounds._about, timedelta(seconds=1))
    world.rounds.start()
    until = time.monotonic() + 60
    while not noticed and time.monotonic() < until:
        time.sleep(0.01)
    assert world.rounds.stop(timedelta(seconds=60))
    # A round of a second has told some windows, and left the others for later.
    assert 0 < noticed[0] < 20


@pytest.mark.slow
def test_each_window_is_told_once_and_a_new_revision_of_it_again(world):
    world.approve("1", 1)
    world.store.register(a_baseline("2"))
    world.store.commit(a_run(policy=GOVERNED.digest), GOVERNED)
    world.round()
    world.round()
    errands = world.store.errands("credit", (ErrandKind.RESULTS,))
    assert [each.done_at is not None for each in errands] == [True]
    world.store.commit(replace(a_run(policy=GOVERNED.digest), identity="late data"), GOVERNED)
    world.round()
    told = [
        each.payload["revision"] for each in world.store.errands("credit", (ErrandKind.RESULTS,))
    ]
    assert told == [1, 2]


def test_a_replica_that_does_not_lead_looks_at_nothing_and_says_nothing(world):
    world.term = None
    world.rounds.round()
    assert world.rounds.told() is None
    assert world.store.look("credit") is None


def test_a_model_that_the_registry_has_not_is_said_to_be_missing(world):
    world.registry.model = None
    assert world.round().models == {"credit": False}


@pytest.mark.slow
def test_who_asks_has_a_round_begin_at_once_and_not_more_often_than_once_a_second(world):
    looked = []
    done = threading.Event()

    def snapshot(_name, _looked_at):
        looked.append(time.monotonic())
        done.set()

    world.registry.snapshot = snapshot
    world.rounds.start()
    assert done.wait(60)
    done.clear()
    world.rounds.ask()
    assert done.wait(60)
    assert world.rounds.stop(timedelta(seconds=60))
    assert looked[1] - looked[0] >= 0.99


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_rounds_that_end_by_what_nobody_thought_of_are_not_shown_as_well(world):
    world.approve("1", 1)
    assert world.round().up

    def breaks(_name, _looked_at):
        raise LookupError("a fault of ours")

    world.registry.snapshot = breaks
    world.rounds.start()
    world.rounds._thread.join(60)
    found = world.rounds.told()
    assert (found.up, found.models) == (False, {"credit": True})
    assert world.rounds.stop(timedelta(seconds=60))


@pytest.mark.slow
def test_a_version_that_is_moved_is_told_without_waiting_for_the_next_round(world):
    world.approve("1", 1)
    world.rounds.start()
    until = time.monotonic() + 30
    while "monitor.state" not in world.tags("1") and time.monotonic() < until:
        time.sleep(0.01)
    world.act("sre", Action.HOLD, take_away, "1", Event.HELD, "looks wrong")
    until = time.monotonic() + 30
    while world.tags("1").get("monitor.state") != "held" and time.monotonic() < until:
        time.sleep(0.01)
    assert world.rounds.stop(timedelta(seconds=60))
    assert world.registry.model.aliases == {}
    assert world.tags("1")["monitor.state"] == "held"

"""Whatever people, alerts, clocks and files do, in whatever order: who may act, and what the log says."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import astuple, replace

from monitor.domain.approval import ApprovalKind
from monitor.domain.governance import RiskLimit, Rung
from monitor.domain.timetable import Regime, Spell, Tally
from monitor.engine import verbs
from monitor.engine.decisions import Said
from monitor.engine.governing import identity_changed, settle
from monitor.governance.approvals import NotAllowedError, RequestState
from monitor.governance.authorisation import Action
from monitor.governance.cases import BY_PEOPLE, Cause
from monitor.governance.consequences import activation, broken_now
from monitor.governance.record import DAEMON
from monitor.governance.standing import AUTHORITY, State
from monitor.store.audit_store import AuditStore
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from tests.ledgers import GOVERNANCE, POLICY, who
from tests.lives import told
from tests.stored import DAY, FIRST, a_baseline

PEOPLE = ("olga", "vera", "bob", "head", "head2", "deputy", "gina", "sre", "nobody")
LIMITS = tuple(
    RiskLimit(str(rung), rung, frozenset({measure}))
    for rung, measure in ((Rung.WATCH, "psi"), (Rung.HOLD, "selection_rate_ratio"))
)
GOVERNED = replace(POLICY, governance=replace(GOVERNANCE, limits=(*LIMITS, *GOVERNANCE.limits)))
STATES_OF = {
    Rung.WATCH: {State.APPROVED},
    Rung.RESTRICT: {State.APPROVED, State.WATCH},
    Rung.HOLD: {State.APPROVED, State.WATCH, State.RESTRICTED},
    Rung.STOP: {State.APPROVED, State.WATCH, State.RESTRICTED, State.HELD},
}
"""The states that a version is not in any more once a limit is broken."""


class AnyLife(RuleBasedStateMachine):
    """A model with one version, its people, and a database that outlives each of its readers."""

    url = ""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.url = self.new_database()
        upgrade(self.url)
        self.store, self.policy = SqlStore(self.url), GOVERNED
        self.now, self.day = FIRST + 30 * DAY, 0
        self.store.register(a_baseline("1"))
        self.before, self.allowed_by = self.standing(), ""

    def new_database(self):
        return f"sqlite:///{self.folder / 'modelmon.db'}"

    def teardown(self):
        if self.url:
            self.store.close()
            log = AuditStore(self.url)
            assert log.replayed()[1] == ()
            log.close()
            shutil.rmtree(self.folder)

    def standing(self):
        return self.store.standings("credit")["1"]

    def said(self, person):
        return Said(who(person), self.now, "because")

    def done(self, verb, person, *arguments, **named):
        try:
            verb(self.policy, self.store, self.said(person), *arguments, **named)
        except NotAllowedError:
            self.allowed_by = ""
        else:
            self.allowed_by = person

    @rule(hours=st.sampled_from([1, 24, 24 * 7, 24 * 40]))
    def time_goes_on(self, hours):
        self.now += timedelta(hours=hours)

    @rule(letters=st.sampled_from(["oo", "co", "oc", "cc", "uu", "wo"]))
    def a_window_is_run(self, letters):
        run = told(self.day, letters, policy=self.policy.digest, number=self.day)
        self.day += 1
        self.store.commit(replace(run, finished=self.now), self.policy)

    @rule(regime=st.sampled_from(Regime), rows=st.integers(1, 9))
    def decisions_are_found(self, regime, rows):
        run = replace(
            told(self.day, "oo", policy=self.policy.digest, number=self.day), finished=self.now
        )
        self.day += 1
        tally = Tally("1", Spell(*astuple(run.window), regime), rows, run.window.end)
        run = replace(run, accounting=replace(run.accounting, authority=(tally,)))
        before = self.standing()
        self.store.commit(run, self.policy)
        answered_for = [
            case.closed_at is None or case.closed_at >= tally.last
            for case in self.store.cases("credit")
            if case.cause == Cause.OUTSIDE_AUTHORITY
        ]
        if regime in {Regime.REFUSED, Regime.ROUTED, Regime.UNKNOWN}:
            assert before.state is State.RETIRED or any(answered_for)

    @rule(person=st.sampled_from(PEOPLE))
    def somebody_submits(self, person):
        self.done(verbs.submit, person, "1", {"model": "sha-model"})

    @rule(person=st.sampled_from(PEOPLE), yes=st.sampled_from([True, True, True, False]))
    def somebody_votes(self, person, yes):
        self.done(verbs.vote, person, len(self.store.requests("credit")), granted=yes)

    @rule(
        verb=st.sampled_from([verbs.submit, verbs.release]),
        person=st.sampled_from(["olga", "head2", "sre", "head"]),
    )
    def somebody_asks_and_all_agree(self, verb, person):
        self.done(verb, person, "1", *([{}] if verb is verbs.submit else []))
        self.all_agree()

    @rule()
    def all_agree(self):
        for person in ("vera", "head", "deputy", "gina"):
            self.done(verbs.vote, person, len(self.store.requests("credit")), granted=True)
            self.whoever_rises_was_let_by_another()

    @rule(person=st.sampled_from(PEOPLE))
    def somebody_withdraws(self, person):
        self.done(verbs.withdraw, person, len(self.store.requests("credit")))

    @rule(person=st.sampled_from(PEOPLE), action=st.sampled_from([Action.HOLD, Action.STOP]))
    def somebody_takes_away(self, person, action):
        self.done(verbs.take_away, person, action, "1")

    @rule(person=st.sampled_from(PEOPLE))
    def somebody_asks_for_a_release(self, person):
        self.done(verbs.release, person, "1")

    @rule(person=st.sampled_from(PEOPLE), rung=st.sampled_from(Rung), days=st.integers(1, 15))
    def somebody_asks_for_a_waiver(self, person, rung, days):
        ends = self.now + days * DAY
        self.done(verbs.waive, person, str(rung), "", ends, "each is looked at")

    @rule(person=st.sampled_from(PEOPLE))
    def somebody_revokes(self, person):
        self.done(verbs.revoke_waiver, person, len(self.store.requests("credit")))

    @rule(disposition=st.sampled_from(BY_PEOPLE))
    def cases_are_answered(self, disposition):
        for case in self.store.cases("credit"):
            if case.open:
                self.done(verbs.close_case, "head", case.number, disposition, "sha-evidence")

    @rule(digest=st.sampled_from(["sha-policy", "sha-other"]))
    def the_policy_is_another(self, digest):
        self.policy = replace(GOVERNED, digest=digest)

    @rule(digest=st.sampled_from("cd"))
    def the_baseline_is_another(self, digest):
        found = replace(a_baseline("1"), digest=digest * 64, registered_at=self.now)
        self.store.register(found)

    @rule()
    def a_registry_tells(self):
        identity_changed(self.policy, self.store, "1", "the alias was moved", self.now)

    @rule()
    def the_process_dies(self):
        self.store.close()
        self.store = SqlStore(self.url)

    @invariant()
    def nobody_acts_who_may_not(self):
        if self.url:
            self.whoever_rises_was_let_by_another()
            self.what_follows_has_followed_after_a_look()
            self.what_acts_was_approved_as_it_is()

    def whoever_rises_was_let_by_another(self):
        now = self.standing()
        if AUTHORITY[now.state] > AUTHORITY[self.before.state]:
            granted = [
                item
                for item in self.store.requests("credit")
                if item.recorded is RequestState.GRANTED and item.recorded_at == self.now
            ]
            person = {"head2": "head"}.get(self.allowed_by, self.allowed_by)
            # Of one that is approved while a limit is broken that only watches, the daemon is the last.
            watched = now.state is State.WATCH and now.by == DAEMON.id
            assert granted and person in {now.by, granted[-1].votes[-1].person if watched else ""}
            assert all(vote.person != item.requested_by for item in granted for vote in item.votes)
            assert all(
                "bob" not in {vote.person for vote in item.votes}
                for item in granted
                if item.kind is ApprovalKind.ACTIVATE_VERSION
            )
        self.before = now

    def what_follows_has_followed_after_a_look(self):
        settle(self.policy, self.store, self.now)
        changed = self.store.changes()
        assert settle(self.policy, self.store, self.now) == ()
        assert self.store.changes() == changed
        self.before = self.standing()
        ledger, present = self.store.authority(self.policy, self.now)
        for case in ledger.open_cases("1"):
            if case.cause == Cause.OUTSIDE_AUTHORITY:
                assert self.before.state not in STATES_OF[case.rung]
        for item in broken_now(ledger, present, "1"):
            assert self.before.state not in STATES_OF[item.rung]
        for case in ledger.cases.values():
            assert case.accountable == "head"
            assert not case.late(self.now) or ledger.waived(case.cause, "1", self.now)
        for waiver in ledger.waivers.values():
            assert waiver.ends - waiver.starts <= GOVERNANCE.waivers.longest
            assert set(waiver.approved_by) == {"gina"} != {waiver.requested_by}

    def what_acts_was_approved_as_it_is(self):
        if not self.standing().acts:
            return
        ledger, present = self.store.authority(self.policy, self.now)
        approval = activation(ledger, "1")
        assert approval is not None
        assert present.found(approval, ledger) == approval.bound_to
        people = {vote.person for vote in approval.votes}
        assert len(people) == 2
        assert approval.requested_by in {"olga", "head"} - people


def test_any_life_on_sqlite():
    run_state_machine_as_test(
        AnyLife, settings=settings(max_examples=15, stateful_step_count=30, deadline=None)
    )


@pytest.mark.slow
def test_any_life_on_postgresql(postgres_server):
    class OnPostgres(AnyLife):
        def new_database(self):
            return postgres_server.new_database()

    run_state_machine_as_test(
        OnPostgres, settings=settings(max_examples=5, stateful_step_count=25, deadline=None)
    )

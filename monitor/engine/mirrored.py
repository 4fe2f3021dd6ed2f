"""The standing of versions as a registry is to show it, and holds that follow from a registry."""

from collections.abc import Sequence
from datetime import datetime

from monitor.domain.approval import ApprovalKind
from monitor.domain.governance import Rung
from monitor.domain.policy import Policy
from monitor.domain.registry import MirroredState, RegisteredModel
from monitor.engine.evidence import look_at_registry
from monitor.engine.governing import identity_changed, settle
from monitor.engine.ports import Clock, Store
from monitor.engine.registry import Authority, Registry
from monitor.governance.approvals import Request, RequestState, granted_at
from monitor.governance.standing import Standing, State

_TAKEN = {State.HELD: Rung.HOLD, State.STOPPED: Rung.STOP, State.RETIRED: Rung.STOP}
"""States in which a version loses its alias, and the rung of the ladder that says which one."""


class StoredAuthority(Authority):
    """What the store knows of who may act."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def states(self, policy: Policy) -> Sequence[MirroredState]:
        """Return how every version of a model stands."""
        store, model = self._store, policy.model
        standings = store.standings(model)
        requests = store.requests(model)
        cases = [case for case in store.cases(model) if case.open]
        checkpoint = store.newest_checkpoint()
        return [
            MirroredState(
                version=version,
                state=standing.state.value,
                acts=standing.acts,
                sequence=standing.sequence,
                since=standing.since,
                policy=policy.digest,
                approved_until=_approved_until(policy, requests, version),
                case=next((str(case.number) for case in cases if case.version == version), ""),
                checkpoint=checkpoint,
                demote=_demoted(policy, standing),
            )
            for version, standing in sorted(standings.items())
        ]

    def hold(self, policy: Policy, version: str, why: str) -> None:
        """Take a version's authority: what was approved is not what is there any more."""
        identity_changed(policy, self._store, version, why, self._clock.now())

    def look(self, policy: Policy, found: RegisteredModel, registry: Registry) -> None:
        """Look again at what approvals rest on in a registry; void those that rest on another."""
        entry, now = policy.governance.registry, self._clock.now()
        if entry is not None:
            look_at_registry(policy, entry, self._store, found, registry, now)
            settle(policy, self._store, now)


def _demoted(policy: Policy, standing: Standing) -> str:
    """Return the alias that is taken from a version; "" for none, also where it never had any."""
    rung = _TAKEN.get(standing.state)
    if rung is None:
        return ""
    ladder = policy.governance.consequences
    named = [ladder[each].demote_alias for each in (rung, Rung.HOLD) if each in ladder]
    return next((alias for alias in named if alias), "")


def _approved_until(policy: Policy, requests: Sequence[Request], version: str) -> datetime | None:
    """Return when the approval of a version ends that holds now; None where it does not, or none does."""
    rule = policy.governance.approvals[ApprovalKind.ACTIVATE_VERSION]
    granted = [
        granted_at(request, rule)
        for request in requests
        if request.kind is ApprovalKind.ACTIVATE_VERSION
        and request.version == version
        and request.recorded is RequestState.GRANTED
    ]
    known = [at for at in granted if at is not None]
    return max(known) + rule.expires if known and rule.expires is not None else None

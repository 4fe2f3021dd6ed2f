"""What a serving layer is told: whether a version may act, within what, and for how long.

The answer follows from the policy, from where the version stands and from the rung that is in force
for it. It is never more than the standing gives, and a further rung never gives more than a nearer
one, whatever the file says of them. A permit is the answer with an end: whoever holds one may act
on it until it lapses, and it lapses by itself when nobody is there to renew it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from msgspec import Struct, field

from monitor.domain.governance import (
    HUMAN_REVIEW_SHARE,
    Autonomy,
    Consequence,
    GateAction,
    Governance,
    Rung,
    Tier,
    Unreachable,
)
from monitor.governance.standing import Standing, State

FORM = 1
"""Version of the form of a permit."""

LESS = {
    GateAction.ALLOW: 0,
    GateAction.ALLOW_WITH_CONDITIONS: 1,
    GateAction.ROUTE_TO_HUMAN: 2,
    GateAction.DENY: 3,
}
"""Each action to how much it takes away."""

MOST = {
    Rung.WATCH: GateAction.ALLOW,
    Rung.RESTRICT: GateAction.ALLOW_WITH_CONDITIONS,
    Rung.HOLD: GateAction.ROUTE_TO_HUMAN,
    Rung.STOP: GateAction.DENY,
}
"""The most that is left on each rung, whatever the policy says of it."""

STANDS_ON = {
    State.APPROVED: None,
    State.WATCH: Rung.WATCH,
    State.RESTRICTED: Rung.RESTRICT,
    State.HELD: Rung.HOLD,
    State.STOPPED: Rung.STOP,
}
"""The rung that a state is; states that are not here were never given any authority."""

_ALWAYS_REVIEWED = frozenset({Autonomy.ADVISE, Autonomy.ACT_WITH_REVIEW})


class Answer(Struct, frozen=True):
    """What a serving layer is told about a version, and why.

    Attributes:
        model: Name of the model.
        version: The version that was asked about.
        action: What it may do.
        conditions: Name of a column to the most it may be, and ``human_review_share`` to the least
            share of decisions that a person looks at; empty unless the action is
            ``allow_with_conditions``.
        state: Where the version stands; None for one that nobody knows.
        reasons: Why it may do no more, each as a code, a colon and words.
        policy: Digest of the policy in force.
        model_digest: Digest of the model that was approved; "" where none was bound.
        sequence: How often the version was moved.
    """

    model: str
    version: str
    action: GateAction
    conditions: Mapping[str, float] = field(default_factory=dict)
    state: State | None = None
    reasons: tuple[str, ...] = ()
    policy: str = ""
    model_digest: str = ""
    sequence: int = 0

    @property
    def acts(self) -> bool:
        """Return whether the version may act at all."""
        return LESS[self.action] <= LESS[GateAction.ALLOW_WITH_CONDITIONS]

    @property
    def digest(self) -> str:
        """Return sha256 over everything that it says: another answer has another one."""
        said = json.dumps(_said(self), sort_keys=True, separators=(",", ":"))
        return sha256(said.encode()).hexdigest()


class Permit(Struct, frozen=True):
    """An answer with an end.

    Attributes:
        answer: What it says.
        issued: When.
        expires: Until when it is fresh.
        stale_until: Until when it may be used by who cannot ask again.
        on_expiry: What follows then.
        log_size: Records of the audit log at the newest checkpoint; 0 where there is none.
        log_root: The root of that checkpoint in hexadecimal; "" where there is none.
        id: A name that no other permit has.
    """

    answer: Answer
    issued: datetime
    expires: datetime
    stale_until: datetime
    on_expiry: Unreachable
    id: str
    log_size: int = 0
    log_root: str = ""

    def claims(self) -> dict[str, object]:
        """Return what is signed."""
        return {
            **_said(self.answer),
            "iat": int(self.issued.timestamp()),
            "exp": int(self.expires.timestamp()),
            "stale_until": int(self.stale_until.timestamp()),
            "on_expiry": self.on_expiry.value,
            "audit_size": self.log_size,
            "audit_root": self.log_root,
            "jti": self.id,
        }


def answer_of(
    model: str,
    version: str,
    governance: Governance,
    standing: Standing | None,
    *,
    rung: Rung | None = None,
    waived: Sequence[str] = (),
    policy: str = "",
    model_digest: str = "",
    doubt: str = "",
) -> Answer:
    """Return what a serving layer is told about a version.

    Args:
        model: Name of the model.
        version: The version.
        governance: What the policy in force answers.
        standing: Where the version stands; None when nobody knows it.
        rung: The furthest rung that is in force for it besides where it stands, such as that of an
            open case; None for none.
        waived: Ids of limits whose consequences are waived now. They are named in the reasons and
            change nothing: what a waiver takes off is no longer in `standing` and `rung`.
        policy: Digest of the policy in force.
        model_digest: Digest of the model that was approved.
        doubt: Why where it stands is not believed, as a code, a colon and words; "" where it is.
    """

    def told(action: GateAction, reasons: Sequence[str], within: Mapping[str, float]) -> Answer:
        return Answer(
            model=model,
            version=version,
            action=action,
            conditions=dict(within),
            state=None if standing is None else standing.state,
            reasons=tuple(reasons),
            policy=policy,
            model_digest=model_digest,
            sequence=0 if standing is None else standing.sequence,
        )

    refusals = _refusals(version, governance, standing, doubt)
    if refusals or standing is None:
        return told(GateAction.DENY, refusals, {})
    stands_on = STANDS_ON[standing.state]
    reasons = [f"waived: {limit}" for limit in waived]
    if stands_on is not None:
        event = "" if standing.event is None else f": {standing.event}"
        reasons.append(f"{standing.state}: since {standing.since.isoformat()}{event}")
    if rung is not None and (stands_on is None or rung > stands_on):
        reasons.append(f"rung: {rung} is in force")
    furthest = max(stands_on or 0, rung or 0)
    action, within = _left(governance, furthest, reasons)
    return told(action, reasons, within)


def permit_of(
    answer: Answer,
    governance: Governance,
    issued: datetime,
    identity: str,
    log: tuple[int, str] = (0, ""),
) -> Permit:
    """Return an answer with its end.

    A version that may not act stays so when nobody can be asked, and so does one of a high tier,
    whatever the policy says of the monitor being away.

    Args:
        answer: The answer.
        governance: What the policy in force says of how the gate answers.
        issued: The present, to the second.
        identity: A name that no other permit has.
        log: Size and root, in hexadecimal, of the newest checkpoint of the audit log.
    """
    rule = governance.gate
    opens = (
        rule.on_unreachable is Unreachable.OPEN
        and answer.acts
        and governance.risk.tier in {Tier.LOW, Tier.MEDIUM}
    )
    expires = issued + rule.ttl
    return Permit(
        answer=answer,
        issued=issued,
        expires=expires,
        stale_until=expires + rule.stale_grace,
        on_expiry=Unreachable.OPEN if opens else Unreachable.CLOSED,
        id=identity,
        log_size=log[0],
        log_root=log[1],
    )


def _refusals(
    version: str, governance: Governance, standing: Standing | None, doubt: str
) -> list[str]:
    """Return every reason why a version may not act at all."""
    reasons = [doubt] if doubt else []
    if governance.missing:
        reasons.append(f"ungoverned: the policy leaves out {', '.join(governance.missing)}")
    if governance.risk.tier is Tier.PROHIBITED:
        reasons.append("prohibited: nobody may let this model act")
    if standing is None:
        reasons.append(f"unknown_version: nothing is known of version {version}")
    elif standing.state not in STANDS_ON:
        reasons.append(f"{standing.state}: version {version} is not approved")
    return reasons


def _left(
    governance: Governance, furthest: int, reasons: list[str]
) -> tuple[GateAction, Mapping[str, float]]:
    """Return what the rungs up to the furthest leave, each of them at the most what the last did.

    Args:
        governance: What the policy says of the rungs.
        furthest: The furthest rung that is in force; 0 for none.
        reasons: Is added to where less is left than the rungs alone would leave.
    """
    action, within = GateAction.ALLOW, dict[str, float]()
    if governance.delegation.autonomy in _ALWAYS_REVIEWED:
        reasons.append(
            f"autonomy: {governance.delegation.autonomy}, so a person sees each decision"
        )
        action, within = GateAction.ALLOW_WITH_CONDITIONS, {HUMAN_REVIEW_SHARE: 1.0}
    for rung in (each for each in Rung if each <= furthest):
        says = governance.consequences.get(rung)
        within = _tighter(within, says)
        action = _less(action, MOST[rung], GateAction.ALLOW if says is None else says.gate)
        if action is GateAction.ALLOW_WITH_CONDITIONS and not within:
            reasons.append(f"no_conditions: the policy names none for {rung}")
            action = GateAction.ROUTE_TO_HUMAN
    if action is GateAction.ALLOW and within:
        action = GateAction.ALLOW_WITH_CONDITIONS
    if action is GateAction.ROUTE_TO_HUMAN and governance.delegation.fallback is None:
        reasons.append("no_fallback: the policy names nobody who decides instead")
        action = GateAction.DENY
    return action, within if action is GateAction.ALLOW_WITH_CONDITIONS else {}


def _less(*actions: GateAction) -> GateAction:
    return max(actions, key=lambda action: LESS[action])


def _tighter(within: Mapping[str, float], says: Consequence | None) -> dict[str, float]:
    """Return the conditions of both: of a column the least of the most, of a share the most."""
    found = dict(within)
    for name, bound in ({} if says is None else says.conditions).items():
        known = found.get(name, bound)
        found[name] = max(known, bound) if name == HUMAN_REVIEW_SHARE else min(known, bound)
    return found


def _said(answer: Answer) -> dict[str, object]:
    return {
        "v": FORM,
        "model": answer.model,
        "version": answer.version,
        "model_digest": answer.model_digest,
        "action": answer.action.value,
        "conditions": dict(sorted(answer.conditions.items())),
        "state": None if answer.state is None else answer.state.value,
        "reasons": list(answer.reasons),
        "policy_digest": answer.policy,
        "seq": answer.sequence,
    }

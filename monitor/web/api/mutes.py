"""``/v1/models/{model}/mutes`` and what mutes findings: who is called for nothing, and why."""

from re import fullmatch

from pydantic import AwareDatetime, Field

from monitor.domain.alert import Mute
from monitor.engine import decisions
from monitor.engine.why import latest_of
from monitor.governance.authorisation import Action
from monitor.web.api.endpoint import Answer, Asked, Body, Endpoint, MissingError, Reason, Words


class MuteWanted(Body):
    """That nobody is called for a finding for a while."""

    until: AwareDatetime = Field(description="when it ends by itself; 90 days away at most")
    why: Words = Field(description="the reason, in words; kept, and in the audit log")


class MuteKnown(Answer):
    """A decision that nobody is called for a finding for a while, or is again."""

    finding: str
    holds: bool
    at: AwareDatetime
    until: AwareDatetime
    by: str
    why: str


class MutesKnown(Answer):
    """The newest decision on each finding of a model that was ever muted."""

    mutes: list[MuteKnown]


def _listed(asked: Asked) -> MutesKnown:
    known = asked.desk.store.mutes(asked.policy.model)
    return MutesKnown(mutes=[_shown(known[name], asked) for name in sorted(known)])


def _muted(asked: Asked) -> MuteKnown:
    body: MuteWanted = asked.body
    said = asked.said(body.why)
    made = decisions.mute(asked.desk.store, asked.policy, _finding(asked), body.until, said)
    return _shown(made, asked)


def _unmuted(asked: Asked) -> MuteKnown:
    body: Reason = asked.body
    said = asked.said(body.why)
    return _shown(decisions.unmute(asked.desk.store, asked.policy, _finding(asked), said), asked)


def _finding(asked: Asked) -> str:
    name, store = asked.parts["finding"], asked.desk.store
    known = fullmatch("[0-9a-f]{16}", name) is not None and bool(store.fingerprints(name, 1))
    model = latest_of(store, name).finding.reading.subject.model if known else None
    if model != asked.policy.model:
        raise MissingError("this model has no such finding; a finding has 16 hex digits")
    return name


def _shown(mute: Mute, asked: Asked) -> MuteKnown:
    return MuteKnown(
        finding=mute.fingerprint,
        holds=mute.holds(asked.at),
        at=mute.at,
        until=mute.until,
        by=mute.by,
        why=mute.why,
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/models/{model}/mutes",
        Action.READ_RESTRICTED,
        "The newest decision on each finding that was ever muted.",
        MutesKnown,
        _listed,
    ),
    Endpoint(
        "POST",
        "/v1/models/{model}/findings/{finding}/mute",
        Action.MUTE,
        "Have nobody called for a finding until an instant; it is measured and judged as before.",
        MuteKnown,
        _muted,
        MuteWanted,
    ),
    Endpoint(
        "POST",
        "/v1/models/{model}/findings/{finding}/unmute",
        Action.MUTE,
        "End the mute of a finding before its time.",
        MuteKnown,
        _unmuted,
        Reason,
    ),
)

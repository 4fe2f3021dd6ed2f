"""Which version was allowed to act at an instant, under which policy, approved by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.domain.approval import ApprovalKind, ApprovalRule
from monitor.domain.policy import Policy
from monitor.engine.answering import Answered, Answers
from monitor.engine.authority import Authorities
from monitor.governance.approvals import Request, RequestState, granted_at


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a version was allowed at an instant.

    Attributes:
        answered: What the gate said of it, and since when.
        approval: By what it was approved; None where it never was by then.
    """

    answered: Answered
    approval: Request | None


@dataclass(frozen=True, slots=True)
class AuthorityAt:
    """What the versions of a model were allowed at an instant.

    Attributes:
        model: Name of the model.
        at: The instant.
        versions: Version to what it was allowed; those of which nothing was known are left out.
        recorded_since: Since when it is recorded what versions are allowed; None where it never
            was. Of an earlier instant nothing is known: that is not the same as nothing allowed.
    """

    model: str
    at: datetime
    versions: Mapping[str, Allowed]
    recorded_since: datetime | None


def authority_at(
    policy: Policy, answers: Answers, authorities: Authorities, at: datetime
) -> AuthorityAt:
    """Return what the versions of a model were allowed at an instant.

    Args:
        policy: The policy of the model: its rule tells a request that was granted, and is over by
            now, from one that was not granted in time.
        answers: What the gate answered.
        authorities: What was asked for, and who agreed.
        at: The instant.

    Raises:
        StoreError: The store cannot be read.
    """
    answered = answers.gate_answers(policy.model)
    requests = authorities.requests(policy.model)
    rule = policy.governance.approvals.get(ApprovalKind.ACTIVATE_VERSION)
    newest = {each.answer.version: each for each in answered if each.at <= at}
    versions = {
        version: Allowed(found, _approval(requests, version, rule, at))
        for version, found in sorted(newest.items())
    }
    since = min((each.at for each in answered), default=None)
    return AuthorityAt(policy.model, at, versions, since)


def _approval(
    requests: Sequence[Request], version: str, rule: ApprovalRule | None, at: datetime
) -> Request | None:
    granted = [
        request
        for request in requests
        if request.kind is ApprovalKind.ACTIVATE_VERSION
        and request.version == version
        and _granted_by(request, rule, at)
    ]
    return max(granted, key=lambda request: request.number, default=None)


def _granted_by(request: Request, rule: ApprovalRule | None, at: datetime) -> bool:
    """Return whether the last one who had to agree had done so by an instant."""
    if not request.votes or not all(vote.granted for vote in request.votes):
        return False
    if request.recorded is RequestState.GRANTED:
        return max(vote.at for vote in request.votes) <= at
    if rule is None or request.recorded not in {RequestState.EXPIRED, RequestState.VOIDED}:
        return False
    last = granted_at(request, rule)
    return last is not None and last <= at

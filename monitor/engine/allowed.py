"""Which version was allowed to act at an instant, under which policy, approved by whom."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from monitor.domain.approval import ApprovalKind, ApprovalRule
from monitor.domain.policy import Policy
from monitor.engine.answering import Answered, Answers
from monitor.engine.authority import Authorities
from monitor.governance.approvals import Request, RequestState, granted_at


class Allowed(Struct, frozen=True):
    """What a version was allowed at an instant.

    Attributes:
        answered: What the gate said of it, and since when.
        approval: By what it was approved; None where it never was by then.
    """

    answered: Answered
    approval: Request | None


class AuthorityAt(Struct, frozen=True):
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
    policy: Policy,
    answers: Answers,
    authorities: Authorities,
    at: datetime,
    policy_of: Callable[[str], Policy | None],
) -> AuthorityAt:
    """Return what the versions of a model were allowed at an instant.

    Args:
        policy: The policy of the model.
        answers: What the gate answered.
        authorities: What was asked for, and who agreed.
        at: The instant.
        policy_of: Returns the policy with a digest; None where it is not stored. The rule of the
            policy that a request rests on tells one that was granted, and is over by now, from one
            that was not granted in time: since then it may take other people.

    Raises:
        StoreError: The store cannot be read.
    """
    answered = answers.gate_answers(policy.model)
    requests = authorities.requests(policy.model)
    by_version: dict[str, list[Request]] = {}
    for request in requests:
        rule = _rule(policy_of(request.bound_to.get("policy", "")) or policy)
        if request.kind is ApprovalKind.ACTIVATE_VERSION and _granted_by(request, rule, at):
            by_version.setdefault(request.version, []).append(request)
    newest = {each.answer.version: each for each in answered if each.at <= at}
    versions = {
        version: Allowed(found, _newest(by_version.get(version, [])))
        for version, found in sorted(newest.items())
    }
    since = min((each.at for each in answered), default=None)
    return AuthorityAt(policy.model, at, versions, since)


def _newest(granted: Sequence[Request]) -> Request | None:
    return max(granted, key=lambda request: request.number, default=None)


def _rule(policy: Policy) -> ApprovalRule | None:
    return policy.governance.approvals.get(ApprovalKind.ACTIVATE_VERSION)


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

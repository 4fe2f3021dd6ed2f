"""Approvals: who must agree before authority is given, and whose word does not count.

A request names what is to be allowed and what it rests on, by digest. Votes are cast as a role; the
request is granted when every seat of its rule is taken. One person takes one seat, whatever number
of accounts they have, and whoever asked for it, built it or owns it may take none where the rule
says so. A granted request holds for what it was bound to and for no longer than the rule says: it
is void as soon as one digest is another.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.approval import ApprovalKind, ApprovalRule, Party
from monitor.domain.errors import RefusedError
from monitor.domain.role import Role


class RequestState(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    GRANTED = "granted"
    REJECTED = "rejected"
    """One approver said no: it is asked for anew, or not at all."""
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    """Its time is over: that of asking, or that for which it was granted."""
    VOIDED = "voided"
    """Something that it was bound to is no longer what was approved."""


_OPEN = frozenset({RequestState.PENDING, RequestState.GRANTED})


class NotAllowedError(RefusedError):
    """Somebody may not do this. Carries every reason, not the first."""


class Vote(Struct, frozen=True):
    """What one person said.

    Attributes:
        account: As whom they were logged in.
        person: Who that is: the same for all accounts of one human being.
        role: As what they speak.
        granted: Yes or no.
        at: When.
        reason: In their words; never empty for a no.
    """

    account: str
    person: str
    role: Role
    granted: bool
    at: datetime
    reason: str = ""


class Request(Struct, frozen=True):
    """That something be allowed.

    Attributes:
        kind: What.
        subject: On what: a version, a policy, a limit.
        requested_by: The person who asks.
        at: When.
        bound_to: What it rests on, name to digest: model, policy, baseline, report.
        reason: Why, in words.
        votes: What was said, in order.
        withdrawn_at: When who asked took it back.
        model: The model that it is about.
        version: The version that it is about; "" for all of them.
        number: Its number among all requests of the model, from 1.
        account: The account that asked.
        terms: What is asked for besides, name to text: of a waiver its limit, end and control.
        recorded: Where it stood when it was last written down; what is over stays over.
        recorded_at: When that was; None for one that was not decided on yet.
    """

    kind: ApprovalKind
    subject: str
    requested_by: str
    at: datetime
    bound_to: Mapping[str, str]
    reason: str
    votes: tuple[Vote, ...] = ()
    withdrawn_at: datetime | None = None
    model: str = ""
    version: str = ""
    number: int = 0
    account: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
    recorded: RequestState = RequestState.PENDING
    recorded_at: datetime | None = None


class Involved(Struct, frozen=True):
    """Who is what for a model, by person.

    Attributes:
        roles: Person to the roles they have for this model.
        parties: Who the builders, owners and authors are.
    """

    roles: Mapping[str, frozenset[Role]]
    parties: Mapping[Party, frozenset[str]] = field(default_factory=dict)


def state_of(
    request: Request, rule: ApprovalRule, now: datetime, found: Mapping[str, str]
) -> RequestState:
    """Return where a request stands.

    Args:
        request: The request.
        rule: What it takes.
        now: When.
        found: What is there now, name to digest, of everything that the request is bound to. What
            cannot be found any more is left out, and is not what was approved.
    """
    if request.recorded not in _OPEN:
        return request.recorded
    if request.withdrawn_at is not None:
        return RequestState.WITHDRAWN
    if not all(vote.granted for vote in request.votes):
        return RequestState.REJECTED
    if any(found.get(name) != digest for name, digest in request.bound_to.items()):
        return RequestState.VOIDED
    granted = granted_at(request, rule)
    if granted is None:
        return RequestState.EXPIRED if now >= request.at + rule.patience else RequestState.PENDING
    over = rule.expires is not None and now >= granted + rule.expires
    return RequestState.EXPIRED if over else RequestState.GRANTED


def granted_at(request: Request, rule: ApprovalRule) -> datetime | None:
    """Return when the last seat was taken; None while one is free."""
    return max(vote.at for vote in request.votes) if not open_seats(request, rule) else None


def open_seats(request: Request, rule: ApprovalRule) -> Counter[Role]:
    """Return how many people of which roles are still to agree."""
    taken = Counter(vote.role for vote in request.votes if vote.granted)
    wanted: Counter[Role] = Counter()
    for seat in rule.seats:
        wanted[seat.role] += seat.count
    return wanted - taken


def voted(
    request: Request, vote: Vote, rule: ApprovalRule, involved: Involved, found: Mapping[str, str]
) -> Request:
    """Return the request with one more vote.

    Args:
        request: The request.
        vote: What somebody says.
        rule: What it takes.
        involved: Who is what.
        found: What is there now, as for `state_of`.

    Raises:
        NotAllowedError: With every reason why this vote does not count.
    """
    reasons = _refusals(request, vote, rule, involved)
    state = state_of(request, rule, vote.at, found)
    if state is not RequestState.PENDING:
        reasons = (f"the request is {state}: votes on it are over", *reasons)
    if reasons:
        raise NotAllowedError(reasons)
    return replace(request, votes=(*request.votes, vote))


def withdrawn(request: Request, person: str, at: datetime) -> Request:
    """Return the request taken back by who made it.

    Raises:
        NotAllowedError: Somebody else made it.
    """
    if person != request.requested_by:
        raise NotAllowedError((f"only {request.requested_by} can take back what they asked for",))
    return replace(request, withdrawn_at=at)


def _refusals(
    request: Request, vote: Vote, rule: ApprovalRule, involved: Involved
) -> tuple[str, ...]:
    who, reasons = vote.person, list[str]()
    if vote.role not in involved.roles.get(who, frozenset()):
        reasons.append(f"{who} is not {vote.role} of this model")
    if vote.granted and not open_seats(request, rule)[vote.role]:
        reasons.append(f"nobody is wanted as {vote.role}")
    if not vote.granted and vote.role not in {seat.role for seat in rule.seats}:
        reasons.append(f"a {vote.role} has no say in this")
    if any(who == earlier.person for earlier in request.votes):
        reasons.append(f"{who} has spoken already, and one person takes one seat")
    reasons += [
        f"{who} is {_SAID[party]}, whose word does not count here"
        for party in Party
        if party in rule.exclude and who in _people(party, request, involved)
    ]
    if not vote.granted and not vote.reason.strip():
        reasons.append("a no needs a reason")
    return tuple(reasons)


_SAID = {
    Party.REQUESTER: "who asked for it",
    Party.BUILDERS: "one of those who built the model",
    Party.OWNER: "one of its owners",
    Party.AUTHOR: "who wrote the change",
}


def _people(party: Party, request: Request, involved: Involved) -> frozenset[str]:
    if party in {Party.REQUESTER, Party.AUTHOR}:  # who proposes a file answers for what it says
        return frozenset({request.requested_by})
    return involved.parties.get(party, frozenset())

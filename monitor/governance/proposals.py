"""Asking that a looser policy come into force.

A request is bound to both policies, the one in force and the looser one: of another edit of either
it says nothing.
"""

from collections.abc import Iterable, Sequence

from monitor.domain.approval import ApprovalKind
from monitor.domain.change import KeyChange, change_of
from monitor.governance.acts import Speaker
from monitor.governance.approvals import NotAllowedError, Request, RequestState
from monitor.governance.events import EventType
from monitor.governance.ledger import Book

IN_FORCE, PROPOSED = "in force", "proposed"
"""What a request is bound to: the digest of the policy in force, and of the looser one."""

NAMED = 50
"""Keys that the record of a proposal names; the policies have them all."""


def propose(  # noqa: PLR0917  # six nouns, each of another type
    book: Book,
    speaker: Speaker,
    before: str,
    after: str,
    changes: Sequence[KeyChange],
    reason: str,
) -> Request:
    """Ask that a looser policy come into force.

    Args:
        book: Where it is written.
        speaker: Who asks.
        before: Digest of the policy in force.
        after: Digest of the looser one.
        changes: The keys by which they differ.
        reason: Why, in words.

    Raises:
        NotAllowedError: It is asked for already, or without a reason.
    """
    reasons = [
        f"request {item.number} of {item.requested_by} for the same is pending"
        for item in requests_for(book.ledger.requests.values(), before, after)
        if item.recorded is RequestState.PENDING
    ]
    if not reason.strip():
        reasons.append("the reason is empty; say why more can be tolerated")
    if reasons:
        raise NotAllowedError(tuple(reasons))
    request = Request(
        kind=ApprovalKind.LOOSEN_POLICY,
        subject=after,
        requested_by=speaker.person,
        at=book.now,
        bound_to={IN_FORCE: before, PROPOSED: after},
        reason=reason,
        model=book.ledger.model,
        number=max(book.ledger.requests, default=0) + 1,
        account=speaker.account,
    )
    book.write(
        EventType.POLICY_PROPOSED,
        "",
        None,
        in_force=before,
        proposed=after,
        change=change_of(changes).value,
        keys={item.key: item.change.value for item in changes[:NAMED]},
    )
    book.write(EventType.APPROVAL_REQUESTED, "", request)
    return request


def requests_for(requests: Iterable[Request], before: str, after: str) -> tuple[Request, ...]:
    """Return the requests that one policy come into force in the place of another."""
    bound = {IN_FORCE: before, PROPOSED: after}
    return tuple(
        item
        for item in requests
        if item.kind is ApprovalKind.LOOSEN_POLICY and dict(item.bound_to) == bound
    )

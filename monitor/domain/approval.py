"""What it takes to approve: who must agree, and whose word does not count."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from monitor.domain.role import Role


class ApprovalKind(StrEnum):
    """What an approval allows."""

    ACTIVATE_VERSION = "activate_version"
    RELEASE_HOLD = "release_hold"
    LOOSEN_POLICY = "loosen_policy"
    WAIVER = "waiver"


class Party(StrEnum):
    """Whose word a rule can leave out."""

    REQUESTER = "requester"
    BUILDERS = "builders"
    OWNER = "owner"
    AUTHOR = "author"
    """Whoever proposes the policy that is to be loosened: who typed a file, nobody can tell."""


class Seat(Struct, frozen=True):
    """How many people of a role must agree."""

    role: Role
    count: int = 1


class ApprovalRule(Struct, frozen=True):
    """What it takes to approve.

    Attributes:
        kind: What is approved.
        seats: Who must agree.
        exclude: Whose word does not count.
        expires: For how long a grant holds; None for as long as what it is bound to.
        patience: How long a request may wait for its votes.
    """

    kind: ApprovalKind
    seats: tuple[Seat, ...]
    exclude: frozenset[Party] = frozenset({Party.REQUESTER})
    expires: timedelta | None = None
    patience: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        """Refuse a rule that nobody or the wrong ones would have to follow."""
        if not self.seats or any(seat.count < 1 for seat in self.seats):
            raise ValueError("an approval needs at least one person for each role it names")
        unfit = [seat.role for seat in self.seats if seat.role not in APPROVERS]
        if unfit:
            raise ValueError(
                f"{', '.join(unfit)} cannot approve; right are {', '.join(sorted(APPROVERS))}"
            )


APPROVERS = frozenset({Role.VALIDATOR, Role.ACCOUNTABLE, Role.GOVERNANCE, Role.OPERATOR})
"""Roles that can have a seat. An owner cannot approve, and an administrator approves nothing."""

_TWO = frozenset({Party.REQUESTER, Party.BUILDERS})

SHIPPED_RULES: Mapping[ApprovalKind, ApprovalRule] = {
    rule.kind: rule
    for rule in (
        ApprovalRule(
            ApprovalKind.ACTIVATE_VERSION,
            (Seat(Role.VALIDATOR), Seat(Role.ACCOUNTABLE)),
            _TWO,
            expires=timedelta(days=90),
        ),
        ApprovalRule(ApprovalKind.RELEASE_HOLD, (Seat(Role.ACCOUNTABLE),), _TWO),
        ApprovalRule(
            ApprovalKind.LOOSEN_POLICY,
            (Seat(Role.GOVERNANCE), Seat(Role.ACCOUNTABLE)),
            frozenset({Party.REQUESTER, Party.AUTHOR}),
        ),
        ApprovalRule(ApprovalKind.WAIVER, (Seat(Role.GOVERNANCE),)),
    )
}
"""What each kind of approval takes where a policy does not say otherwise."""

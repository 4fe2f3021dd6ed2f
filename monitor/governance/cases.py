"""Cases: a consequence that somebody must answer for by a day.

A case is opened for every limit that takes something from a version, and for every other reason why
it has less authority. It names the one person who answers. It is closed by what was done about it,
with a reason and with the digest of what shows it. A case that is not closed in time climbs the
ladder by itself.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.governance import Consequence, OnDeadline, Rung

NEAR = 0.25
"""The share of its time before a case is late that is near its deadline."""


class Disposition(StrEnum):
    """What became of a case."""

    FIX = "fix"
    """The cause was mended, and the limit holds again."""
    ROLL_BACK = "roll_back"
    """Another version decides instead."""
    ACCEPT = "accept"
    """The risk was accepted for a while, by a waiver."""
    RETIRE = "retire"
    """The version never acts again."""
    CLEARED = "cleared"
    """The limit holds again, and nothing but watching had come of it: the system closes it."""


BY_PEOPLE = tuple(item for item in Disposition if item is not Disposition.CLEARED)
"""What a person can close a case by."""


class Cause(StrEnum):
    """Why a version lost authority, where it is no limit; a limit's case has the limit's name."""

    REVIEW = "review"
    """The model was not looked at again in time."""
    APPROVAL = "approval"
    """Its approval is over."""
    IDENTITY = "identity"
    """Something that was approved is another now."""
    PERSON = "person"
    """A person held or stopped it."""
    OUTSIDE_AUTHORITY = "outside_authority"
    """Its log has decisions that it was not allowed to make."""


class Case(Struct, frozen=True):
    """What somebody must answer for.

    Attributes:
        model: Name of the model.
        number: Its number among all cases of the model, from 1.
        version: The version.
        cause: The id of the limit, or one of `Cause`.
        rung: How far its consequence goes by now.
        accountable: The person who answers; "" where the policy names nobody.
        opened_at: When.
        reason: Why, in words.
        findings: Fingerprints of the alerts that led to it.
        deadline: By when it must be closed; None for no limit.
        escalated: How often its deadline passed.
        closed_at: When it was closed; None while it is open.
        closed_by: The person, or ``daemon``.
        disposition: What became of it; None while it is open.
        closing: The reason given with it.
        evidence: Digest of what shows it; "" where the system closed it.
    """

    model: str
    number: int
    version: str
    cause: str
    rung: Rung
    accountable: str
    opened_at: datetime
    reason: str
    findings: tuple[str, ...] = ()
    deadline: datetime | None = None
    escalated: int = 0
    closed_at: datetime | None = None
    closed_by: str = ""
    disposition: Disposition | None = None
    closing: str = ""
    evidence: str = ""

    @property
    def open(self) -> bool:
        """Return whether it is still to be answered."""
        return self.closed_at is None

    def late(self, now: datetime) -> bool:
        """Return whether it is open though its deadline has passed."""
        return self.open and self.deadline is not None and now >= self.deadline


_RUNG_AFTER = {
    OnDeadline.RESTRICT: Rung.RESTRICT,
    OnDeadline.HOLD: Rung.HOLD,
    OnDeadline.STOP: Rung.STOP,
}


def deadline_after(
    rung: Rung, since: datetime, ladder: Mapping[Rung, Consequence]
) -> datetime | None:
    """Return by when a case of a rung must be closed; None for no limit."""
    consequence = ladder.get(rung)
    if consequence is None or consequence.deadline is None:
        return None
    return since + consequence.deadline


def climbed(case: Case, ladder: Mapping[Rung, Consequence]) -> Case:
    """Return a case whose deadline has passed, on the rung that follows from it.

    The next deadline counts from the one that passed, not from when somebody looked: a daemon that
    was down makes no case longer. What nothing follows from has no further deadline.
    """
    consequence = ladder.get(case.rung)
    follows = None if consequence is None else consequence.on_deadline
    rung = case.rung if follows is None else _RUNG_AFTER.get(follows, case.rung)
    since = case.deadline
    if since is None or rung <= case.rung:
        return replace(case, escalated=case.escalated + 1, deadline=None)
    return replace(
        case, rung=rung, escalated=case.escalated + 1, deadline=deadline_after(rung, since, ladder)
    )


def closed(  # noqa: PLR0917  # six nouns, each of another type
    case: Case, disposition: Disposition, by: str, at: datetime, reason: str, evidence: str = ""
) -> Case:
    """Return a case that was answered."""
    return replace(
        case,
        closed_at=at,
        closed_by=by,
        disposition=disposition,
        closing=reason,
        evidence=evidence,
    )

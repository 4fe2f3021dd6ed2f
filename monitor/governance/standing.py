"""Whether a version may act: the states it can be in, and who can move it from one to another.

The rule behind the table is asymmetric. One person, or the system alone, may take authority away.
Giving it back always takes an approval, and with it a named second person. The one step up that the
system makes by itself is from *watch* to *approved*, which is no more authority.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.approval import ApprovalKind
from monitor.domain.role import Role
from monitor.governance.approvals import NotAllowedError


class State(StrEnum):
    """What a version may do."""

    REGISTERED = "registered"
    """It exists; nobody has asked that it may act."""
    PENDING = "pending"
    """Its approval was asked for."""
    APPROVED = "approved"
    """It acts."""
    WATCH = "watch"
    """It acts, and somebody was told to look."""
    RESTRICTED = "restricted"
    """It acts within conditions."""
    HELD = "held"
    """It does not act until it is released; decisions go where the policy says."""
    STOPPED = "stopped"
    """It does not act, and nothing but a new approval brings it back."""
    RETIRED = "retired"
    """It never acts again."""


AUTHORITY = {
    State.REGISTERED: 0,
    State.PENDING: 0,
    State.HELD: 0,
    State.STOPPED: 0,
    State.RETIRED: 0,
    State.RESTRICTED: 1,
    State.WATCH: 2,
    State.APPROVED: 2,
}
"""How much a version in a state may do: nothing, what conditions allow, everything delegated."""


class Event(StrEnum):
    """What moves a version."""

    SUBMITTED = "submitted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REQUEST_EXPIRED = "request_expired"
    APPROVED = "approved"
    WATCH_BREACHED = "watch_breached"
    """A limit whose consequence is ``watch`` is broken."""
    CLEARED = "cleared"
    """Every limit that led to watch holds again."""
    RESTRICT_BREACHED = "restrict_breached"
    REVIEW_LAPSED = "review_lapsed"
    HOLD_BREACHED = "hold_breached"
    STOP_BREACHED = "stop_breached"
    DEADLINE_MISSED = "deadline_missed"
    """A case was not closed in time, and the ladder's next rung is to hold."""
    IDENTITY_CHANGED = "identity_changed"
    """What was approved is no longer what is there: the model, its alias, policy or baseline."""
    APPROVAL_EXPIRED = "approval_expired"
    RELEASED = "released"
    RESUBMITTED = "resubmitted"
    HELD = "held"
    """A person takes the authority away until it is released."""
    STOPPED = "stopped"
    RETIRED = "retired"


class Edge(Struct, frozen=True):
    """One way from a state to another.

    Attributes:
        event: What happened.
        source: From where.
        target: To where.
        by: Who can make it happen.
        approval: What must have been granted for it; None where taking away is all it does.
        reason: Whether it needs one in words.
    """

    event: Event
    source: State
    target: State
    by: frozenset[Role]
    approval: ApprovalKind | None = None
    reason: bool = False


_SYSTEM = frozenset({Role.SYSTEM})
_OWNER = frozenset({Role.OWNER})
_APPROVER = frozenset({Role.VALIDATOR, Role.ACCOUNTABLE, Role.GOVERNANCE})
_STOPPERS = frozenset({Role.OPERATOR, Role.ACCOUNTABLE, Role.GOVERNANCE})
_ACCOUNTABLE = frozenset({Role.ACCOUNTABLE})
_ACTING = (State.APPROVED, State.WATCH, State.RESTRICTED)


def _edges(
    event: Event, sources: tuple[State, ...], target: State, by: frozenset[Role]
) -> tuple[Edge, ...]:
    return tuple(Edge(event, source, target, by) for source in sources)


EDGES: tuple[Edge, ...] = (
    Edge(Event.SUBMITTED, State.REGISTERED, State.PENDING, _OWNER),
    Edge(Event.REJECTED, State.PENDING, State.REGISTERED, _APPROVER, reason=True),
    Edge(Event.WITHDRAWN, State.PENDING, State.REGISTERED, _OWNER),
    Edge(Event.REQUEST_EXPIRED, State.PENDING, State.REGISTERED, _SYSTEM),
    Edge(Event.IDENTITY_CHANGED, State.PENDING, State.REGISTERED, _SYSTEM),
    Edge(Event.APPROVED, State.PENDING, State.APPROVED, _APPROVER, ApprovalKind.ACTIVATE_VERSION),
    Edge(Event.WATCH_BREACHED, State.APPROVED, State.WATCH, _SYSTEM),
    Edge(Event.CLEARED, State.WATCH, State.APPROVED, _SYSTEM),
    *_edges(Event.RESTRICT_BREACHED, (State.APPROVED, State.WATCH), State.RESTRICTED, _SYSTEM),
    *_edges(Event.REVIEW_LAPSED, (State.APPROVED, State.WATCH), State.RESTRICTED, _SYSTEM),
    *_edges(Event.HOLD_BREACHED, _ACTING, State.HELD, _SYSTEM),
    *_edges(Event.DEADLINE_MISSED, _ACTING, State.HELD, _SYSTEM),
    *_edges(Event.IDENTITY_CHANGED, _ACTING, State.HELD, _SYSTEM),
    *_edges(Event.APPROVAL_EXPIRED, _ACTING, State.HELD, _SYSTEM),
    Edge(
        Event.RELEASED,
        State.HELD,
        State.RESTRICTED,  # on probation: a second release gives the rest back
        _ACCOUNTABLE,
        ApprovalKind.RELEASE_HOLD,
        reason=True,
    ),
    Edge(
        Event.RELEASED,
        State.RESTRICTED,
        State.APPROVED,
        _ACCOUNTABLE,
        ApprovalKind.RELEASE_HOLD,
        reason=True,
    ),
    *_edges(Event.RESUBMITTED, (State.HELD, State.STOPPED), State.PENDING, _OWNER),
    *_edges(Event.STOP_BREACHED, (*_ACTING, State.HELD), State.STOPPED, _SYSTEM),
    *(Edge(Event.HELD, source, State.HELD, _STOPPERS, reason=True) for source in _ACTING),
    *(
        Edge(Event.STOPPED, source, State.STOPPED, _STOPPERS, reason=True)
        for source in (*_ACTING, State.HELD)
    ),
    *(
        Edge(Event.RETIRED, source, State.RETIRED, _OWNER, reason=True)
        for source in State
        if source is not State.RETIRED
    ),
)
"""Every way there is. What is not here does not happen."""

_TABLE = {(edge.source, edge.event): edge for edge in EDGES}


class Standing(Struct, frozen=True):
    """Where a version stands, and since when by whom.

    Attributes:
        model: Name of the model.
        version: The version.
        state: What it may do.
        sequence: How often it was moved.
        since: When it was moved last.
        by: Who moved it: a person, or ``daemon``.
        event: What happened.
        reason: In words.
    """

    model: str
    version: str
    state: State
    sequence: int
    since: datetime
    by: str
    event: Event | None = None
    reason: str = ""

    @property
    def acts(self) -> bool:
        """Return whether it may act at all."""
        return AUTHORITY[self.state] > 0


class Move(Struct, frozen=True):
    """Something that happened to a version.

    Attributes:
        event: What.
        at: When.
        by: Who.
        role: As what.
        reason: In words.
        granted: What was granted for it by an approval that holds now; None without one.
    """

    event: Event
    at: datetime
    by: str
    role: Role
    reason: str = ""
    granted: ApprovalKind | None = None


def edge_of(state: State, event: Event) -> Edge | None:
    """Return the way that an event takes from a state; None where there is none."""
    return _TABLE.get((state, event))


def moved(standing: Standing, move: Move) -> Standing:
    """Return where a version stands after something happened.

    Args:
        standing: Where it stood.
        move: What happened.

    Raises:
        NotAllowedError: With every reason why it does not happen; nothing has changed.
    """
    edge = edge_of(standing.state, move.event)
    if edge is None:
        known = sorted(edge.event for edge in EDGES if edge.source is standing.state)
        ways = ", ".join(known) or "nothing: this state is the last"
        gone = f"a version that is {standing.state} cannot be {move.event}; it goes on by {ways}"
        raise NotAllowedError((gone,))
    reasons = []
    if move.role not in edge.by:
        who = ", ".join(sorted(edge.by))
        reasons.append(f"{move.by} speaks as {move.role}; {edge.event} is up to {who}")
    if edge.approval is not None and move.granted is not edge.approval:
        reasons.append(f"it takes an approval of the kind {edge.approval} that holds now")
    if edge.reason and not move.reason.strip():
        reasons.append("it needs a reason")
    if reasons:
        raise NotAllowedError(tuple(reasons))
    return replace(
        standing,
        state=edge.target,
        sequence=standing.sequence + 1,
        since=move.at,
        by=move.by,
        event=move.event,
        reason=move.reason,
    )

"""The life of what somebody is called for: from the first window beyond a limit to its end."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monitor.domain.finding import Verdict
from monitor.domain.reading import Subject
from monitor.domain.window import Window


class AlertState(StrEnum):
    """Where an alert is in its life."""

    PENDING = "pending"
    """Beyond a limit, in too few windows to call somebody."""
    FIRING = "firing"
    """Somebody is called."""
    RESOLVED = "resolved"
    """Judged windows showed it to be within its limit again."""
    ENDED = "ended"
    """It is no longer judged; nothing showed it to be within its limit."""


class Condition(StrEnum):
    """What the newest window says of an alert; only ``judged`` changes its state."""

    JUDGED = "judged"
    UNKNOWN = "unknown"
    """There were rows, and yet it could not be judged."""
    NO_DATA = "no_data"
    """The log, the version or the group had no rows."""


class Alert(Struct, frozen=True):
    """One episode of one finding: the windows from the first one beyond a limit to its end.

    What it is follows from the verdicts of the windows alone, in their order; the three instants
    at the end say when it became known.

    Attributes:
        fingerprint: What was measured on what.
        measure: The measure.
        subject: What it was measured on.
        state: Where it is in its life.
        severity: Warning or critical; of one that is over, as it was last.
        condition: What the newest window says of it.
        since: The first window that was beyond a limit.
        began: The window as of which it fires; None for one that never did.
        judged: The last window that was judged.
        beyond: Judged windows beyond a limit, from ``since`` on.
        within: Judged windows within their limit, from ``since`` on.
        over: The window as of which it is resolved or ended; None while it is open, and for one
            whose windows are no longer those of the schedule.
        known_at: When it became known, by the run that told.
        started_at: When it began to fire; None for one that never did.
        ended_at: When it was resolved or ended; None while it is open.
    """

    fingerprint: str
    measure: str
    subject: Subject
    state: AlertState
    severity: Verdict
    condition: Condition
    since: Window
    began: Window | None
    judged: Window
    beyond: int
    within: int
    over: Window | None = None
    known_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Return whether it is pending or firing."""
        return self.state in {AlertState.PENDING, AlertState.FIRING}

    @property
    def firing(self) -> bool:
        """Return whether somebody is called."""
        return self.state is AlertState.FIRING


class AlertEvent(Struct, frozen=True):
    """What a run changed in what was known of an alert. Never edited.

    Attributes:
        fingerprint: What was measured on what.
        since: The first window of the episode.
        at: When.
        window: The window whose run it was.
        was: The state before; None for an episode that was not known.
        now: The state after; None for an episode that a revision has taken away.
        severity: The severity after; before, when it was taken away.
        condition: The condition after; before, when it was taken away.
    """

    fingerprint: str
    since: Window
    at: datetime
    window: Window
    was: AlertState | None
    now: AlertState | None
    severity: Verdict
    condition: Condition


class Mute(Struct, frozen=True):
    """A person's decision that nobody is called for a finding for a while.

    It changes nothing that is measured, judged or stored of the finding. Newer decisions take the
    place of older ones, which are kept.

    Attributes:
        model: Name of the model.
        fingerprint: The finding.
        at: When it was decided.
        until: When it ends by itself; ``at`` when the decision is to end the one before.
        by: Who decided it.
        why: The reason they gave.
    """

    model: str
    fingerprint: str
    at: datetime
    until: datetime
    by: str
    why: str

    def holds(self, now: datetime) -> bool:
        """Return whether nobody is called at an instant."""
        return self.at <= now < self.until

"""What the store tells of past runs without their results: a finding, a line of a list."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from monitor.domain.finding import Finding, Verdict
from monitor.domain.run import Outcome
from monitor.domain.window import Window


class PastFinding(Struct, frozen=True):
    """A stored finding, with the run that it is of.

    Attributes:
        window: The window.
        revision: The run's number among those of the window.
        finding: What was judged, and how.
    """

    window: Window
    revision: int
    finding: Finding


class RunLine(Struct, frozen=True):
    """The newest run of a window, as one line.

    Attributes:
        window: The window.
        revision: The run's number among those of the window.
        outcome: How it ended.
        finished: When.
        rows: Rows read.
        verdicts: How many of its findings have which verdict; those that none has are left out.
        pruned: When its readings and findings were; None while they are kept.
    """

    window: Window
    revision: int
    outcome: Outcome
    finished: datetime
    rows: int
    verdicts: Mapping[Verdict, int] = field(default_factory=dict)
    pruned: datetime | None = None

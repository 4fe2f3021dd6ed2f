"""What a log is as a whole, before any window of it is read."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from monitor.domain.manifest import UnreadableFile
from monitor.domain.schedule import Watermark

Span = tuple[datetime, datetime]
"""An earliest and a latest instant, both included."""


class Survey(Struct, frozen=True):
    """What a log is as a whole, by its listing and footers.

    Attributes:
        span: Earliest and latest event time; None when it has no rows that may be read.
        unreadable: The files that cannot be used, in whatever windows, and those not tried now.
        whole: Paths that are in quarantine, may be tried now and seem to be in order, with the
            earliest and latest event that may be missing in results without them; None for a file
            without rows. A folder that could not be listed stands for what is in it.
        committed: Of a table with snapshots, when rows were last committed to it.
    """

    span: Span | None
    unreadable: tuple[UnreadableFile, ...] = ()
    whole: Mapping[str, Span | None] = field(default_factory=dict)
    committed: datetime | None = None

    @property
    def watermark(self) -> Watermark:
        """Return how far the log is complete."""
        return Watermark(self.span and self.span[1], self.committed)

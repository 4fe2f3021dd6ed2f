"""Spans of event time."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import force_setattr


class Window(Struct, frozen=True, order=True):
    """A half-open span ``[start, end)`` of event time in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse naive bounds and empty spans."""
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise ValueError("a window's bounds carry a time zone")
        if self.start >= self.end:
            raise ValueError(f"a window ends after it starts: {self.start} … {self.end}")
        force_setattr(self, "start", self.start.astimezone(UTC))
        force_setattr(self, "end", self.end.astimezone(UTC))

    @property
    def duration(self) -> timedelta:
        """Return the elapsed time, 23 or 25 hours on the days that clocks change."""
        return self.end - self.start

    def contains(self, instant: datetime) -> bool:
        """Return whether ``start <= instant < end``."""
        return self.start <= instant < self.end

    def __str__(self) -> str:
        """Return both bounds in ISO form."""
        return f"[{_iso(self.start)}, {_iso(self.end)})"


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")

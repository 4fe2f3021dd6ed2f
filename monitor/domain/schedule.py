"""How a model's time is cut into windows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from monitor.domain.window import Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CalendarUnit(StrEnum):
    """A calendar window, cut at local midnight (or at the full hour) of the schedule's zone."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Watermark(Struct, frozen=True):
    """How far a log is complete, as far as it says so itself.

    Attributes:
        event: Its latest event; None when it has no rows.
        committed: Of a table with snapshots, when rows were last committed to it; None for files
            that are just there, and where the table does not say.
    """

    event: datetime | None = None
    committed: datetime | None = None


UNTOLD = Watermark()
"""Of a log of which nothing is known."""

_HOUR = timedelta(hours=1)
_YEAR = timedelta(days=365.2425)
_PER_YEAR = {
    CalendarUnit.HOUR: _YEAR / _HOUR,
    CalendarUnit.DAY: _YEAR / timedelta(days=1),
    CalendarUnit.WEEK: _YEAR / timedelta(days=7),
    CalendarUnit.MONTH: 12.0,
    CalendarUnit.QUARTER: 4.0,
    CalendarUnit.YEAR: 1.0,
}
_MONTHS = {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3, CalendarUnit.YEAR: 12}


class Schedule(Struct, frozen=True):
    """Which windows a model has, and when each is due.

    Attributes:
        length: A calendar unit, or a fixed duration counted from ``anchor``.
        zone: IANA name of the zone whose midnights cut calendar windows.
        anchor: A bound of the fixed-length windows; the Unix epoch unless said otherwise.
        start: No window that begins before this is due; None for "from the baseline's end".
        end: No window that ends after this is due; None for "as long as the model lives".
        lateness: How long after its end a window waits for late rows before it is due.
        patience: How much longer it waits while the log has not reached its end, or while the log
            is a table that no rows were committed to since.
        reopen: How long after it was due a window is run again when its files change.
    """

    length: CalendarUnit | timedelta
    zone: str = "UTC"
    anchor: datetime = _EPOCH
    start: datetime | None = None
    end: datetime | None = None
    lateness: timedelta = timedelta(0)
    patience: timedelta = timedelta(0)
    reopen: timedelta = timedelta(days=7)

    def window_at(self, instant: datetime) -> Window:
        """Return the window that contains an instant."""
        if isinstance(self.length, timedelta):
            steps = (instant - self.anchor) // self.length
            start = self.anchor + steps * self.length
            return Window(start, start + self.length)
        if self.length is CalendarUnit.HOUR:
            return _hour_at(instant.astimezone(UTC), ZoneInfo(self.zone))
        unit = self.length
        first = _calendar_start(instant.astimezone(ZoneInfo(self.zone)), unit)
        return Window(first.astimezone(UTC), _calendar_next(first, unit).astimezone(UTC))

    def window_before(self, window: Window) -> Window:
        """Return the last window that ends where another one begins, or before."""
        instant = timedelta.resolution
        before = self.window_at(window.start - instant)
        return before if before.end <= window.start else self.window_at(before.start - instant)

    def windows(self, begin: datetime, until: datetime) -> Iterator[Window]:
        """Yield, in order, the windows that lie wholly within ``[begin, until]``."""
        window = self.window_at(begin)
        if window.start < begin:
            window = self.window_at(window.end)
        while window.end <= until:
            yield window
            window = self.window_at(window.end)

    def complete_until(self, now: datetime, watermark: Watermark = UNTOLD) -> datetime:
        """Return the instant up to which windows are due at ``now``.

        A commit holds every row that was written before it, and so every event that is older than
        it by the time that rows may be late. An event says less: others may be under way.

        Args:
            now: The present.
            watermark: How far the log is complete.
        """
        until = now - self.lateness
        if self.patience:
            patient = until - self.patience
            reached = watermark.event or patient
            if watermark.committed is not None:
                reached = watermark.committed - self.lateness
            until = max(patient, min(until, reached))
        return until if self.end is None else min(until, self.end)

    def closed(self, window: Window, present: datetime) -> bool:
        """Return whether a window is too old to be run again when its files change."""
        return present - window.end >= self.lateness + self.reopen

    @property
    def windows_per_year(self) -> float:
        """Return how many windows a year has on average."""
        return _YEAR / self.length if isinstance(self.length, timedelta) else _PER_YEAR[self.length]

    @property
    def nominal(self) -> timedelta:
        """Return the length of a window, in whole days where it is one of the calendar."""
        longest = self.interval
        if isinstance(self.length, timedelta) or longest < timedelta(days=1):
            return longest
        return timedelta(days=longest.days)

    @property
    def interval(self) -> timedelta:
        """Return the length of a window, the longest one for calendar units."""
        if isinstance(self.length, timedelta):
            return self.length
        days = {
            CalendarUnit.HOUR: _HOUR,
            CalendarUnit.DAY: timedelta(hours=25),
            CalendarUnit.WEEK: timedelta(days=7, hours=1),
            CalendarUnit.MONTH: timedelta(days=31, hours=1),
            CalendarUnit.QUARTER: timedelta(days=92, hours=1),
            CalendarUnit.YEAR: timedelta(days=366),
        }
        return days[self.length]


def _hour_at(instant: datetime, zone: ZoneInfo) -> Window:
    # Elapsed hours are cut where the local clock shows a full hour, so a repeated hour is two
    # windows. Where clocks change by a part of an hour (Lord Howe Island) they are cut there too.
    local = instant.astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    start = instant - into
    end = start + _HOUR
    if not _hours_apart(start, instant, zone):
        start = _change_of_clocks(start, instant, zone)
    if not _hours_apart(instant, end - timedelta.resolution, zone):
        end = _change_of_clocks(instant, end, zone)
    return Window(start, end)


def _hours_apart(one: datetime, other: datetime, zone: ZoneInfo) -> bool:
    """Return whether the offsets of two instants differ by whole hours, or not at all."""
    return not (_offset(one, zone) - _offset(other, zone)) % _HOUR


def _change_of_clocks(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant that has the offset of ``after``, to the microsecond."""
    while after - before > timedelta.resolution:
        middle = before + (after - before) // 2
        if _offset(middle, zone) == _offset(before, zone):
            before = middle
        else:
            after = middle
    return after


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    local = instant.astimezone(zone)
    return local.replace(tzinfo=UTC) - instant


def _calendar_start(local: datetime, unit: CalendarUnit) -> datetime:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit is CalendarUnit.WEEK:
        return midnight - timedelta(days=midnight.weekday())
    if unit in _MONTHS:
        months = _MONTHS[unit]
        return midnight.replace(day=1, month=(local.month - 1) // months * months + 1)
    return midnight


def _calendar_next(first: datetime, unit: CalendarUnit) -> datetime:
    # Wall-clock arithmetic on a zoned datetime: the next local midnight, 23 to 25 hours away.
    if unit in _MONTHS:
        month = first.month - 1 + _MONTHS[unit]
        return first.replace(year=first.year + month // 12, month=month % 12 + 1)
    return first + timedelta(days=7 if unit is CalendarUnit.WEEK else 1)

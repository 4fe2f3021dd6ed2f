"""What a window is held against besides the registered baseline."""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from zoneinfo import ZoneInfo

from msgspec import Struct

from monitor.domain.schedule import Schedule
from monitor.domain.window import Window

VOLUME = "rows"
"""The measure of quality that a reference may have a limit of: how many rows a window has."""


class ReferenceKind(StrEnum):
    """How the windows that make a reference are chosen."""

    PREVIOUS = "previous"
    """The window before."""
    ROLLING = "rolling"
    """So many windows before."""
    SEASON = "season"
    """The last windows of the same season."""


class Season(StrEnum):
    """What windows have in common that are of the same season, by their start on the local clock."""

    HOUR = "hour"
    """The hour of the day."""
    WEEKDAY = "weekday"
    """The day of the week."""
    HOUR_OF_WEEK = "hour_of_week"
    """Both of them."""
    MONTH = "month"
    """The month of the year."""

    def of(self, window: Window, zone: str) -> int:
        """Return a number that windows of the same season share."""
        local = window.start.astimezone(ZoneInfo(zone))
        match self:
            case Season.HOUR:
                return local.hour
            case Season.WEEKDAY:
                return local.weekday()
            case Season.HOUR_OF_WEEK:
                return local.weekday() * 24 + local.hour
            case Season.MONTH:
                return local.month


class Reference(Struct, frozen=True):
    """What a window is held against besides the registered baseline: earlier windows, added up.

    Attributes:
        name: What readings and findings call it.
        kind: How its windows are chosen.
        windows: How many windows it is the sum of.
        gap: How many windows lie between them and the one that is held against them.
        at_least: How many of them must be stored, with rows; with fewer there is no reference.
        season: What its windows have in common with the one that is held against them; None but
            for `ReferenceKind.SEASON`.
        registered: Whether windows of the baseline's own period take part.
    """

    name: str
    kind: ReferenceKind
    windows: int = 1
    gap: int = 0
    at_least: int = 1
    season: Season | None = None
    registered: bool = True

    def windows_before(
        self, window: Window, schedule: Schedule, since: datetime
    ) -> Iterator[Window]:
        """Yield the windows that make the reference of a window, the latest one first.

        They follow from the schedule alone, whether or not anything is stored of them.

        Args:
            window: What is held against the reference.
            schedule: How time is cut.
            since: Nothing is known of what starts before this: such windows are left out.
        """
        season = self._season(window, schedule.zone)
        passed = left = 0
        earlier = schedule.window_before(window)
        while left < self.windows and earlier.start >= since:
            if passed >= self.gap and self._season(earlier, schedule.zone) == season:
                yield earlier
                left += 1
            passed += 1
            earlier = schedule.window_before(earlier)

    def all_before(self, windows: Sequence[Window], zone: str) -> Iterator[tuple[Window, ...]]:
        """Yield for each of some windows what `windows_before` does, in one pass over all of them.

        Args:
            windows: Of a schedule, in order, without a gap; nothing is known of earlier ones.
            zone: The schedule's zone.
        """
        known: dict[int | None, deque[Window]] = {}
        for place, window in enumerate(windows):
            if place > self.gap:
                earlier = windows[place - self.gap - 1]
                of_season = known.setdefault(
                    self._season(earlier, zone), deque(maxlen=self.windows)
                )
                of_season.appendleft(earlier)
            yield tuple(known.get(self._season(window, zone), ()))

    def still_asked(self, windows: Sequence[Window], zone: str) -> frozenset[Window]:
        """Return which of some windows the references of later ones may be made of.

        With a gap and seasons there may be a few that none is.

        Args:
            windows: Of a schedule, in order, without a gap, up to where the later ones begin.
            zone: The schedule's zone.
        """
        known: dict[int | None, deque[Window]] = {}
        far = max(0, len(windows) - self.gap)
        for window in windows[:far]:
            of_season = known.setdefault(self._season(window, zone), deque(maxlen=self.windows))
            of_season.append(window)
        return frozenset(windows[far:]).union(*known.values())

    def _season(self, window: Window, zone: str) -> int | None:
        return None if self.season is None else self.season.of(window, zone)


class Composition(Struct, frozen=True):
    """The stored windows that a reference was the sum of, for one model version in one run.

    Attributes:
        version: The model version.
        reference: Name of the reference.
        wanted: How many windows the reference asks for.
        parts: Each window that was there with the digest of what its result was made from, the
            latest one first; for a window of the baseline's period, the baseline's digest.
    """

    version: str
    reference: str
    wanted: int
    parts: tuple[tuple[Window, str], ...] = ()

    @property
    def text(self) -> str:
        """Return everything in one line, the same for the same composition."""
        parts = (f"{window}={inputs}" for window, inputs in self.parts)
        return "\x1e".join((self.version, self.reference, str(self.wanted), *parts))


def held_identity(inputs: str, compositions: tuple[Composition, ...]) -> str:
    """Return the identity of a run that was held against references as well.

    Args:
        inputs: The identity of its other inputs; it is the run's where there are no references.
        compositions: What the references were made of, of the versions that have rows.
    """
    if not compositions:
        return inputs
    parts = (inputs, *sorted(item.text for item in compositions))
    return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

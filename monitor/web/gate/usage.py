"""Counting who asked the gate what: one number for each in an hour, none is written per call."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock

from monitor.domain.governance import GateAction
from monitor.engine.answering import OTHERS, Asked, Usage

MOST_NAMES = 200
"""Clients, and versions that nobody knows, that are told apart in an hour."""


_HOUR = timedelta(hours=1)


class UsageCount:
    """Counts answers of the present hour. It is counted in one thread, and taken by another.

    Args:
        replica: The replica's name.
    """

    def __init__(self, replica: str) -> None:
        self._replica = replica
        self._asked: Counter[Asked] = Counter()
        self._clients: set[str] = set()
        self._strange: set[str] = set()
        self._hour: datetime | None = None
        self._ended: list[tuple[datetime, Counter[Asked]]] = []
        self._totals: Counter[tuple[str, GateAction]] = Counter()
        self._lock = Lock()

    def count(
        self, asked: tuple[str, str, GateAction], client: str, now: datetime, *, known: bool
    ) -> None:
        """Count one answer.

        Args:
            asked: Model, version and what was answered.
            client: Who asked.
            now: The present.
            known: Whether the version is one that the monitor knows.
        """
        model, version, action = asked
        with self._lock:
            if self._hour is None or not self._hour <= now < self._hour + _HOUR:
                self._turn(now)
            named = version if known else _named(version, self._strange)
            self._asked[Asked(model, named, _named(client, self._clients), action)] += 1
            self._totals[model, action] += 1

    @property
    def totals(self) -> dict[tuple[str, GateAction], int]:
        """Return model and action to how often that was answered since the start."""
        with self._lock:
            return dict(self._totals)

    def ended(self, now: datetime, *, last: bool = False) -> Sequence[Usage]:
        """Return the hours that have ended; with ``last`` also the present one."""
        with self._lock:
            if self._hour is not None and (last or now >= self._hour + _HOUR):
                self._turn(None)
            return [Usage(hour, self._replica, now, asked) for hour, asked in self._ended]

    def recorded(self, usage: Usage) -> None:
        """Forget an hour that is stored."""
        with self._lock:
            self._ended = [each for each in self._ended if each[1] is not usage.asked]

    def _turn(self, now: datetime | None) -> None:
        if self._hour is not None and self._asked:
            self._ended.append((self._hour, self._asked))
        self._asked, self._clients, self._strange = Counter(), set(), set()
        self._hour = None if now is None else now.replace(minute=0, second=0, microsecond=0)


def _named(name: str, names: set[str]) -> str:
    """Return a name if it is among the first of its hour; what asks as many is not listed."""
    if name not in names and len(names) >= MOST_NAMES:
        return OTHERS
    names.add(name)
    return name

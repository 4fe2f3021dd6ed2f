"""What the daemon knows of its own condition."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock


@dataclass(frozen=True, slots=True)
class Configuration:
    """How the newest attempt to load the configuration ended.

    Attributes:
        digest: sha256 of the configuration in force, in hexadecimal.
        loaded_at: When that one was loaded.
        successful: False when a newer one was refused.
    """

    digest: str
    loaded_at: datetime
    successful: bool = True


class Vitals:
    """Counts and instants that threads of one process report, for health and metrics.

    Args:
        models: Names of the configured models: each has its counters from the start, at 0.
        monotonic: A clock that never jumps, in seconds; the heartbeat's age is taken on it.
    """

    _COUNTERS = ("check_missed_runs", "check_overlapping_runs", "check_errors")

    def __init__(
        self, models: Iterable[str] = (), monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = Lock()
        self._monotonic = monotonic
        self._beaten = monotonic()
        self._heartbeat: datetime | None = None
        self._configuration: Configuration | None = None
        self._messages: Counter[str] = Counter()
        self._late: dict[str, tuple[int, int]] = {}
        names = tuple(models)
        self._checks = {counter: dict.fromkeys(names, 0) for counter in self._COUNTERS}

    def beat(self, now: datetime) -> None:
        """Note that the scheduler is alive."""
        with self._lock:
            self._heartbeat = now
            self._beaten = self._monotonic()

    def count_message(self, level: str) -> None:
        """Count a logged message."""
        with self._lock:
            self._messages[level] += 1

    def count_missed(self, model: str, times: int) -> None:
        """Count times that a check was due and passed over for a later one."""
        self._count("check_missed_runs", model, times)

    def count_overlap(self, model: str) -> None:
        """Count a check that was due while the one before had not ended."""
        self._count("check_overlapping_runs", model, 1)

    def count_error(self, model: str) -> None:
        """Count a check that ended in an unforeseen exception."""
        self._count("check_errors", model, 1)

    def looked_back(self, model: str, windows: int, files: int) -> None:
        """Note how many closed windows have changed since their results, and by how many files."""
        with self._lock:
            self._late[model] = (windows, files)

    def configured(self, configuration: Configuration) -> None:
        """Note how the newest attempt to load the configuration ended."""
        with self._lock:
            self._configuration = configuration

    @property
    def heartbeat(self) -> datetime | None:
        """Return when the scheduler last showed that it is alive; None before the first time."""
        with self._lock:
            return self._heartbeat

    @property
    def heartbeat_age(self) -> float:
        """Return seconds since the last heartbeat, or since the start when there was none yet."""
        with self._lock:
            return self._monotonic() - self._beaten

    @property
    def configuration(self) -> Configuration | None:
        """Return how the newest attempt to load the configuration ended; None before the first."""
        with self._lock:
            return self._configuration

    @property
    def messages(self) -> Mapping[str, int]:
        """Return the number of messages logged, by level."""
        with self._lock:
            return dict(self._messages)

    @property
    def late(self) -> Mapping[str, tuple[int, int]]:
        """Return model to closed windows that have changed, and files by which they have."""
        with self._lock:
            return dict(self._late)

    @property
    def checks(self) -> Mapping[str, Mapping[str, int]]:
        """Return counter name to model to count."""
        with self._lock:
            return {name: dict(counts) for name, counts in self._checks.items()}

    def _count(self, counter: str, model: str, times: int) -> None:
        with self._lock:
            counts = self._checks[counter]
            counts[model] = counts.get(model, 0) + times

"""What the daemon knows of its own condition."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from threading import Lock

from msgspec import Struct
from msgspec.structs import replace

from monitor.exposition.auditing import Audited
from monitor.exposition.gating import Gating
from monitor.exposition.leading import Leading
from monitor.exposition.registry import Mirroring


class Configuration(Struct, frozen=True):
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
        self._told: Callable[[], Leading] | None = None
        self._mirrored: Callable[[], Mirroring | None] | None = None
        self._gating: Callable[[], Gating] | None = None
        self._attested: Callable[[], Audited | None] | None = None
        self._pruned: datetime | None = None
        self._messages: Counter[str] = Counter()
        self._answers: Counter[int] = Counter()
        self._late: dict[str, tuple[int, int]] = {}
        watched = tuple(models)
        self._checks = {name: dict.fromkeys(watched, 0) for name in self._COUNTERS}

    def watch(self, models: Iterable[str]) -> None:
        """Note which models are configured now: others lose their counters, new ones begin at 0."""
        watched = tuple(models)
        with self._lock:
            for name, counts in self._checks.items():
                self._checks[name] = {model: counts.get(model, 0) for model in watched}
            self._late = {model: self._late[model] for model in watched if model in self._late}

    def refused(self) -> None:
        """Note that a newer configuration was refused: the one in force stays."""
        with self._lock:
            if self._configuration is not None:
                self._configuration = replace(self._configuration, successful=False)

    def beat(self, now: datetime) -> None:
        """Note that the scheduler is alive."""
        with self._lock:
            self._heartbeat = now
            self._beaten = self._monotonic()

    def count_answer(self, status: int) -> None:
        """Count an answer of the JSON interface."""
        with self._lock:
            self._answers[status] += 1

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
            if self._is_watched(model):
                self._late[model] = (windows, files)

    def stood_by(self) -> None:
        """Forget what only who leads knows, and tells: how closed windows have changed, and so on."""
        with self._lock:
            self._late = {}
            self._pruned = None

    def pruned(self, at: datetime | None) -> None:
        """Note when all that may go was pruned; None where nothing is, or another replica does."""
        with self._lock:
            self._pruned = at

    def led(self, told: Callable[[], Leading]) -> None:
        """Note whom to ask, at every scrape, whether this replica leads."""
        with self._lock:
            self._told = told

    @property
    def leading(self) -> Leading | None:
        """Return what this replica knows of the lease; None when there is nobody to ask."""
        with self._lock:
            told = self._told
        return None if told is None else told()

    def mirrored(self, told: Callable[[], Mirroring | None]) -> None:
        """Note whom to ask, at every scrape, how the model registry is."""
        with self._lock:
            self._mirrored = told

    @property
    def mirroring(self) -> Mirroring | None:
        """Return what is known of the registry; None without one, or where others look at it."""
        with self._lock:
            told = self._mirrored
        return None if told is None else told()

    def gated(self, told: Callable[[], Gating]) -> None:
        """Note whom to ask, at every scrape, what the gate answers."""
        with self._lock:
            self._gating = told

    @property
    def gating(self) -> Gating | None:
        """Return what the gate answers; None when there is nobody to ask."""
        with self._lock:
            told = self._gating
        return None if told is None else told()

    def attested(self, told: Callable[[], Audited | None]) -> None:
        """Note whom to ask, at every scrape, what the audit log is."""
        with self._lock:
            self._attested = told

    @property
    def audited(self) -> Audited | None:
        """Return what the audit log is; None before it was looked at, or without one."""
        with self._lock:
            told = self._attested
        return None if told is None else told()

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
    def pruned_at(self) -> datetime | None:
        """Return when all that may go was last pruned; None where nothing is."""
        with self._lock:
            return self._pruned

    @property
    def configuration(self) -> Configuration | None:
        """Return how the newest attempt to load the configuration ended; None before the first."""
        with self._lock:
            return self._configuration

    @property
    def answers(self) -> Mapping[int, int]:
        """Return the number of answers of the JSON interface, by status."""
        with self._lock:
            return dict(self._answers)

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
            if self._is_watched(model):
                self._checks[counter][model] += times

    def _is_watched(self, model: str) -> bool:
        """Return whether a model is configured: a check may end after it no longer is."""
        return model in self._checks[self._COUNTERS[0]]

"""Asking for the lease again and again, and knowing whether one has it."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

from monitor.domain.errors import StoreError
from monitor.domain.lease import Lease, Replica, Term
from monitor.engine.ports import Clock, Leases
from monitor.exposition.leading import Leading

ASKED = 3
"""How often a replica asks in the time that the lease is good for: two answers may be lost."""

_SOON = timedelta(seconds=0.1)
"""How long a replica waits that could take the lease when this has passed."""

_AGREED = timedelta(seconds=1)
"""Clocks that differ by less are the same."""

_log = logging.getLogger("modelmon")


class Leadership:
    """What one replica knows of its lease.

    It surely leads until ``ttl`` after it last *asked* with success, on a clock of its own that
    never jumps: the store counts from a later instant. What is written is checked in the store all
    the same, because a process may be paused between looking at a clock and writing.

    Args:
        leases: Where the lease is.
        replica: Who asks.
        ttl: How long the lease is good for without being renewed.
        clock: This machine's clock, which may be wrong.
        monotonic: A clock that never jumps, in seconds.
    """

    def __init__(
        self,
        leases: Leases,
        replica: Replica,
        ttl: timedelta,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases = leases
        self._replica = replica
        self._ttl = ttl
        self._clock = clock
        self._monotonic = monotonic
        self._lock = Lock()
        self._lease: Lease | None = None
        self._until = monotonic()
        self._pause = ttl.total_seconds() / ASKED
        self._takeovers = self._refused = self._failures = 0
        self._reachable = False
        self._skew = timedelta(0)
        self._stopping = Event()
        self._thread: Thread | None = None

    @property
    def replica(self) -> str:
        """Return the name of this replica."""
        return self._replica.name

    @property
    def term(self) -> Term | None:
        """Return the term in which this replica leads; None while it does not."""
        with self._lock:
            return self._term()

    @property
    def skew(self) -> timedelta:
        """Return the store's clock minus this machine's; 0 where they agree within a second."""
        with self._lock:
            return self._skew

    def told(self) -> Leading:
        """Return all that is known."""
        with self._lock:
            return Leading(
                leads=self._term() is not None,
                lease=self._lease,
                takeovers=self._takeovers,
                refused=self._refused,
                failures=self._failures,
                reachable=self._reachable,
                skew=self._skew,
            )

    def ask(self) -> bool:
        """Ask for the lease once, and return whether a term has begun.

        Raises:
            StoreError: The store cannot be reached.
        """
        asked, before = self._monotonic(), self._clock.now()
        lease, present = self._leases.ask(self._replica, self._ttl)
        skew = _skew(before, present, self._clock.now())
        left = max(lease.expires - present, _SOON).total_seconds()
        ours = lease.holder == self._replica.name
        with self._lock:
            last, self._lease, self._reachable = self._lease, lease, True
            self._until = asked + self._ttl.total_seconds() if ours else asked
            skewed, self._skew = bool(skew) and not self._skew, skew
            self._pause = min(self._ttl.total_seconds() / ASKED, left)
            new = last is None or last.term != lease.term
            self._takeovers += new and ours
        if skewed:
            _log.warning("this machine's clock differs from the store's, which is used: %s", skew)
        if new:
            self._tell(last, lease)
        return new and ours

    def refused(self, term: Term) -> None:
        """Note that a write was refused: the term is over, whatever the clock says."""
        with self._lock:
            self._refused += 1
            if self._lease is not None and self._lease.term == term:
                self._until = self._monotonic()

    def start(self, began: Callable[[], None], ended: Callable[[], None]) -> None:
        """Ask again and again, in a thread.

        Args:
            began: Called when a term begins; it does not wait for anything.
            ended: Called when the thread has ended, told to or not.
        """
        self._thread = Thread(target=self._keep, args=(began, ended), name="lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more, and let another replica lead at once."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(self._ttl.total_seconds())
        with self._lock:
            lease, self._until = self._lease, self._monotonic()
        if lease is None or lease.holder != self._replica.name:
            return
        try:
            self._leases.release(lease.term)
        except StoreError as error:
            _log.warning("the lease is not released and expires by itself: %s", error)

    def _term(self) -> Term | None:
        leads = self._lease is not None and self._monotonic() < self._until
        return self._lease.term if self._lease is not None and leads else None

    def _keep(self, began: Callable[[], None], ended: Callable[[], None]) -> None:
        try:
            while not self._stopping.wait(self._pause):
                if self._try():
                    began()
        finally:
            ended()

    def _try(self) -> bool:
        """Ask once; an unreachable store is logged when it begins and when it ends."""
        failed = not self._reachable
        try:
            began = self.ask()
        except StoreError as error:
            with self._lock:
                self._failures += 1
                self._reachable = False
                self._pause = self._ttl.total_seconds() / ASKED
            if not failed:
                _log.error(
                    "the store cannot be asked for the lease, which is tried again: %s", error
                )
            return False
        if failed:
            _log.info("the store can be asked for the lease again")
        return began

    def _tell(self, last: Lease | None, lease: Lease) -> None:
        if lease.holder == self._replica.name:
            _log.info("leading in term %d, as %s", lease.token, lease.holder)
        elif last is not None and last.holder == self._replica.name:
            _log.warning("no longer leading: %s leads in term %d", lease.holder, lease.token)
        else:
            _log.info("standing by: %s leads in term %d", lease.holder, lease.token)


class AgreedClock:
    """The machine's clock, set right by the store's, which all replicas share.

    Which windows are complete is a question of the time of day. A replica whose clock is an hour
    fast would judge a window before its rows are there.

    Args:
        clock: The machine's.
        leadership: Knows how far it is off.
    """

    def __init__(self, clock: Clock, leadership: Leadership) -> None:
        self._clock = clock
        self._leadership = leadership

    def now(self) -> datetime:
        """Return the present instant."""
        return self._clock.now() + self._leadership.skew


def _skew(before: datetime, present: datetime, after: datetime) -> timedelta:
    """Return by how much, at the least, the store's clock is ahead of the machine's.

    Args:
        before: The machine's clock when the store was asked.
        present: What the store answered.
        after: The machine's clock when the answer had come.
    """
    off = present - after if present > after else min(present - before, timedelta(0))
    return off if abs(off) >= _AGREED else timedelta(0)

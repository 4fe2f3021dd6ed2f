"""The registry is looked at again and again, and told what waits."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.errors import FencedError, StoreError
from monitor.domain.lease import Term
from monitor.domain.policy import Policy
from monitor.domain.registry import Errand
from monitor.domain.settings import RegistrySettings
from monitor.engine.errands import Delivery, deliver
from monitor.engine.mirrored import StoredAuthority
from monitor.engine.monitoring_runs import monitoring_runs, results_errands
from monitor.engine.ports import Clock, Store
from monitor.engine.registry import Authority, MonitoringRun, Registry
from monitor.engine.registry_look import Entries, Looked, look_at_all
from monitor.engine.registry_poll import Link
from monitor.engine.run import Outside
from monitor.exposition.registry import Mirroring
from monitor.registry.connection import open_registry

_log = logging.getLogger("modelmon")

_MOVED = 2.0
"""Seconds from a version's move to the round that tells it, at the most."""

_APART = 1.0
"""Seconds from one look to the next at the least, however often somebody asks for one."""

_REST = 0.1
"""Seconds between two rounds at the least, however long the registry takes for one."""


class Registered(Struct, frozen=True):
    """What the rounds are about.

    Attributes:
        registry: The registry.
        store: Where looks and errands are remembered.
        authority: Who decides whether a version may act, as a store has it.
        clock: The time of day.
        policies: Returns the policies in force.
        term: Returns the term in which this replica leads; None while it does not.
        reverts: How often within an hour what others wrote is written back.
    """

    registry: Registry
    store: Store
    authority: Callable[[Store], Authority]
    clock: Clock
    policies: Callable[[], Mapping[str, Policy]]
    term: Callable[[], Term | None]
    reverts: int


class RegistryRounds:
    """Looks at every model in its registry, and tells the registry what waits, round after round.

    Only who leads does it. A registry that is away is told of once, and once when it is back.

    Args:
        about: What the rounds are about.
        every: Time between two rounds.
    """

    def __init__(self, about: Registered, every: timedelta) -> None:
        self._about = about
        self._every = every.total_seconds()
        self._asked = Event()
        self._stopping = Event()
        self._thread: Thread | None = None
        self._lock = Lock()
        self._known: Mirroring | None = None
        self._oldest: datetime | None = None
        self._since: datetime | None = None
        self._due: float | None = None
        self._looked = 0.0
        self._written: dict[str, int] = {}
        self._standing = 0
        self._term: Term | None = None

    def told(self) -> Mirroring | None:
        """Return what is known of the registry; None while another replica leads."""
        if self._about.term() is None:
            return None
        with self._lock:
            known, oldest, since = self._known, self._oldest, self._since
        if self._has_died():  # by what nobody has thought of: nothing is looked at any more
            known = replace(known or Mirroring(up=False), up=False)
        if known is None:
            return None
        if known.waiting is not None:
            known = replace(known, oldest_seconds=self._seconds_since(oldest))
        return replace(known, unreachable_seconds=self._seconds_since(since))

    def _has_died(self) -> bool:
        thread = self._thread
        return not (thread is None or thread.is_alive() or self._stopping.is_set())

    def _seconds_since(self, instant: datetime | None) -> float:
        if instant is None:
            return 0
        return max((self._about.clock.now() - instant).total_seconds(), 0)

    def ask(self) -> None:
        """Have a round begin now: somebody says that the registry has changed."""
        self._asked.set()

    def start(self) -> None:
        """Begin the rounds, in a thread."""
        self._thread = Thread(target=self._keep, name="registry", daemon=True)
        self._thread.start()

    def stop(self, timeout: timedelta) -> bool:
        """Begin no further call, and wait for the one under way; return whether it ended."""
        self._stopping.set()
        self._asked.set()
        if self._thread is None:
            return True
        self._thread.join(timeout.total_seconds())
        return not self._thread.is_alive()

    def round(self) -> None:
        """Look at every model once, then tell the registry what it has not taken."""
        term = self._about.term()
        if term is None:
            return
        if term != self._term:  # others have led since
            self._term, self._written = term, {}
        store = self._about.store.under(term)
        try:
            self._standing = store.standing_changes()  # first: what is moved later is told later
            self._look(store)
        except FencedError as error:
            _log.warning("the registry is left to who leads now: %s", error)
        except StoreError as error:
            _log.error("what the registry has cannot be stored, and is looked at again: %s", error)
            self._note(lambda known: replace(known, waiting=None))

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self._asked.clear()
            self._due = time.monotonic() + self._every
            self._looked = time.monotonic()
            self.round()
            self._stopping.wait(max(self._looked + _APART - time.monotonic(), _REST))
            while (left := self._due - time.monotonic()) > 0:
                if self._asked.wait(min(left, _MOVED)) or self._has_moved():
                    break

    def _is_due(self) -> bool:
        """Return whether there is something to do that goes before results of windows."""
        late = self._due is not None and time.monotonic() >= self._due
        return late or self._asked.is_set() or self._has_moved()

    def _has_moved(self) -> bool:
        """Return whether a version was moved since the last round: the registry is told at once."""
        if self._about.term() is None:
            return False
        try:
            return self._about.store.standing_changes() != self._standing
        except StoreError as error:
            _log.debug("standings are looked at again in the next round: %s", error)
            return False

    def _look(self, store: Store) -> None:
        entries = {
            name: (policy, policy.governance.registry)
            for name, policy in self._about.policies().items()
            if policy.governance.registry is not None
        }
        if not entries:  # nobody is asked, so nothing is known
            with self._lock:
                self._known = None
            return
        about = self._about
        link = Link(
            about.registry, store, about.authority(store), about.clock, reverts=about.reverts
        )
        looked = look_at_all(entries, link, self._stopping.is_set)
        self._looked = time.monotonic()
        _tell(looked)
        self._note(lambda known: _seen(known, looked, entries, about.clock.now()))
        self._results(store, entries)
        if not looked.away:
            self._deliver(store, entries, at_once=looked.news)
        backlog, since = store.backlog(), store.outage(about.registry.shown)
        with self._lock:
            self._oldest, self._since = backlog.oldest, since
        self._note(lambda known: replace(known, waiting=backlog.waiting))

    def _results(self, store: Store, entries: Entries) -> None:
        """Have the registry told of windows that have been run since the last round."""
        changes = store.changes()
        for name in entries:
            if changes.get(name) != self._written.get(name):
                heads = store.heads(name).values()
                store.send(results_errands(name, heads, self._about.clock.now()))
                self._written[name] = changes.get(name, 0)

    def _deliver(self, store: Store, entries: Entries, *, at_once: bool) -> None:
        def results(errand: Errand) -> list[MonitoringRun]:
            return list(monitoring_runs(errand, store))

        names = {name: entry.name for name, (_, entry) in entries.items()}
        about = self._about
        delivery = Delivery(
            about.registry,
            store,
            about.clock,
            names,
            results,
            self._stopping.is_set,
            self._is_due,
        )
        deliver(delivery, at_once=at_once)

    def _note(self, change: Callable[[Mirroring], Mirroring]) -> None:
        with self._lock:
            self._known = change(self._known or Mirroring(up=False))


def _seen(known: Mirroring, looked: Looked, listed: Collection[str], at: datetime) -> Mirroring:
    """Return what is known after a look; of a model that was missed it stays as it was."""
    models = {name: each.found for name, each in looked.polled.items()}
    outside = {name: bool(each.outside) for name, each in looked.polled.items()}
    return replace(
        known,
        up=looked.up,
        looked_at=at if looked.up else known.looked_at,
        models=_of(listed, {**known.models, **models}),
        outside=_of(listed, {**known.outside, **outside}),
    )


def _of(listed: Collection[str], known: Mapping[str, bool]) -> Mapping[str, bool]:
    return {name: value for name, value in known.items() if name in listed}


def _tell(looked: Looked) -> None:
    for name, polled in looked.polled.items():
        for change in polled.changes:
            _log.info(
                "registry: %s %s %s: %r to %r",
                change.kind,
                change.version,
                change.name,
                change.before[:80],
                change.after[:80],
                extra={"model": name},
            )
    for name, error in looked.missed.items() if looked.news else ():
        _log.error(
            "the registry cannot be looked at; what it is to be told waits: %s",
            error,
            extra={"model": name},
        )
    if looked.news and not looked.missed:
        _log.info("the registry can be looked at again")


def rounds_of(
    settings: RegistrySettings | None,
    outside: Outside,
    policies: Callable[[], Mapping[str, Policy]],
    term: Callable[[], Term | None],
) -> RegistryRounds | None:
    """Return what looks at the registry round after round; None where the settings name none.

    Args:
        settings: The registry's settings.
        outside: Where it is remembered.
        policies: Returns the policies in force.
        term: Returns the term in which this replica leads.

    Raises:
        RegistryError: The certificates to trust cannot be read.
    """
    if settings is None:
        return None
    clock = outside.clock
    about = Registered(
        registry=open_registry(settings),
        store=outside.store,
        authority=lambda store: StoredAuthority(store, clock),
        clock=clock,
        policies=policies,
        term=term,
        reverts=settings.reverts_per_hour,
    )
    return RegistryRounds(about, settings.poll_every)

"""The audit log is looked at again and again: its head is shown, its state added up, its hour told."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from typing import TextIO

from msgspec import Struct

from monitor.domain.errors import AuditError, FencedError, StoreError, WitnessError
from monitor.domain.lease import Term
from monitor.domain.settings import DaemonSettings
from monitor.engine.ports import Clock
from monitor.exposition.auditing import Audited, Cosigned
from monitor.governance.cosignature import witness_key_of
from monitor.governance.events import EventType
from monitor.governance.log import Happened, LogHead
from monitor.governance.note import Note
from monitor.governance.record import AuditEvent
from monitor.scheduling.cosigning import show
from monitor.store.audit import Auditing
from monitor.store.audit_watch import LOG
from monitor.store.audit_witnesses import AuditWitnesses
from monitor.store.witness import line_of
from monitor.witness.tlog import HttpWitness

EVERY = timedelta(seconds=5)
"""How often the head of the log is read: a scrape shows a log that is at most so old."""

BEAT = timedelta(hours=1)
"""How long the log may be without a heartbeat."""

COSIGNED = timedelta(minutes=1)
"""How often witnesses are shown the newest checkpoint."""

ADDED_UP = timedelta(minutes=10)
"""How often what is stored is held against what the log adds up to."""

_log = logging.getLogger("modelmon")


class Attested(Struct, frozen=True):
    """What the rounds are about.

    Attributes:
        log: The audit log.
        clock: The time of day.
        term: Returns the term in which this replica leads; None while it does not.
        witnesses: Who cosigns it.
        lines: Where each new checkpoint is written as a line; None for nowhere.
    """

    log: AuditWitnesses
    clock: Clock
    term: Callable[[], Term | None]
    witnesses: Sequence[HttpWitness] = ()
    lines: TextIO | None = None


class AuditRounds:
    """Looks at the newest audit log round after round, in a thread of its own.

    Every replica shows the log's head. The one that leads also writes a heartbeat each hour, and
    adds up the log.

    Args:
        about: What the rounds are about.
    """

    def __init__(self, about: Attested) -> None:
        self._about = about
        self._stopping = Event()
        self._thread: Thread | None = None
        self._lock = Lock()
        self._known: Audited | None = None
        self._differences: int | None = None
        self._added_up: datetime | None = None
        self._shown: datetime | None = None
        self._witnesses: Mapping[str, Cosigned] = {}
        self._away: set[str] = set()
        self._term: Term | None = None
        self._written: Note | None = None
        self._failing = False

    def told(self) -> Audited | None:
        """Return what is known of the log; None before it was looked at, or without one."""
        with self._lock:
            return self._known

    def start(self) -> None:
        """Look once, and then again and again."""
        self._try(self.round)
        self._thread = Thread(target=self._keep, name="audit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no further round, wait for the one under way, and record that none follows."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._try(self._end)

    def round(self) -> None:
        """Do what is due.

        Raises:
            StoreError: The database cannot be read or written.
        """
        self._note(self._about.log.head())
        term = self._about.term()
        if term != self._term:  # others may have led since
            self._term, self._added_up, self._differences = term, None, None
            self._shown, self._witnesses = None, {}
        if term is not None:
            now = self._about.clock.now()
            self._beat(now, term)
            self._add_up(now)
            self._show(now, term)
            self._note(self._about.log.head())
        self._write()

    def _note(self, head: LogHead | None) -> None:
        with self._lock:
            self._known = (
                None
                if head is None
                else Audited(head.checkpoint, head.at, self._differences, self._witnesses)
            )

    def _beat(self, now: datetime, term: Term) -> None:
        found = self._about.log.beaten()
        if found is None:
            return
        last, rests = found
        if rests or now - last >= BEAT:
            told = {"since": last.astimezone(UTC).isoformat(timespec="seconds")}
            event = AuditEvent(EventType.LOG_HEARTBEAT, LOG, data=dict(told))
            self._about.log.record([Happened(now, event)], term)

    def _end(self) -> None:
        """Record that no heartbeat follows, if this replica leads."""
        term, found = self._about.term(), self._about.log.beaten()
        if term is not None and found is not None:
            event = AuditEvent(EventType.LOG_RESTED, LOG)
            self._about.log.record([Happened(self._about.clock.now(), event)], term)
        self._write()

    def _add_up(self, now: datetime) -> None:
        if self._added_up is not None and timedelta(0) <= now - self._added_up < ADDED_UP:
            return
        found = self._about.log.differences()
        self._added_up, self._differences = now, len(found)
        for told in found:
            _log.error("stored otherwise than the audit log adds up to: %s", told)

    def _write(self) -> None:
        """Write the newest checkpoint to where it is collected, whoever made it."""
        lines, known = self._about.lines, self._known
        if lines is None or known is None or known.at is None:
            return
        note = self._about.log.newest_checkpoint()
        if note is not None and note != self._written:
            try:
                lines.write(line_of(note, self._about.clock.now()))
                lines.flush()
            except OSError as error:
                told = "a checkpoint could not be written to standard output"
                raise AuditError(f"{told}: {error}") from error
            self._written = note

    def _show(self, now: datetime, term: Term) -> None:
        """Show each witness the newest checkpoint, and note what they have said so far."""
        if self._shown is not None and timedelta(0) <= now - self._shown < COSIGNED:
            return
        self._shown, log = now, self._about.log
        for witness in self._about.witnesses:
            name = witness.key.name
            try:
                show(log, witness, now, term)
            except WitnessError as error:
                if name not in self._away:
                    _log.warning("a witness cannot cosign, and is asked again: %s", error)
                self._away.add(name)
            else:
                self._away.discard(name)
        known = {each.key.name: log.known(each.key.name) for each in self._about.witnesses}
        self._witnesses = {
            name: Cosigned(each.size, each.at, refuses=each.refused_at is not None)
            for name, each in known.items()
        }

    def _keep(self) -> None:
        while not self._stopping.wait(EVERY.total_seconds()):
            self._try(self.round)

    def _try(self, step: Callable[[], None]) -> None:
        """Do something with the log; tell once when it fails, and once when it works again."""
        try:
            step()
        except FencedError as error:
            _log.debug("the audit log is left to who leads now: %s", error)
        except StoreError as error:
            if not self._failing:
                _log.error("the audit log cannot be kept, and is looked at again: %s", error)
            self._failing = True
        else:
            if self._failing:
                _log.info("the audit log is kept again")
            self._failing = False


def attested(
    settings: DaemonSettings,
    auditing: Auditing,
    clock: Clock,
    term: Callable[[], Term | None],
) -> Attested:
    """Return what the rounds are about, as the settings want it.

    Args:
        settings: The database and the witnesses.
        auditing: How what is written is signed.
        clock: The time of day.
        term: Returns the term in which this replica leads.
    """
    witnesses = [HttpWitness(url, witness_key_of(key)) for url, key in settings.audit_witnesses]
    log = AuditWitnesses(settings.store_url, auditing)
    return Attested(
        log, clock, term, tuple(witnesses), sys.stdout if settings.audit_stdout else None
    )

"""Keeping the gate: what it answers follows the store, and what it answered is recorded."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from msgspec.structs import replace
from starlette.types import ASGIApp

from monitor.domain.errors import AuditError, FencedError, StoreError
from monitor.domain.governance import GateAction
from monitor.domain.lease import Term
from monitor.domain.policy import Policy
from monitor.domain.settings import DaemonSettings
from monitor.engine.answering import Answered, Answers, ModelAnswers, answers_for
from monitor.engine.authority import Authorities
from monitor.engine.ports import Clock
from monitor.engine.unwatched import unwatched
from monitor.exposition.gating import Gating
from monitor.governance.note import SigningKey
from monitor.governance.reckoning import Doubts
from monitor.scheduling.leadership import Leadership
from monitor.store.keys import read_key
from monitor.web.access.asking import Doorkeeper
from monitor.web.gate.board import Board, Known
from monitor.web.gate.door import GateDoor
from monitor.web.gate.endpoints import GateEndpoints
from monitor.web.gate.issue import Issuer
from monitor.web.gate.usage import UsageCount

EVERY = timedelta(seconds=0.25)
"""How often the store is asked for changes: a version that is held is refused within a second."""

ANEW = timedelta(seconds=30)
"""How often everything is read again, changed or not."""

UNWATCHED = "unwatched: no file names the model, so nobody watches it"
"""Why nothing may act of a model whose file is gone."""

_log = logging.getLogger("modelmon")


def gate_key(settings: DaemonSettings) -> SigningKey | None:
    """Return the key that signs permits; None where no file is named.

    Raises:
        AuditError: The key, or the audit log's, cannot be read, or they are the same one.
    """
    if settings.gate_key is None:
        return None
    key = read_key(Path(settings.gate_key), "the gate", "modelmon gate init")
    if settings.audit_key is not None and read_key(Path(settings.audit_key)).seed == key.seed:
        raise AuditError(
            "the gate's key is the audit log's: whoever serves permits could sign the log; make one"
            " of its own by `modelmon gate init`"
        )
    return key


class GateStore(Authorities, Answers, Protocol):
    """What the gate needs of the store."""

    def under(self, term: Term) -> "GateStore":
        """Return the same store, whose writes are refused once a term is over."""
        ...


class Gatekeeper:
    """Holds the board against the store again and again, in a thread of its own.

    Every replica answers. The one that leads records the changes of answers, and each its own usage.

    Args:
        board: What is answered.
        usage: Who asked.
        store: Where versions stand.
        policies: The policies in force.
        doubted: Why what is stored cannot be believed, as of now.
        term: The term in which this replica leads; None while it does not.
        clock: The time of day.
    """

    def __init__(  # noqa: PLR0917  # seven nouns, each of another type
        self,
        board: Board,
        usage: UsageCount,
        store: GateStore,
        policies: Callable[[], Sequence[Policy]],
        doubted: Callable[[], Doubts],
        term: Callable[[], Term | None],
        clock: Clock,
    ) -> None:
        self._board = board
        self._usage = usage
        self._store = store
        self._policies = policies
        self._doubted = doubted
        self._doubts = Doubts()
        self._term = term
        self._clock = clock
        self._seen: tuple[int, tuple[str, ...]] | None = None
        self._read_at = 0.0
        self._recorded: tuple[Term, int] | None = None
        self._failing = False
        self._stopping = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to follow the store."""
        self._thread = Thread(target=self._follow, name="gate", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let nobody wait any longer, and record the usage of the hour that has begun."""
        self._board.close()
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Hold the board against the store once.

        Raises:
            StoreError: The store cannot be read, or not be written; what could be read is answered.
        """
        policies = self._policies()
        seen = (self._store.standing_changes(), tuple(policy.digest for policy in policies))
        if seen == self._seen and self._board.monotonic() < self._read_at + ANEW.total_seconds():
            self._board.confirm()
        else:
            now = self._clock.now()
            ledgers = {policy.model: self._store.ledger(policy.model) for policy in policies}
            doubts = self._believe()  # of what was read, and not of what is written after it
            models = {
                policy.model: answers_for(
                    policy, ledgers[policy.model], now, doubts.of(policy.model)
                )
                for policy in policies
            }
            gone = frozenset(model for model, _ in unwatched(self._store, models))
            self._board.exchange(Known(models, self._store.checkpoint(), gone))
            self._seen, self._read_at = seen, self._board.monotonic()
        now = self._clock.now()
        self._record(now)
        self._record_usage(now)

    def _believe(self) -> Doubts:
        """Return why what is stored cannot be believed; tell when that becomes otherwise."""
        doubts = self._doubted()
        if doubts != self._doubts:
            for model in sorted(doubts.models):
                _log.error("no version may act: %s", doubts.of(model), extra={"model": model})
            if doubts.log:
                _log.error("no version of any model may act: %s", doubts.of(""))
            if doubts == Doubts():
                _log.info("what is stored is what the audit log adds up to again")
        self._doubts = doubts
        return doubts

    def _follow(self) -> None:
        self._try(self.look)
        while not self._stopping.wait(EVERY.total_seconds()):
            self._try(self.look)
        self._try(lambda: self._record_usage(self._clock.now(), last=True))

    def _try(self, step: Callable[[], None]) -> None:
        """Do something with the store; tell once when it fails, and once when it works again."""
        try:
            step()
        except StoreError as error:
            if not self._failing:
                _log.error("the gate cannot use the store, and its permits lapse: %s", error)
            self._failing = True
        else:
            if self._failing:
                _log.info("the gate can use the store again")
            self._failing = False

    def _record(self, now: datetime) -> None:
        """Record what is answered otherwise than was recorded last, if this replica leads."""
        term, generation = self._term(), self._board.generation
        if term is None or self._recorded == (term, generation):
            return
        store = self._store.under(term)
        try:
            known = self._board.known.models
            for answers in known.values():
                _record_changes(store, answers, now)
            for model in sorted(store.known_models() - known.keys()):
                _record_gone(store, model, now)
        except FencedError as error:
            _log.debug("the replica that leads now records it: %s", error)
            return
        self._recorded = (term, generation)

    def _record_usage(self, now: datetime, *, last: bool = False) -> None:
        for usage in self._usage.ended(now, last=last):
            self._store.record_usage(usage)
            self._usage.recorded(usage)


class Gatehouse:
    """The gate of one replica: what answers, what keeps it, and what is said of it on the metrics page.

    Args:
        store: Where versions stand.
        policies: The policies in force.
        doubted: Why what is stored cannot be believed, as of now.
        key: Signs permits; None: none are given.
        leadership: Whether this is the replica that records.
        alive: Whether the daemon does what permits rest on, and a sentence.
        clock: The time of day.
    """

    def __init__(  # noqa: PLR0917  # seven nouns, each of another type
        self,
        store: GateStore,
        policies: Callable[[], Sequence[Policy]],
        doubted: Callable[[], Doubts],
        key: SigningKey | None,
        leadership: Leadership,
        alive: Callable[[], tuple[bool, str]],
        clock: Clock,
    ) -> None:
        self._board, self._usage = Board(alive), UsageCount(leadership.replica)
        self._issuer = None if key is None else Issuer(key)
        self._clock = clock
        self._keeper = Gatekeeper(
            self._board, self._usage, store, policies, doubted, lambda: leadership.term, clock
        )

    def before(self, rest: ASGIApp, door: Doorkeeper) -> GateEndpoints:
        """Return an application that answers what the gate is asked, and hands on the rest.

        Args:
            rest: The rest.
            door: Tells who asks.
        """
        now, issuer = self._clock.now, self._issuer
        return GateEndpoints(rest, self._board, issuer, self._usage, now, GateDoor(door))

    def start(self) -> None:
        """Begin to answer."""
        self._keeper.start()

    def stop(self) -> None:
        """Let nobody wait any longer, and record what was asked."""
        self._keeper.stop()

    def told(self) -> Gating:
        """Return what is said of the gate on the metrics page."""
        known = self._board.known
        models = known.models
        return Gating(
            age=self._board.age,
            answers={
                (model, version): answer.action.value
                for model, answers in models.items()
                for version, answer in answers.by_version.items()
            },
            asked={
                (model, action.value): times
                for (model, action), times in self._usage.totals.items()
            },
            longest={
                model: answers.governance.gate.ttl + answers.governance.gate.stale_grace
                for model, answers in models.items()
            },
            doubted={model: bool(answers.doubt) for model, answers in models.items()},
            unwatched=dict.fromkeys(models, False) | dict.fromkeys(sorted(known.unwatched), True),
        )


def _record_gone(store: GateStore, model: str, now: datetime) -> None:
    """Record that no version of a model may act any more that no file names, as is answered."""
    gone = [
        replace(
            newest,
            at=now,
            answer=replace(
                newest.answer, action=GateAction.DENY, conditions={}, reasons=(UNWATCHED,)
            ),
        )
        for newest in store.newest_answers(model).values()
        if newest.answer.reasons != (UNWATCHED,)
    ]
    if gone:
        _log.warning("no file names the model %s any more: nothing of it may act", model)
        store.record_answers(gone)


def _record_changes(store: GateStore, answers: ModelAnswers, now: datetime) -> None:
    before = store.newest_answers(answers.policy.model)
    rule = answers.governance.gate
    changed = [
        Answered(now, answer, rule.ttl + rule.stale_grace)
        for version, answer in answers.by_version.items()
        if version not in before or before[version].answer.digest != answer.digest
    ]
    if changed:
        store.record_answers(changed)

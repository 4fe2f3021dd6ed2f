"""What the gate answers, in memory: exchanged whole by one thread, read by the web server's."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Lock
from typing import Any

from msgspec import Struct, field

from monitor.engine.answering import ModelAnswers

OLDEST = timedelta(seconds=10)
"""How long answers hold without having been held against the store: no permit is given after."""

MOST_WAITING = 1000
"""Requests that may wait at a time for another answer."""


class Known(Struct, frozen=True):
    """Everything that the gate answers, as of one look at the store.

    Attributes:
        models: Model to its answers.
        log: Size and root, in hexadecimal, of the audit log's newest checkpoint.
        unwatched: Models with versions to be answered for that no file names.
    """

    models: Mapping[str, ModelAnswers] = field(default_factory=dict)
    log: tuple[int, str] = (0, "")
    unwatched: frozenset[str] = frozenset()


class CrowdedError(Exception):
    """So many wait for another answer already that nobody else may."""


class Board:
    """What is answered, and who waits for it to change.

    Args:
        alive: Whether the daemon does what permits rest on, and a sentence.
        monotonic: A clock that never jumps, in seconds.
    """

    def __init__(
        self,
        alive: Callable[[], tuple[bool, str]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alive = alive
        self.monotonic = monotonic
        self._known = Known()
        self._confirmed: float | None = None
        self._closed = False
        self._generation = 0
        self._lock = Lock()
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    @property
    def known(self) -> Known:
        """Return what is answered now."""
        return self._known

    @property
    def generation(self) -> int:
        """Return how often the answers were exchanged."""
        return self._generation

    @property
    def age(self) -> float | None:
        """Return seconds since the answers were last held against the store; None before that."""
        return None if self._confirmed is None else self.monotonic() - self._confirmed

    @property
    def closed(self) -> bool:
        """Return whether the daemon is stopping."""
        return self._closed

    @property
    def trouble(self) -> str:
        """Return why nothing can be answered now; "" when it can."""
        age = self.age
        if age is None:
            return "the gate has not read the store yet"
        if age > OLDEST.total_seconds():
            return f"the gate could not read the store for {age:.0f} s"
        alive, sentence = self._alive()
        return "" if alive else sentence

    def confirm(self) -> None:
        """Note that the store says nothing else."""
        self._confirmed = self.monotonic()

    def exchange(self, known: Known) -> None:
        """Answer otherwise from now on, and wake whoever waits for that."""
        with self._lock:
            self._known = known
            self._generation += 1
            self.confirm()
            self._wake()

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._lock:
            self._closed = True
            self._wake()

    async def changed(self, generation: int, within: float, gone: asyncio.Future[None]) -> None:
        """Wait until answers were exchanged, the time is over or the asker has gone.

        Args:
            generation: What `generation` was before the asker's answer was looked up.
            within: Seconds.
            gone: Ends when the asker has gone.

        Raises:
            CrowdedError: Too many wait already.
        """
        event = asyncio.Event()
        with self._lock:
            if self._closed or generation != self._generation:
                return
            if len(self._waiting) >= MOST_WAITING:
                raise CrowdedError
            self._waiting[event] = asyncio.get_running_loop()
        waiting = asyncio.ensure_future(event.wait())
        try:
            both: set[asyncio.Future[Any]] = {waiting, gone}
            await asyncio.wait(both, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            with self._lock:
                self._waiting.pop(event, None)

    def _wake(self) -> None:
        for event, loop in self._waiting.items():
            loop.call_soon_threadsafe(event.set)

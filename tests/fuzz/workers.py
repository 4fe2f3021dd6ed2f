"""Trials in processes of their own: bounded in memory and time, and allowed to die."""

import contextlib
import resource
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from tests.fuzz.mutants import mutant
from tests.fuzz.trial import Bench, Ended

MEMORY = 2**30
"""Bytes that a worker may ask for beyond what it holds when it is ready."""

SECONDS = 20.0
"""Time for one mutant; most take a fiftieth of a second."""

BATCH = 50
"""Mutants that a worker is given at a time."""


def try_mutants(seeds: Iterable[int], workers: int = 1) -> Iterator[tuple[int, Ended]]:
    """Yield how the mutant of each seed ended, in any order; a worker that dies is replaced."""
    waiting = deque(seeds)
    running = [_Worker() for _ in range(workers)]
    try:
        while waiting or any(worker.given for worker in running):
            for worker in running:
                worker.give(waiting)
            ready = wait([worker.connection for worker in running], timeout=0.5)
            for place, worker in enumerate(running):
                if worker.connection in ready or worker.late():
                    ended = worker.answer()
                    yield ended
                    if not worker.alive:
                        waiting.extendleft(reversed(worker.given))
                        worker.close()
                        running[place] = _Worker()
    finally:
        for worker in running:
            worker.close()


@dataclass
class _Worker:
    """A process that tries one mutant after the other.

    Attributes:
        given: Seeds that it has not answered yet, in their order.
        alive: Whether it can go on.
    """

    given: deque[int] = field(default_factory=deque)
    alive: bool = True

    def __post_init__(self) -> None:
        spawning = get_context("spawn")
        self.connection, there = spawning.Pipe()
        self._process = spawning.Process(target=_serve, args=(there,), daemon=True)
        self._process.start()
        there.close()
        self._since = time.monotonic() + SECONDS  # it has to start first

    def give(self, waiting: deque[int]) -> None:
        if self.given or not waiting:
            return
        self.given.extend(waiting.popleft() for _ in range(min(BATCH, len(waiting))))
        with contextlib.suppress(BrokenPipeError):  # it died: `answer` finds out
            self.connection.send(list(self.given))
        self._since = max(self._since, time.monotonic())

    def late(self) -> bool:
        return bool(self.given) and time.monotonic() - self._since > SECONDS

    def answer(self) -> tuple[int, Ended]:
        """Return how the next seed ended."""
        seed = self.given.popleft()
        self._since = time.monotonic()
        try:
            if self.connection.poll():
                return seed, self.connection.recv()
        except (EOFError, ConnectionResetError):  # the latter while it has seeds to read
            self.alive = False
            self._process.join(SECONDS)
            return seed, Ended("died", f"the process ended with {self._how()}")
        self.alive = False
        self._process.kill()
        return seed, Ended("took too long", f"no answer in {SECONDS:g} s")

    def close(self) -> None:
        self.connection.close()
        self._process.join(SECONDS)
        assert self._process.exitcode is not None

    def _how(self) -> str:
        code = self._process.exitcode
        return signal.Signals(-code).name if code is not None and code < 0 else str(code)


def _serve(connection: Connection) -> None:
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        _limit_memory()
        while True:
            try:
                seeds: list[int] = connection.recv()
            except EOFError:
                return
            for seed in seeds:
                connection.send(bench.tried(mutant(seed)))


def _limit_memory() -> None:
    pa.set_cpu_count(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    bound = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))

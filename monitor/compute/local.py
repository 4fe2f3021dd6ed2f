"""Tasks in this process: in turn, or on threads."""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from threading import Lock

import numpy as np
from msgspec.structs import replace

from monitor.engine.counting import Counted, Task
from monitor.engine.progress import Progress

AHEAD = 2
"""Tasks for each worker that may be under way, or done and not yet added: bounds the memory."""

LARGE_ROWS = 250_000
"""A file with so many rows is read alone, its columns divided over all threads: no more memory is
needed than for one file, and nothing waits for a last file that came late."""

Count = Callable[[Task], Counted]

_FREED = 16 * 2**20
_SWITCHED = 0.0005  # seconds


class Turns:
    """How many jobs share the workers at the moment."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._jobs = 0
        self._lock = Lock()

    def __enter__(self) -> None:
        """Begin a job."""
        with self._lock:
            self._jobs += 1

    def __exit__(self, *_: object) -> None:
        """End a job."""
        with self._lock:
            self._jobs -= 1

    @property
    def share(self) -> int:
        """Return the workers of one job, at least one."""
        with self._lock:
            return max(1, self._workers // max(1, self._jobs))


@dataclass(frozen=True)
class LocalCompute:
    """Maps tasks over threads of this process, as `monitor.engine.ports.Compute`.

    Threads are as fast as processes, because the kernel spends its time outside the interpreter's
    lock. Results are added in the order of the tasks, whichever was first, so that the number of
    workers changes nothing. Several jobs at a time, each of one model, have equal shares.

    Attributes:
        workers: How many threads work at a time; one is the caller's own.
    """

    workers: int = 1
    _turns: Turns = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse to work without workers."""
        if self.workers < 1:
            raise ValueError(f"at least one worker is needed, not {self.workers}")
        object.__setattr__(self, "_turns", Turns(self.workers))
        _keep_what_is_freed()
        if self.workers > 1:
            _switch_often()

    def count(self, tasks: Sequence[Task], count: Count, progress: Progress) -> Counted:
        """Return the sum of ``count(task)`` over all tasks."""
        total = Counted()
        with self._turns:
            for task, counted in zip(tasks, self._each(tasks, count), strict=True):
                total.merge(counted)
                progress.advance(task.rows)
        return total

    def _each(self, tasks: Sequence[Task], count: Count) -> Iterator[Counted]:
        for large, together in groupby(tasks, key=lambda task: task.rows >= LARGE_ROWS):
            if large:
                for task in together:
                    yield count(replace(task, threads=self._turns.share))
                continue
            small = list(together)
            workers = min(self._turns.share, len(small))
            yield from _in_order(count, small, workers) if workers > 1 else map(count, small)


def _keep_what_is_freed() -> None:
    """Let the C library keep memory that is freed, because the next batch needs it again.

    That of Linux gives the end of its heap back to the system at once, and every batch would have
    its pages made anew: a tenth of the time of a pass. Twice the largest block that it has seen
    freed, up to 32 MB, is what it keeps. So it is shown one, of which no page is ever touched.
    """
    np.empty(_FREED, np.uint8)


def _switch_often() -> None:
    """Let a thread that waits for the interpreter have it after half a millisecond, not after five.

    A thread that comes back from numpy waits until the other one goes there, or this long. Two
    threads take a twentieth less time for a pass.
    """
    sys.setswitchinterval(min(_SWITCHED, sys.getswitchinterval()))


def _in_order(count: Count, tasks: Sequence[Task], workers: int) -> Iterator[Counted]:
    """Yield results in the order of the tasks, holding only a few of them."""
    executor = ThreadPoolExecutor(workers)
    running: deque[Future[Counted]] = deque()
    try:
        for task in tasks:
            running.append(executor.submit(count, task))
            if len(running) >= AHEAD * workers:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)

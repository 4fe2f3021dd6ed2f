"""Tasks on this machine: in turn, on threads, or in worker processes."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

import pyarrow as pa

from monitor.domain.errors import SourceError
from monitor.engine.counting import Counted, Task
from monitor.engine.progress import Progress

AHEAD = 2
"""Tasks for each worker that may be under way, or done and not yet added: bounds the memory."""

Count = Callable[[Task], Counted]

_installed: list[Count] = []  # in a worker process: the function it was started for


@dataclass(frozen=True)
class LocalCompute:
    """Maps tasks over workers of this machine, as `monitor.engine.ports.Compute`.

    Results are added in the order of the tasks, whichever was first, so that the number of
    workers changes nothing.

    Attributes:
        workers: How many tasks run at a time; one thread is the caller's own.
        processes: Whether workers are processes. They cost half a second to start and keep a
            crash to themselves; threads are as fast, because the kernel spends its time outside
            the interpreter's lock.
    """

    workers: int = 1
    processes: bool = False

    def __post_init__(self) -> None:
        """Refuse to work without workers."""
        if self.workers < 1:
            raise ValueError(f"at least one worker is needed, not {self.workers}")

    def count(self, tasks: Sequence[Task], count: Count, progress: Progress) -> Counted:
        """Return the sum of ``count(task)`` over all tasks.

        Raises:
            SourceError: A worker process died.
        """
        total = Counted()
        for task, counted in zip(tasks, self._each(tasks, count), strict=True):
            total.merge(counted)
            progress.advance(task.rows)
        return total

    def _each(self, tasks: Sequence[Task], count: Count) -> Iterator[Counted]:
        workers = min(self.workers, len(tasks))
        if self.processes and tasks:
            processes = ProcessPoolExecutor(
                workers, get_context("spawn"), initializer=_install, initargs=(count,)
            )
            try:
                yield from _in_order(processes, _count_installed, tasks, workers)
            except BrokenProcessPool as error:
                raise SourceError(
                    "a worker process died; the system may have run out of memory", retryable=True
                ) from error
        elif workers > 1:
            yield from _in_order(ThreadPoolExecutor(workers), count, tasks, workers)
        else:
            yield from map(count, tasks)


def _in_order(
    executor: Executor, count: Count, tasks: Sequence[Task], workers: int
) -> Iterator[Counted]:
    """Yield results in the order of the tasks, holding only a few of them."""
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


def _install(count: Count) -> None:
    """Take the function once for each worker process: it carries grids and labels."""
    pa.set_cpu_count(1)  # one worker, one core: the pool of processes is the parallelism
    _installed[:] = [count]


def _count_installed(task: Task) -> Counted:
    return _installed[0](task)

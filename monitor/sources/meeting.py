"""Where threads that read different columns of a file bring together what they found of its rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, tee
from threading import Condition, Lock
from types import TracebackType
from typing import Generic, Self, TypeVar

from monitor.profile.kernel import BatchScores

AHEAD = 2
"""Batches that a thread may have brought in before the slowest has: bounds the memory."""

Item = TypeVar("Item")

Scores = Sequence[BatchScores]
"""Scores of the rows of a batch, for each profile that takes some of its rows."""


class Shared(Generic[Item]):
    """What is made once and gone through by several threads, each at its own pace.

    The thread that comes first makes an item, and the others find it made.

    Args:
        items: What is made, one by one; only one thread at a time is in it.
        threads: How many there are.
    """

    def __init__(self, items: Iterable[Item], threads: int) -> None:
        self._making = Lock()
        self._parts = tee(items, threads)

    def part(self, thread: int) -> Iterator[Item]:
        """Yield all items to one of the threads, by its number."""
        while True:
            with self._making:
                found = tuple(islice(self._parts[thread], 1))
            if not found:
                return
            yield found[0]


class Meeting:
    """Brings together, batch by batch, the scores of fields that several threads read.

    All bring what they found; one of them takes it, when it has time to.

    Each thread enters the meeting as a context, so that none waits for one that has failed: the
    others then leave without an error, and that of the failed one is the one that is heard.

    Args:
        threads: How many there are; each brings every batch once, in order.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._changed = Condition()
        self._pending: dict[int, list[Scores]] = {}
        self._done = 0
        self._failed = False

    def __enter__(self) -> Self:
        """Take part."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Leave; with an error, let the others go as well."""
        if kind is None:
            return False
        with self._changed:
            self._failed = True
            self._changed.notify_all()
        return isinstance(error, _Abandoned)

    def bring(self, batch: int, scores: Scores) -> None:
        """Bring a batch.

        Args:
            batch: Its number, counted from 0.
            scores: What this thread found, for each profile in the order of all threads.
        """
        with self._changed:
            self._wait(lambda: batch <= self._done + AHEAD)
            brought = self._pending.setdefault(batch, [])
            brought.append(scores)
            if len(brought) == self._threads:
                self._done = batch + 1
                self._changed.notify_all()

    def take(self, batches: int = 0) -> list[tuple[int, list[Scores]]]:
        """Return the batches that all have brought and nobody has taken, with what they brought.

        Args:
            batches: Wait until so many have been brought by all.
        """
        with self._changed:
            self._wait(lambda: batches <= self._done)
            whole = sorted(batch for batch in self._pending if batch < self._done)
            taken = [(batch, self._pending.pop(batch)) for batch in whole]
        return [(batch, list(zip(*parts, strict=True))) for batch, parts in taken]

    def _wait(self, condition: Callable[[], bool]) -> None:
        self._changed.wait_for(lambda: self._failed or condition())
        if self._failed:
            raise _Abandoned


class _Abandoned(Exception):  # noqa: N818  # nothing went wrong here
    """Another thread has failed."""
